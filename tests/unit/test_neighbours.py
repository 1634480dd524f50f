"""Near plates: every plate within three errors is in a bucket that is asked for, and errors are counted right."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from roadside.core.candidates import head_bucket, tail_bucket
from roadside.core.neighbours import edit_distances, near_halves, transpositions

LETTERS = "AB12X"
PLATES = st.text(LETTERS, min_size=4, max_size=9)


def spoil(data: st.DataObject, plate: str, edits: int) -> str:
    """`plate` with at most `edits` errors, each in a place that no other has touched."""
    pieces = list(plate)
    for place in sorted(data.draw(st.sets(st.integers(0, len(plate) - 1), max_size=edits)), reverse=True):
        kind = data.draw(st.sampled_from(("wrong", "missing", "added", "swapped")))
        if kind == "wrong":
            pieces[place] = data.draw(st.sampled_from(LETTERS))
        elif kind == "missing":
            pieces[place] = ""
        elif kind == "added":
            pieces[place] += data.draw(st.sampled_from(LETTERS))
        elif place + 1 < len(pieces) and len(pieces[place + 1]) == 1 and pieces[place + 1] == plate[place + 1]:
            pieces[place], pieces[place + 1] = pieces[place + 1], pieces[place]
    return "".join(pieces)


@settings(max_examples=400)
@given(st.data(), PLATES, st.sampled_from((1, 2, 3)))
def test_every_plate_so_near_is_in_a_bucket_that_is_asked_for(data: st.DataObject, plate: str, edits: int) -> None:
    other = spoil(data, plate, edits)
    (distance,) = edit_distances(plate, [other])
    if not 3 <= len(other) <= 12 or distance > edits:
        return
    heads, tails = near_halves(plate, edits)
    assert head_bucket(other) in heads or tail_bucket(other) in tails


@given(PLATES, st.lists(st.text(LETTERS, max_size=11), max_size=6))
def test_errors_are_counted_as_damerau_counts_them(plate: str, others: list[str]) -> None:
    assert edit_distances(plate, others).tolist() == [min(4, counted(plate, other)) for other in others]


def counted(a: str, b: str) -> int:
    """Optimal string alignment, one cell after the other."""
    cost = {(i, 0): i for i in range(len(a) + 1)} | {(0, j): j for j in range(len(b) + 1)}
    for i in range(1, len(a) + 1):
        for j in range(1, len(b) + 1):
            best = min(cost[i - 1, j] + 1, cost[i, j - 1] + 1, cost[i - 1, j - 1] + (a[i - 1] != b[j - 1]))
            if i > 1 and j > 1 and a[i - 1] == b[j - 2] and a[i - 2] == b[j - 1]:
                best = min(best, cost[i - 2, j - 2] + 1)
            cost[i, j] = best
    return cost[len(a), len(b)]


@pytest.mark.parametrize(
    ("bought", "distance"),
    [("1BA2345", 1), ("1AB2354", 1), ("1A2B345", 1), ("2345", 3), ("11AB2345", 1), ("7ZZ2345", 3), ("7ZZ9345", 4)],
)
def test_two_letters_swapped_are_one_error(bought: str, distance: int) -> None:
    assert edit_distances("1AB2345", [bought]).tolist() == [distance]


def test_swaps_are_each_once_and_never_the_plate_itself() -> None:
    assert transpositions("1AAB") == ("A1AB", "1ABA")
