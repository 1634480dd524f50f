"""Who leads which partitions of a stream: live members share them, and a lease on each makes sure that one leads."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from roadside.adapters.bus import redis_scripts as scripts
from roadside.core.partitions import caretaker
from roadside.errors import BusUnavailableError, SettingsError
from roadside.ports.bus import Leadership

if TYPE_CHECKING:
    from collections.abc import Sequence

    from roadside.adapters.bus.redis_options import RedisOptions
    from roadside.adapters.bus.redis_partition import Partition
    from roadside.adapters.bus.redis_slot import Slot
    from roadside.ports.bus import Stream


@dataclass(slots=True)
class _Standing:
    """What is known of one stream."""

    asked_s: float = float("-inf")
    members: list[str] = field(default_factory=list)
    failures: dict[int, int] = field(default_factory=dict)
    """Of each partition's slot, when it was last asked."""


class Leaders:
    """What `Bus.lead` promises. Not safe to share between threads.

    Members only tell who should lead: were two of another opinion, the lease would still be one's alone.
    """

    def __init__(self, partitions: Sequence[Partition], common: Slot, options: RedisOptions) -> None:
        """The members are kept in `common`."""
        self._partitions = partitions
        self._common = common
        self._options = options
        self._standings: dict[Stream[Any], _Standing] = {}
        self._renewed_s = float("-inf")

    def lead(self, stream: Stream[Any]) -> tuple[Leadership, ...]:
        """See Bus."""
        if stream not in self._standings:
            for each in self._partitions:
                each.reader.readings[stream].guarded = True
        standing = self._standings.setdefault(stream, _Standing())
        now_s = time.monotonic()
        moved = any(standing.failures.get(p.number) != p.ledger.failures for p in self._partitions)
        if now_s - standing.asked_s < self._options.lead_every_s and not moved:
            return tuple(Leadership.KEPT if p.reader.readings[stream].led else Leadership.NOT for p in self._partitions)
        standing.asked_s = self._renewed_s = now_s
        if len(self._partitions) > 1:
            self._meet(stream, standing)
        answers: list[Leadership] = []
        fault: BusUnavailableError | None = None
        for partition in self._partitions:
            try:
                answers.append(self._led(stream, partition, standing))
            except BusUnavailableError as error:  # the others go on
                self._stop(stream, partition)
                answers.append(Leadership.NOT)
                fault = error
        if fault is not None and not any(answers):
            raise fault
        return tuple(answers)

    def renew(self) -> None:
        """Between two calls of `lead`, which may be long on a busy machine: leases go on while work does.

        What is found to have lapsed is told by the next call of `lead`.
        """
        now_s = time.monotonic()
        if now_s - self._renewed_s < self._options.lead_s / 4:
            return
        self._renewed_s = now_s
        with suppress(BusUnavailableError):
            for stream, standing in self._standings.items():
                led = [partition for partition in self._partitions if partition.reader.readings[stream].led]
                if led and len(self._partitions) > 1:
                    self._meet(stream, standing)
                for partition in led:
                    self._renew(stream, partition, standing)

    def _renew(self, stream: Stream[Any], partition: Partition, standing: _Standing) -> None:
        slot = partition.ledger
        with slot.translated():
            answer = slot.run(scripts.LEAD, [slot.keys.leader(stream)], self._lease)
        if answer != Leadership.KEPT:
            standing.failures.pop(partition.number, None)  # so that it is looked at anew, as after a failure

    @property
    def _lease(self) -> list[str | int]:
        return [self._options.consumer, int(self._options.lead_s * 1000)]

    def leave(self) -> None:
        """Let others lead at once; where Redis does not answer they have to wait."""
        for stream in self._standings:
            with suppress(BusUnavailableError, SettingsError):
                self._announce(stream, 0)
            for partition in self._partitions:
                with suppress(BusUnavailableError, SettingsError):
                    self._give_up(stream, partition)

    def _meet(self, stream: Stream[Any], standing: _Standing) -> None:
        """Say that one is there, and learn who is; where nobody can say the last answer holds."""
        try:
            standing.members = self._announce(stream, round(self._options.lead_s * 1000))
        except BusUnavailableError:
            standing.members = standing.members or [self._options.consumer]

    def _announce(self, stream: Stream[Any], for_ms: int) -> list[str]:
        with self._common.translated():
            found = self._common.run(
                scripts.MEMBERS, [self._common.keys.members(stream)], [self._options.consumer, for_ms]
            )
        return [member.decode(errors="replace") for member in found]

    def _led(self, stream: Stream[Any], partition: Partition, standing: _Standing) -> Leadership:
        reading, slot = partition.reader.readings[stream], partition.ledger
        if len(self._partitions) > 1 and caretaker(standing.members, partition.number) != self._options.consumer:
            self._give_up(stream, partition)
            standing.failures[partition.number] = slot.failures
            return Leadership.NOT
        failures = slot.failures
        with slot.translated():
            answer = slot.run(scripts.LEAD, [slot.keys.leader(stream)], self._lease)
        # Where calls failed meanwhile another server may answer, which knows less: what was handed over may be undone.
        same = standing.failures.get(partition.number) == failures == slot.failures
        standing.failures[partition.number] = failures
        if not answer:
            self._stop(stream, partition)
            return Leadership.NOT
        if reading.led and answer == Leadership.KEPT and same:
            return Leadership.KEPT
        # Nobody else may hold anything of this stream now; what we held may have been done by another meanwhile.
        reading.led, reading.take_all = True, True
        reading.in_hand.clear()
        return Leadership.TAKEN

    def _give_up(self, stream: Stream[Any], partition: Partition) -> None:
        """Lead no longer; what was held is handed to whoever leads next."""
        if partition.reader.readings[stream].led:
            self._stop(stream, partition)
            slot = partition.ledger
            with slot.translated():
                slot.run(scripts.LEAVE, [slot.keys.leader(stream)], [self._options.consumer])

    def _stop(self, stream: Stream[Any], partition: Partition) -> None:
        partition.reader.readings[stream].led = False
