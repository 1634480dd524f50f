"""`make bench-verdict`: a year of traffic, ours against a plain reader's rules, as a table and a plot."""

from __future__ import annotations

import argparse
import json
import time
from collections import defaultdict
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from models.verdict import methods
from models.verdict.fleet import FORMATS, Fleet, make_fleet
from models.verdict.plot import draw
from models.verdict.traffic import Reading, known_confusions
from roadside.core.verdict import Policy

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from roadside.core.confusions import Confusions

CHUNK = 100_000
WEIGHTS = (10.0, 20.0, 50.0, 100.0, 300.0, 1000.0)
ARTICLE = 0.73
THRESHOLDS = (0.5, 0.73, 0.9, 0.95, 0.98, 0.99)


@dataclass(slots=True)
class Tally:
    """How often a method said what, of whom."""

    counts: dict[tuple[bool, int], int] = field(default_factory=lambda: defaultdict(int))
    """By (paid, verdict)."""
    wrong_plate: int = 0
    """Unpaid passages of which another plate than the true one was accused."""

    def add(self, paid: NDArray[np.bool_], verdicts: NDArray[np.int64], right: NDArray[np.bool_]) -> None:
        """Count a chunk of passages."""
        for who in (True, False):
            for verdict, count in zip(*np.unique(verdicts[paid == who], return_counts=True), strict=True):
                self.counts[who, int(verdict)] += int(count)
        self.wrong_plate += int(((verdicts == methods.UNPAID) & ~paid & ~right).sum())

    def share(self, paid: bool | None, verdict: int) -> float:  # noqa: FBT001 - which column of the table
        """Share of the passages of those who paid (did not, any) that got `verdict`."""
        mine = {key: n for key, n in self.counts.items() if paid is None or key[0] == paid}
        return sum(n for key, n in mine.items() if key[1] == verdict) / max(1, sum(mine.values()))

    @property
    def false_accusations(self) -> int:
        """Paid passages called UNPAID."""
        return self.counts[True, methods.UNPAID]


def main() -> None:
    """Run the year and write the table and the plot."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--statistics", type=Path, default=Path("models/shipped/confusions.json"))
    parser.add_argument("--passages", type=int, default=10_000_000)
    parser.add_argument("--vignettes", type=int, default=1_000_000)
    parser.add_argument("--paying", type=float, default=0.95, help="share of vehicles with a vignette")
    parser.add_argument("--persistence", type=float, default=0.5, help="chance that a next frame repeats the same read")
    parser.add_argument(
        "--overconfident", type=float, default=0.0, help="share of misread characters that are claimed with 0.999"
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path("docs/figures"))
    parsed = parser.parse_args()
    statistics = json.loads(parsed.statistics.read_text(encoding="utf-8"))
    started = time.perf_counter()
    tallies, paid = simulate(statistics, parsed)
    text = table(tallies, paid, parsed, time.perf_counter() - started)
    parsed.out.mkdir(parents=True, exist_ok=True)
    (parsed.out / "verdict.md").write_text(text, encoding="utf-8")
    draw(parsed.out / "verdict.png", curves(tallies, paid), paid)
    print(text)


def simulate(statistics: Mapping[str, Any], parsed: argparse.Namespace) -> tuple[dict[str, Tally], int]:
    """Tallies by method, and the number of passages of those who paid."""
    rng = np.random.default_rng(parsed.seed)
    policy = Policy()
    confusions = known_confusions(statistics)
    reading = Reading(statistics, parsed.persistence, parsed.overconfident)
    each = parsed.vignettes // len(FORMATS)
    unregistered = round(each * (1 - parsed.paying) / parsed.paying)
    fleets = [make_fleet(slots, each, unregistered, rng) for slots in FORMATS]
    tallies: dict[str, Tally] = defaultdict(Tally)
    paid_total = 0
    for chunk in range(parsed.passages // CHUNK):
        fleet = fleets[chunk % len(fleets)]
        vehicles = rng.integers(0, len(fleet.numbers), CHUNK)
        paid = vehicles < fleet.registered
        paid_total += int(paid.sum())
        _count(tallies, reading, fleet, vehicles, paid, (confusions, policy), rng)
    return tallies, paid_total


def _count(  # noqa: PLR0917 - one chunk of everything
    tallies: dict[str, Tally],
    reading: Reading,
    fleet: Fleet,
    vehicles: NDArray[np.int64],
    paid: NDArray[np.bool_],
    judging: tuple[Confusions, Policy],
    rng: np.random.Generator,
) -> None:
    confusions, policy = judging
    draw = reading.draw(len(paid), rng)
    plain = reading.is_plain(draw) & paid
    rows = np.flatnonzero(~plain)
    looks = reading.look(fleet.form.decode(fleet.numbers[vehicles[rows]]), rng, draw.take(rows))
    belief = methods.believe(looks, fleet, confusions, policy, rng)
    confidence = reading.confidence(draw).max(axis=1)

    def count(method: str, least: float, said: tuple[NDArray[np.int64], NDArray[np.bool_]]) -> None:
        """Plain passages, all of them paid, are PAID where their confidence reaches `least`, else not told of."""
        verdicts = np.where(confidence >= least, methods.PAID, methods.SILENT)
        right = np.ones(len(paid), np.bool_)
        verdicts[rows], right[rows] = said
        tallies[method].add(paid, verdicts, right)

    for weight in WEIGHTS:
        verdicts = methods.ours(belief, replace(policy, paid_weight=weight))
        count(f"ours {weight:g}", methods.EVIDENT, (verdicts, belief.right))
    count("article", ARTICLE, methods.first_over(looks, fleet, ARTICLE))
    count("majority", 0.0, methods.majority(looks, fleet))
    for threshold in THRESHOLDS:
        count(f"threshold {threshold:g}", threshold, methods.best_over(looks, fleet, threshold))


def table(tallies: Mapping[str, Tally], paid: int, parsed: argparse.Namespace, elapsed_s: float) -> str:
    """The table in Markdown."""
    names = {
        "article": "the article: first frame over 73, as read",
        "majority": "majority vote of the frames, as read",
        **{f"threshold {t:g}": f"surest frame over {t:g}, as read" for t in THRESHOLDS},
        **{f"ours {w:g}": f"the verdict, paid_weight {w:g}" for w in WEIGHTS},
    }
    default = f"ours {Policy().paid_weight:g}"
    setting = (
        f"{parsed.passages:,} passages ({paid:,} of them paid), {parsed.vignettes:,} vignettes, "
        f"bound {Policy().bound:g}, floor {Policy().floor:g}, persistence {Policy().persistence:g}; "
        f"{parsed.persistence:g} of next frames repeat the same read, "
        f"{parsed.overconfident:g} of misread characters are claimed with 0.999; seed {parsed.seed}, {elapsed_s:.0f} s."
    )
    heads = ("method", "false accusations", "per million paid", "wrong plate accused", "unpaid found")
    more = ("unpaid called paid", "REVIEW, of all", "of paid", "of unpaid", "not told of")
    lines = [setting, "", f"| {' | '.join((*heads, *more))} |", "| --- |" + " ---: |" * (len(heads) + len(more) - 1)]
    for key, name in names.items():
        tally = tallies[key]
        cells = [
            f"{tally.false_accusations:,}",
            f"{tally.false_accusations / paid * 1e6:,.2f}",
            f"{tally.wrong_plate:,}",
            f"{tally.share(False, methods.UNPAID):.1%}",
            f"{tally.share(False, methods.PAID):.2%}",
            f"{tally.share(None, methods.REVIEW):.2%}",
            f"{tally.share(True, methods.REVIEW):.2%}",
            f"{tally.share(False, methods.REVIEW):.1%}",
            f"{tally.share(None, methods.SILENT):.2%}",
        ]
        shown = f"**{name}** (default)" if key == default else name
        lines.append(f"| {shown} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def curves(tallies: Mapping[str, Tally], paid: int) -> dict[str, list[tuple[float, float]]]:
    """For each kind of method its points: share of the unpaid that it found, false accusations per million paid."""
    kinds = {
        "the verdict": [f"ours {w:g}" for w in WEIGHTS],
        "surest frame over a threshold": [f"threshold {t:g}" for t in THRESHOLDS],
        "the article": ["article"],
        "majority vote": ["majority"],
    }
    return {
        kind: [(tallies[k].share(False, methods.UNPAID), tallies[k].false_accusations / paid * 1e6) for k in keys]
        for kind, keys in kinds.items()
    }


if __name__ == "__main__":
    main()
