"""What a chaos run showed: sightings against the passages that were to be seen, verdicts against what is known."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from roadside.core.sightings import VerdictKind

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.bench.chaos_scene import Passing, Scene

UNDECIDED = VerdictKind.UNKNOWN.value
NEEDED = frozenset({VerdictKind.PAID.value, VerdictKind.UNPAID.value, VerdictKind.REVIEW.value})
"""Verdicts that a run must show: without one of them it says nothing of it."""
SAME_MOMENT_S = 0.5
"""How far a passage may begin from where one process that nobody disturbs sees it begin."""


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
    same: int = 0
    """Sightings with the verdict that one process gives to the same frames."""
    otherwise: Counter[str] = field(default_factory=Counter)
    """What others were in one process, and are here."""
    mistaken: int = 0
    """Of these such that say more than REVIEW, by which a person must look: UNPAID of a paid one, and so on."""
    rules: Counter[str] = field(default_factory=Counter)
    """By which they were decided."""
    dead_letters: int = 0
    accused: int = 0
    """Sightings that are UNPAID."""
    shown: int = 0
    """Of these such of which plates gives the crop and the frame, each with the digest that was stored."""
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
        told = set(self.verdicts) >= NEEDED and self.shown == self.accused
        return told and self.intact and not (torn or self.undecided or self.changed or self.mistaken)

    def report(self) -> str:
        kills = ", ".join(f"{name} {count}" for name, count in sorted(self.kills.items()))
        messages = ", ".join(f"{name} {count}" for name, count in self.messages.items())
        otherwise = ", ".join(f"{what} {count}" for what, count in sorted(self.otherwise.items()))
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
                f"as in one process  {self.same}",
                f"otherwise          {otherwise or 'none'}",
                f"mistaken           {self.mistaken}",
                f"dead letters       {self.dead_letters}",
                f"evidence of UNPAID {self.shown} of {self.accused} with crop and frame as they were stored",
                f"evidence           {self.evidence}",
                f"ended unasked      {', '.join(self.fell) or 'none'}",
                f"lost for good      {self.lost_for_good}",
                f"unconfirmed        {self.unconfirmed}",
            )
        )


def judge(
    seen: Sequence[Seen], cameras: Sequence[str], scene: Scene, loops: int, outcome: Outcome
) -> dict[str, Passing]:
    """Match sightings with passages: each passage must have one. Which passage each sighting was, by its id."""
    explained: dict[str, Passing] = {}
    for camera in cameras:
        mine = [s for s in seen if s.camera_id == camera]
        expected = [(loop, place) for loop in range(loops) for place in range(len(scene.passages))]
        outcome.expected += len(expected)
        outcome.stored += len(mine)
        if not mine:
            outcome.lost += len(expected)
            continue
        origin_ns = min(s.first_seen_ns for s in mine)
        found: Counter[tuple[int, int]] = Counter()
        for sighting in mine:
            begin_s, end_s = ((ns - origin_ns) / 1e9 for ns in (sighting.first_seen_ns, sighting.last_seen_ns))
            off_s, loop, place = _nearest(begin_s, end_s, scene)
            if off_s > SAME_MOMENT_S or not 0 <= loop < loops:
                outcome.strange += 1
            else:
                found[loop, place] += 1
                explained[sighting.sighting_id] = scene.passages[place]
        outcome.lost += sum(pair not in found for pair in expected)
        outcome.double += sum(count - 1 for count in found.values())
    return explained


def _nearest(begin_s: float, end_s: float, scene: Scene) -> tuple[float, int, int]:
    """The passage whose span is nearest: how far off it begins, in which loop it is, and which of the loop."""
    first = round(begin_s / scene.loop_s - 0.25)
    places = [(loop, place) for loop in (first - 1, first, first + 1) for place in range(len(scene.passages))]

    def off(loop: int, place: int) -> tuple[float, float]:
        passing, from_s = scene.passages[place], loop * scene.loop_s
        return abs(begin_s - from_s - passing.begins_s), abs(end_s - from_s - passing.ends_s)

    loop, place = min(places, key=lambda at: sum(off(*at)))
    return off(loop, place)[0], loop, place


def judge_verdicts(
    seen: Sequence[Seen], explained: Mapping[str, Passing], paid_until_ns: int, outcome: Outcome
) -> None:
    """Count what was decided, how often, and against what one process decides of the same frames."""
    for sighting in seen:
        outcome.verdicts[sighting.verdict] += 1
        outcome.rules[sighting.rule] += 1
        outcome.once += sighting.decisions == 1 and sighting.verdict != UNDECIDED
        outcome.changed += sighting.decisions > 1
        outcome.undecided += sighting.verdict == UNDECIDED
        outcome.late += sighting.told[0] == UNDECIDED and sighting.decisions == 1
        passing = explained.get(sighting.sighting_id)
        if passing is None:
            continue
        # A passage has paid that has at any moment from its first look to its last.
        wanted = passing.before if sighting.first_seen_ns < paid_until_ns else passing.after
        if sighting.verdict == wanted:
            outcome.same += 1
        else:
            outcome.otherwise[f"{wanted} as {sighting.verdict}"] += 1
            outcome.mistaken += sighting.verdict not in {UNDECIDED, VerdictKind.REVIEW.value}
