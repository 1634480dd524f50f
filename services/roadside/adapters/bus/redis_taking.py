"""Takes from many partitions as from one: from each in its turn, and from none more than its share."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from roadside.adapters.bus.redis_options import GROUP
from roadside.adapters.bus.redis_servers import FAULTS
from roadside.errors import BusUnavailableError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from roadside.adapters.bus.redis_partition import Partition
    from roadside.ports.bus import Delivery, EventT, Stream

REST_S = 0.3
"""A partition whose server does not answer is left alone for so long: the others go on."""
SHORTEST_PAUSE_S = 0.004
LONGEST_PAUSE_S = 0.05
"""Between two looks at partitions that were empty: one server could be waited at, several cannot."""


class Taking:
    """What `Bus.receive` promises, over partitions. Not safe to share between threads."""

    def __init__(self, consumer: str) -> None:
        self._consumer = consumer
        self._turn = 0
        self._resting: dict[int, float] = {}

    def receive(
        self, partitions: Sequence[Partition], stream: Stream[EventT], max_messages: int, block_s: float
    ) -> list[Delivery[EventT]]:
        """See Bus. Raises BusUnavailableError where no partition answers."""
        if not partitions:
            time.sleep(min(block_s, LONGEST_PAUSE_S))
            return []
        until_s, pause_s = time.monotonic() + block_s, SHORTEST_PAUSE_S
        while True:
            left_s = until_s - time.monotonic()
            taken = self._round(partitions, stream, max_messages, left_s)
            left_s = until_s - time.monotonic()
            if taken or left_s <= 0:
                return taken
            time.sleep(min(pause_s, left_s))
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)

    def _round(
        self, partitions: Sequence[Partition], stream: Stream[EventT], most: int, block_s: float
    ) -> list[Delivery[EventT]]:
        self._turn += 1
        place = self._turn % len(partitions)
        everyone = [*partitions[place:], *partitions[:place]]
        turns = [each for each in everyone if self._answers(each)] or everyone
        fault: BusUnavailableError | None = None
        taken: list[Delivery[EventT]] = []
        answered: list[Partition] = []
        for each in turns:
            if len(taken) >= most:
                return taken
            try:
                taken += each.reader.old(stream, most - len(taken))
            except BusUnavailableError as error:
                fault = self._failed(each, error)
            else:
                answered.append(each)
        if fault is not None and not answered:
            raise fault
        if len(partitions) == 1:
            wait_s = 0 if taken else block_s
            return (
                taken if len(taken) >= most else [*taken, *answered[0].reader.fresh(stream, most - len(taken), wait_s)]
            )
        return [*taken, *self._fresh(answered, stream, most - len(taken))]

    def _fresh(self, turns: Sequence[Partition], stream: Stream[EventT], most: int) -> list[Delivery[EventT]]:
        """So many from so many partitions at a time that no more come than are wanted."""
        taken: list[Delivery[EventT]] = []
        fault: BusUnavailableError | None = None
        left = list(turns)
        while left and len(taken) < most:
            wanted = most - len(taken)
            some, left = left[:wanted], left[wanted:]
            share = max(1, wanted // len(some))
            for each, answer in self._asked(some, stream, share):
                try:
                    with each.slot(stream).translated():
                        if isinstance(answer, Exception):
                            raise answer
                        given = each.reader.taken(stream, answer)
                except BusUnavailableError as error:
                    fault = self._failed(each, error)
                else:
                    taken += given
                    left += [each] if len(given) == share else []  # there may be more
        if fault is not None and not any(map(self._answers, turns)):
            raise fault
        return taken

    def _asked(self, some: Iterable[Partition], stream: Stream[Any], count: int) -> list[tuple[Partition, Any]]:
        """The answer of each, or the exception that it was: one trip to each server."""
        answers: list[tuple[Partition, Any]] = []
        by_server: dict[int, tuple[Any, list[Partition]]] = {}
        for each in some:
            try:
                client = each.slot(stream).client
            except FAULTS as error:
                answers.append((each, error))
            else:
                by_server.setdefault(id(client), (client, []))[1].append(each)
        for client, together in by_server.values():
            try:
                with client.pipeline(transaction=False) as pipeline:
                    for each in together:
                        pipeline.xreadgroup(GROUP, self._consumer, {each.reader.key(stream): ">"}, count=count)
                    answers += zip(together, pipeline.execute(raise_on_error=False), strict=True)
            except FAULTS as error:
                answers += [(each, error) for each in together]
        return answers

    def _answers(self, partition: Partition) -> bool:
        return self._resting.get(partition.number, float("-inf")) <= time.monotonic()

    def _failed(self, partition: Partition, error: BusUnavailableError) -> BusUnavailableError:
        self._resting[partition.number] = time.monotonic() + REST_S
        return error
