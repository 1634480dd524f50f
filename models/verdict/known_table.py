"""What `make bench-known` counts: whom a gate opens for and whom it is told of, and how far the rates may lie."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from models.verdict.bounds import clopper_pearson
from models.verdict.spoils import SPOILS
from models.verdict.year_table import ORDINARY

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from models.verdict.known import Arrival, Look
    from roadside.core.known import KnownPolicy

    Moments = Callable[[Arrival, int, int], Sequence[Look]]
    Asked = Callable[[Look], Sequence[float]]
    """Probabilities of a plate on each of some lists."""

COUNTS = (1, 2, 3, 5, 10)
GROUPS = {
    "clean": ("clean",),
    "ordinary": tuple(name for name in ORDINARY if name != "clean"),
    "spoilt": tuple(name for name in SPOILS if name not in ORDINARY),
}
"""Ordinary: nothing hides a part of the plate, but it is dark, small, blurred, moving, turned or compressed."""
OPEN_AT = (0.5, 0.9, 0.99, 0.999, 0.9999)
ALERT_AT = (0.1, 0.3, 0.5, 0.7, 0.9)
LOOKS = (1, 2, 3)
HEADS = (
    "pictures", "frames", "passages", "named rightly", "not named", "another of the list", "one character away",
    "of so many lists", "vehicles", "at most (95 %)", "beside its own", "any other stranger", "vehicles",
    "at most (95 %)",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Rule:
    """When a vehicle counts as one that is known."""

    at: float
    """From this probability on."""
    moments: Moments
    """What is asked: `opening` or `telling`."""
    least_looks: int


def opening(arrival: Arrival, frames: int, least_looks: int) -> Sequence[Look]:
    """The moments at which a gate may open while the first `frames` frames are seen."""
    return [look for look in arrival.gate if look.frames <= frames and look.looks >= least_looks]


def telling(arrival: Arrival, frames: int, least_looks: int) -> Sequence[Look]:
    """What is told of a passage of `frames` frames, however many looks there are."""
    del least_looks
    return [look for look in arrival.told if look.frames == frames]


def tables(arrivals: Sequence[Arrival], policy: KnownPolicy) -> str:
    """All of it, as Markdown."""
    opens = Rule(policy.open_at, opening, policy.least_looks)
    alerts = Rule(policy.alert_at, telling, 1)
    return (
        "\n\n".join(
            (
                f"Opened at {opens.at}, {opens.least_looks} looks:",
                table(arrivals, opens),
                f"Told at {alerts.at}:",
                table(arrivals, alerts),
                "Opened within 10 frames, by threshold:",
                sweep(arrivals, [replace(opens, at=at, least_looks=n) for n in LOOKS for at in OPEN_AT]),
                "Told after 10 frames, by threshold:",
                sweep(arrivals, [replace(alerts, at=at) for at in ALERT_AT]),
            )
        )
        + "\n"
    )


def table(arrivals: Sequence[Arrival], rule: Rule) -> str:
    """A row for each group of conditions and number of frames; bounds are Clopper and Pearson's, per vehicle."""
    lines = [f"| {' | '.join(HEADS)} |", "| --- |" + " ---: |" * (len(HEADS) - 1)]
    for group in GROUPS:
        mine = of_group(arrivals, group)
        lines += [f"| {group} | {n} | {' | '.join(_cells(mine, n, rule))} |" for n in COUNTS if mine]
    return "\n".join(lines)


def sweep(arrivals: Sequence[Arrival], rules: Sequence[Rule]) -> str:
    """What other thresholds would do at ten frames."""
    pairs = (f"{group}: {what}" for group in GROUPS for what in ("named rightly", "lists one character away"))
    heads = ("at", "looks", *pairs, "vehicles", "vehicles, any other stranger")
    lines = [f"| {' | '.join(heads)} |", "| ---: |" + " ---: |" * (len(heads) - 1)]
    for rule in rules:
        cells = [str(rule.at), str(rule.least_looks)]
        for group in GROUPS:
            mine = of_group(arrivals, group)
            cells.append(f"{sum(_taken(mine, COUNTS[-1], rule, own))} of {len(mine)}")
            cells.append(str(sum(_taken(mine, COUNTS[-1], rule, near))))
        cells += [str(len(_vehicles(arrivals, COUNTS[-1], rule, of))) for of in (near, stranger)]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def of_group(arrivals: Sequence[Arrival], group: str) -> list[Arrival]:
    """Those in one of a group's conditions."""
    return [each for each in arrivals if each.condition in GROUPS[group]]


def own(look: Look) -> Sequence[float]:
    """Of the vehicle's own plate."""
    return (look.own,)


def other(look: Look) -> Sequence[float]:
    """Of the likeliest other plate where its own is on the list."""
    return (look.other,)


def near(look: Look) -> Sequence[float]:
    """Of the plates one character away."""
    return look.near


def mistaken(look: Look) -> Sequence[float]:
    """Of the same beside the vehicle's own."""
    return look.mistaken


def stranger(look: Look) -> Sequence[float]:
    """Of the likeliest other vehicle's, where its own is not on the list."""
    return (look.stranger,)


def _cells(mine: Sequence[Arrival], frames: int, rule: Rule) -> list[str]:
    def passages(of: Asked) -> int:
        return sum(lists > 0 for lists in _taken(mine, frames, rule, of))

    def vehicles(of: Asked) -> list[str]:
        harmed = len(_vehicles(mine, frames, rule, of))
        return [str(harmed), f"{clopper_pearson(harmed, len({each.vehicle for each in mine}))[1]:.1%}"]

    right = passages(own)
    return [
        str(len(mine)), f"{right} ({right / len(mine):.0%})", str(len(mine) - right), str(passages(other)),
        str(passages(near)), str(sum(_taken(mine, frames, rule, near))), *vehicles(near),
        str(passages(mistaken)), str(passages(stranger)), *vehicles(stranger),
    ]  # fmt: skip


def _vehicles(arrivals: Sequence[Arrival], frames: int, rule: Rule, of: Asked) -> set[str]:
    taken = _taken(arrivals, frames, rule, of)
    return {each.vehicle for each, lists in zip(arrivals, taken, strict=True) if lists}


def _taken(arrivals: Sequence[Arrival], frames: int, rule: Rule, of: Asked) -> list[int]:
    """For each arrival, on how many lists the plate asked for is probable enough at some moment."""
    counts = []
    for each in arrivals:
        asked = zip(*map(of, rule.moments(each, frames, rule.least_looks)), strict=True)
        counts.append(sum(max(ps) >= rule.at for ps in asked))
    return counts
