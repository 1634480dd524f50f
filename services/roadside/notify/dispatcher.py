"""Delivers the notices that are due; what fails is tried again after growing pauses, and given up in the end."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from roadside.errors import UnavailableError

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator, Mapping

    from roadside.core.notices import Notice
    from roadside.notify.options import NotifyOptions
    from roadside.ports.notify import Channel, Outbox
    from roadside.ports.system import Clock

LONGEST_PAUSE_S = 3600.0
CLAIM_NS = 75 * 10**9
"""For how long an attempt has its notice for itself: longer than the longest time that a channel may be given."""


class Outcome(StrEnum):
    """What became of one attempt."""

    DELIVERED = "delivered"
    FAILED = "failed"
    """To be tried again."""
    GIVEN_UP = "given_up"


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt at one notice."""

    notice: Notice
    """As it was before."""
    outcome: Outcome
    fault: str = ""
    """Why it did not arrive."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """What one round of deliveries did."""

    delivered: int
    failed: int
    given_up: int


class _Nowhere:
    """A channel that was taken out of the file while notices waited for it."""

    def send(self, body: str) -> None:
        del body
        raise UnavailableError("this channel is not configured any more")

    def close(self) -> None:
        """Nothing is open."""


_NOWHERE = _Nowhere()


class Dispatcher:
    """Brings notices from the outbox to their channels, one at a time."""

    def __init__(
        self, outbox: Outbox, channels: Mapping[str, Channel], options: NotifyOptions, clock: Clock, rng: random.Random
    ) -> None:
        self._outbox = outbox
        self._channels = channels
        self._options = options
        self._clock = clock
        self._rng = rng

    def attempts(self) -> Iterator[Attempt]:
        """One attempt at each notice that is due, as it is made.

        Who stops asking leaves the rest as it is, for the next round. Raises StoreUnavailableError where the
        outbox does not answer; the notice that was sent last may then be sent again.
        """
        for notice in self._outbox.due(self._clock.now_ns()):
            now_ns = self._clock.now_ns()
            if self._outbox.claim(notice, now_ns, now_ns + CLAIM_NS):
                yield self._attempt(notice)

    def deliver(self) -> Delivery:
        """A whole round of attempts. Raises StoreUnavailableError."""
        made = [attempt.outcome for attempt in self.attempts()]
        return Delivery(made.count(Outcome.DELIVERED), made.count(Outcome.FAILED), made.count(Outcome.GIVEN_UP))

    def _attempt(self, notice: Notice) -> Attempt:
        try:
            self._channels.get(notice.channel, _NOWHERE).send(notice.body)
        except UnavailableError as error:
            again_ns = self._again_ns(notice)
            self._outbox.failed(notice, str(error), again_ns)
            return Attempt(notice, Outcome.GIVEN_UP if again_ns is None else Outcome.FAILED, str(error))
        self._outbox.delivered(notice)
        return Attempt(notice, Outcome.DELIVERED)

    def _again_ns(self, notice: Notice) -> int | None:
        """When to try again; None where it was tried often enough."""
        if notice.attempts + 1 >= self._options.attempts:
            return None
        doubled_s = self._options.backoff_s * 2.0**notice.attempts
        pause_s = min(LONGEST_PAUSE_S, doubled_s) * (1 - self._rng.random() / 2)
        return self._clock.now_ns() + int(pause_s * 1e9)
