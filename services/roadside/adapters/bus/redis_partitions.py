"""The partitions that there are: how many was settled at the first start, and is changed while nothing is under way."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from roadside.adapters.bus import redis_scripts as scripts
from roadside.adapters.bus.redis_keys import Keys
from roadside.adapters.bus.redis_partition import Partition
from roadside.adapters.bus.redis_servers import Lazy
from roadside.adapters.bus.redis_slot import Slot
from roadside.core.partitions import partition_of
from roadside.errors import BusUnavailableError, SettingsError
from roadside.ports.bus import STREAMS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from roadside.adapters.bus.redis_options import RedisOptions
    from roadside.ports.bus import Codec
    from roadside.ports.system import Clock

ASK_EVERY_S = 5.0
"""So long after a change, whoever counts otherwise is told."""
MEND = "let everything be done (`roadside streams inspect`), or set redis_partitions back"


class Partitions:
    """Asks Redis how many there are, at the first use and now and then. Safe for threads."""

    def __init__(self, options: RedisOptions, codec: Codec, clock: Clock) -> None:
        """Raises SettingsError for an address that is none."""
        self._options = options
        self._codec = codec
        self._clock = clock
        self.ledger_servers = Lazy(options.url, options, "redis_url")
        apart = options.frames_url not in {"", options.url}
        self.frames_servers = Lazy(options.frames_url, options, "frames_redis_url") if apart else self.ledger_servers
        self.common = self._slot(self.ledger_servers, Keys(f"{{{options.prefix}}}"))
        self._lock = threading.Lock()
        self._every: Sequence[Partition] = ()
        self._asked_s = float("-inf")

    @property
    def apart(self) -> bool:
        """Whether frames lie in a Redis of their own."""
        return self.frames_servers is not self.ledger_servers

    def every(self) -> Sequence[Partition]:
        """All of them. Raises SettingsError where they are not as many as wanted, or as they were.

        Once they are known, the server that knows how many there are may be away: the others go on without it.
        """
        if self._every and time.monotonic() - self._asked_s < ASK_EVERY_S:
            return self._every
        with self._lock:
            if not self._every:
                self._every = self._made(self._settled())
            elif time.monotonic() - self._asked_s >= ASK_EVERY_S:
                self._look_again()
            self._asked_s = time.monotonic()
            return self._every

    def _look_again(self) -> None:
        try:
            count = self._settled()
        except BusUnavailableError:
            return
        if count != len(self._every):
            raise SettingsError(f"redis_partitions: they were changed from {len(self._every)} to {count}")

    def of(self, camera_id: str) -> Partition:
        """That of a camera."""
        every = self.every()
        return every[partition_of(camera_id, len(every))]

    def close(self) -> None:
        """Close the connections."""
        self.ledger_servers.close()
        self.frames_servers.close()

    def _settled(self) -> int:
        wanted = len(self._every) or self._options.partitions
        if not wanted:
            with self.common.translated():
                return int(self.common.client.get(self.common.keys.partitions) or 1)
        first = map(self.common.keys.stream, STREAMS)
        with self.common.translated():
            count = int(self.common.run(scripts.AGREE, [self.common.keys.partitions, *first], [wanted]))
        if count == wanted or self._every:
            return count
        if under_way := self._under_way(count):
            raise SettingsError(
                f"redis_partitions: Redis was begun with {count}, and {under_way} messages lie in these: {MEND}"
            )
        with self.common.translated():
            self.common.run(scripts.CHANGE, [self.common.keys.partitions], [count, wanted], confirmed=True)
        return wanted

    def _under_way(self, count: int) -> int:
        """What is not done, dead letters too."""
        made = self._made(count)
        return sum(self._length(partition) for partition in made)

    def _length(self, partition: Partition) -> int:
        total = partition.letters.count()
        for stream in STREAMS:
            slot = partition.slot(stream)
            with slot.translated():
                total += int(slot.client.xlen(slot.keys.stream(stream)))
        return total

    def _made(self, count: int) -> tuple[Partition, ...]:
        made = []
        for number in range(count):
            keys = Keys.of_partition(self._options.prefix, number, count)
            ledger = self._slot(self.ledger_servers, keys)
            frames = self._slot(self.frames_servers, keys) if self.apart else ledger
            made.append(Partition(number, ledger, frames, self._options, self._codec, self._clock))
        return tuple(made)

    def _slot(self, servers: Lazy, keys: Keys) -> Slot:
        replicas = self._options.replicas if servers is self.ledger_servers else 0
        return Slot(servers, keys, replicas, self._options.replicas_wait_s)
