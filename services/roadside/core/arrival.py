"""When pictures of a live stream were taken, by the receiver's clock: places in the stream against arrivals."""

from __future__ import annotations

CREEP = 200e-6
"""By which a camera's clock may be slower than ours: two quartz clocks at 100 parts in a million each."""
MOST_AGE_NS = 10 * 10**9
"""A picture that seems older has another place in time than its camera says."""
MOST_AHEAD_NS = 50_000_000
"""By which a camera's own clock may be ahead of ours and still be the same clock: what NTP holds on a bad day."""


class ArrivalClock:
    """Tells when each picture of one connection was taken. Not safe to share between threads.

    The network and the decoder delay each picture by another time. What they delayed least says where the camera's
    clock stands against ours; every other picture lies as far from it as the camera says. A camera that tells the time
    itself (RTCP, RFC 3550, 6.4.1) is believed where that may be, for then the shortest delay is known, too.
    """

    def __init__(self) -> None:
        self._ahead_ns: int | None = None
        self._place_ns = 0
        self._now_ns = 0
        self._last_ns = 0
        self.own_clock_off_ns = 0
        """How far the camera's own clock is behind ours, where that is too far to be believed; 0 where it is not."""

    def taken_ns(self, place_ns: int | None, now_ns: int, age_ns: int | None = None) -> int:
        """When the picture was taken, later than the one before it and not after `now_ns`.

        `place_ns` is where the stream places it, from an origin of its own, None where it does not; `age_ns` its age by
        the camera's own clock. All in nanoseconds, `now_ns` of a clock that nobody sets.
        """
        step_ns = 0 if place_ns is None else place_ns - self._place_ns
        taken_ns = now_ns if place_ns is None else self._placed(place_ns, now_ns)
        if age_ns is not None and self._believed(age_ns):
            taken_ns = now_ns - max(0, age_ns)
        least_ns = self._last_ns + max(1, step_ns // 2)  # where the camera's own clock comes to be known late
        self._last_ns = min(now_ns, max(taken_ns, least_ns))
        return self._last_ns

    def _placed(self, place_ns: int, now_ns: int) -> int:
        ahead_ns = now_ns - place_ns
        if self._ahead_ns is not None and place_ns >= self._place_ns:
            crept_ns = self._ahead_ns + round((now_ns - self._now_ns) * CREEP)
            ahead_ns = crept_ns if 0 <= ahead_ns - crept_ns <= MOST_AGE_NS else ahead_ns
        self._ahead_ns, self._place_ns, self._now_ns = ahead_ns, place_ns, now_ns
        return place_ns + ahead_ns

    def _believed(self, age_ns: int) -> bool:
        believed = -MOST_AHEAD_NS <= age_ns <= MOST_AGE_NS
        self.own_clock_off_ns = 0 if believed else age_ns
        return believed
