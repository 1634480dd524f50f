from __future__ import annotations

import random

from roadside.core.arrival import MOST_AGE_NS, ArrivalClock

SECOND = 10**9
STEP = SECOND // 25


def taken(clock: ArrivalClock, delays_ns: list[int], slower: float = 0.0) -> list[int]:
    """How far each picture's time is from when it was taken; pictures are sent each STEP and come after a delay."""
    off = []
    for number, delay_ns in enumerate(delays_ns):
        at_ns = 100 * SECOND + number * STEP
        place_ns = round(number * STEP * (1 - slower))
        off.append(clock.taken_ns(place_ns, at_ns + delay_ns) - at_ns)
    return off


def test_delays_that_differ_do_not_show() -> None:
    rng = random.Random(7)
    delays = [20_000_000 + rng.randrange(0, 300_000_000) for _ in range(500)]
    off = taken(ArrivalClock(), delays)[100:]
    assert max(off) - min(off) < 30_000_000, "of 300 ms of jitter a tenth is left at most"
    assert min(off) >= 20_000_000


def test_a_slower_clock_is_followed() -> None:
    off = taken(ArrivalClock(), [20_000_000] * 25 * 600, slower=100e-6)
    assert abs(off[-1] - 20_000_000) < 5_000_000


def test_times_rise_and_are_never_of_the_future() -> None:
    clock, last_ns, rng = ArrivalClock(), 0, random.Random(3)
    now_ns = 50 * SECOND
    for _ in range(2000):
        now_ns += rng.randrange(1, 2 * STEP)
        place = rng.choice([None, rng.randrange(0, 100 * SECOND)])
        at_ns = clock.taken_ns(place, now_ns, rng.choice([None, rng.randrange(-SECOND, 20 * SECOND)]))
        assert last_ns <= at_ns <= now_ns
        last_ns = at_ns


def test_a_camera_that_begins_anew_is_placed_anew() -> None:
    clock = ArrivalClock()
    taken(clock, [0] * 100)
    assert clock.taken_ns(0, 200 * SECOND) == 200 * SECOND
    assert clock.taken_ns(STEP, 200 * SECOND + STEP) == 200 * SECOND + STEP


def test_what_would_be_too_old_is_placed_anew() -> None:
    clock = ArrivalClock()
    clock.taken_ns(0, 100 * SECOND)
    late_ns = 100 * SECOND + STEP + MOST_AGE_NS + SECOND
    assert clock.taken_ns(STEP, late_ns) == late_ns


def test_the_cameras_own_clock_is_believed_where_it_may_be_right() -> None:
    clock = ArrivalClock()
    assert clock.taken_ns(0, 100 * SECOND, age_ns=70_000_000) == 100 * SECOND - 70_000_000
    assert clock.own_clock_off_ns == 0
    assert clock.taken_ns(STEP, 100 * SECOND + STEP, age_ns=3600 * SECOND) == 100 * SECOND + STEP
    assert clock.own_clock_off_ns == 3600 * SECOND
    assert clock.taken_ns(2 * STEP, 100 * SECOND + 2 * STEP, age_ns=-SECOND) == 100 * SECOND + 2 * STEP
