"""What a chaos run showed: sightings against the passages that were to be seen, verdicts against what is known."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from roadside.core.sightings import VerdictKind

if TYPE_CHECKING:
    from collections.abc import Sequence

UNDECIDED = VerdictKind.UNKNOWN.value
SAME_MOMENT_S = 0.5
"""How far a passage may begin from where the undisturbed run saw it begin."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A stored sighting, as far as counting goes."""

    sighting_id: str
    camera_id: str
    first_seen_ns: int
    last_seen_ns: int
    verdict: str
    rule: str
    """That of the verdict."""
    told: tuple[str, ...]
    """Every verdict that it ever had, in order; the last is `verdict`."""

    @property
    def decisions(self) -> int:
        """How often the registry's answer was taken for final."""
        return sum(kind != UNDECIDED for kind in self.told)


@dataclass
class Outcome:
    """What a run showed."""

    kills: Counter[str] = field(default_factory=Counter)
    messages: dict[str, int] = field(default_factory=dict)
    expected: int = 0
    stored: int = 0
    lost: int = 0
    double: int = 0
    strange: int = 0
    """Sightings that no passage explains."""
    verdicts: Counter[str] = field(default_factory=Counter)
    once: int = 0
    """Sightings that were decided exactly once."""
    undecided: int = 0
    """Sightings whose verdict is still UNKNOWN."""
    changed: int = 0
    """Sightings that were decided more than once."""
    late: int = 0
    """Sightings that the registry could not answer at first, decided by the re-check."""
    mistaken: int = 0
    """Paid passages called UNPAID, unpaid ones called PAID."""
    rules: Counter[str] = field(default_factory=Counter)
    """By which they were decided."""
    dead_letters: int = 0
    evidence: str = ""
    """The last line of `roadside evidence verify`."""
    intact: bool = False
    """Whether it found records, pictures and their chain as they were sealed."""
    fell: list[str] = field(default_factory=list)
    """Services that ended by themselves."""
    lost_for_good: str = "none"
    """The node of the Redis cluster that did not come back."""
    unconfirmed: int = 0
    """Hand-overs that no replica confirmed in time, as far as the processes that counted them lived to the end."""
    seconds: float = 0.0

    @property
    def good(self) -> bool:
        torn = self.lost or self.double or self.strange or self.dead_letters or self.fell
        return self.intact and not (torn or self.undecided or self.changed or self.mistaken)

    def report(self) -> str:
        kills = ", ".join(f"{name} {count}" for name, count in sorted(self.kills.items()))
        messages = ", ".join(f"{name} {count}" for name, count in self.messages.items())
        return "\n".join(
            (
                f"minutes            {self.seconds / 60:.1f}",
                f"kills (SIGKILL)    {sum(self.kills.values())}: {kills}",
                f"messages           {sum(self.messages.values())}: {messages}",
                f"passages           {self.expected}",
                f"sightings stored   {self.stored}",
                f"lost               {self.lost}",
                f"double             {self.double}",
                f"unexplained        {self.strange}",
                f"verdicts           {', '.join(f'{kind} {n}' for kind, n in sorted(self.verdicts.items()))}",
                f"rules              {', '.join(f'{rule} {n}' for rule, n in sorted(self.rules.items()))}",
                f"exactly one        {self.once}, {self.late} of them by the re-check, UNKNOWN until then",
                f"none (UNKNOWN)     {self.undecided}",
                f"two or more        {self.changed}",
                f"mistaken           {self.mistaken}",
                f"dead letters       {self.dead_letters}",
                f"evidence           {self.evidence}",
                f"ended unasked      {', '.join(self.fell) or 'none'}",
                f"lost for good      {self.lost_for_good}",
                f"unconfirmed        {self.unconfirmed}",
            )
        )


def judge(  # noqa: PLR0917 - what was seen, and what was to be seen
    seen: Sequence[Seen],
    cameras: Sequence[str],
    begins_s: Sequence[float],
    loops: int,
    loop_s: float,
    outcome: Outcome,
) -> None:
    """Match sightings with passages: each passage must have one."""
    for camera in cameras:
        mine = [s for s in seen if s.camera_id == camera]
        expected = [(loop, place) for loop in range(loops) for place in range(len(begins_s))]
        outcome.expected += len(expected)
        outcome.stored += len(mine)
        if not mine:
            outcome.lost += len(expected)
            continue
        origin_ns = min(s.first_seen_ns for s in mine)
        found: Counter[tuple[int, int]] = Counter()
        for sighting in mine:
            at_s = (sighting.first_seen_ns - origin_ns) / 1e9
            loop = round((at_s - begins_s[0]) / loop_s - 0.25)
            near = [
                (abs(at_s - candidate * loop_s - begin_s), candidate, place)
                for candidate in (loop - 1, loop, loop + 1)
                for place, begin_s in enumerate(begins_s)
            ]
            off_s, candidate, place = min(near)
            if off_s > SAME_MOMENT_S or not 0 <= candidate < loops:
                outcome.strange += 1
            else:
                found[candidate, place] += 1
        outcome.lost += sum(pair not in found for pair in expected)
        outcome.double += sum(count - 1 for count in found.values())


def judge_verdicts(seen: Sequence[Seen], paid_until_ns: int, outcome: Outcome) -> None:
    """Count what was decided, how often, and against what is known of the car's vignette."""
    for sighting in seen:
        outcome.verdicts[sighting.verdict] += 1
        outcome.rules[sighting.rule] += 1
        outcome.once += sighting.decisions == 1 and sighting.verdict != UNDECIDED
        outcome.changed += sighting.decisions > 1
        outcome.undecided += sighting.verdict == UNDECIDED
        outcome.late += sighting.told[0] == UNDECIDED and sighting.decisions == 1
        # A passage has paid that has at any moment from its first look to its last.
        wrong = VerdictKind.UNPAID if sighting.first_seen_ns < paid_until_ns else VerdictKind.PAID
        outcome.mistaken += sighting.verdict == wrong.value
