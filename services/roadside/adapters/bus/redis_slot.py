"""What lies under one hash tag: asked of whichever server holds it, its faults told as ours."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import redis
from redis.exceptions import NoPermissionError, NoScriptError, OutOfMemoryError

from roadside.adapters.bus.redis_aside import put_aside
from roadside.adapters.bus.redis_servers import FAULTS
from roadside.errors import BusFullError, BusUnavailableError, SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from roadside.adapters.bus.redis_keys import Keys
    from roadside.adapters.bus.redis_scripts import Script
    from roadside.adapters.bus.redis_servers import Servers

REPLICAS_AWAY_S = 5.0
"""After replicas did not answer in time, they are not waited for again so soon: all would wait for nothing."""
FULL = "Redis is full: its memory (maxmemory) is used up by what waits"


def has_forgotten(error: redis.ResponseError) -> bool:
    """Whether a stream has no consumer group any more: its server was started without what it held, or emptied.

    Whatever was in hand of it is in nobody's hands now. A call that tried again would wait for whoever receives next
    to make the group, and whoever handles a message receives nothing meanwhile: it must not count as an absence.
    """
    return str(error).startswith("NOGROUP")


class Slot:
    """Keys of one hash slot."""

    def __init__(self, servers: Servers, keys: Keys, replicas: int = 0, replicas_wait_s: float = 0.5) -> None:
        """Of what is `confirmed` so many replicas are told, if they answer in that time."""
        self.keys = keys
        self.failures = 0
        """How often a call failed: whoever read before must look anew, for another server may answer, knowing less."""
        self.unconfirmed = 0
        """How often replicas did not answer in time."""
        self._servers = servers
        self._replicas = replicas
        self._replicas_wait_ms = round(replicas_wait_s * 1000)
        self._away_until_s = float("-inf")

    @property
    def client(self) -> Any:  # noqa: ANN401 - redis-py types every answer as a union over two protocols
        """Whoever holds the slot now; within `translated`."""
        return self._servers.holding(self.keys.tag)

    def run(self, script: Script, keys: Sequence[str], args: Sequence[Any], *, confirmed: bool = False) -> Any:  # noqa: ANN401 - as above
        """The answer of a script; within `translated`."""
        client = self.client
        waits = confirmed and self._replicas and time.monotonic() >= self._away_until_s
        for _ in range(2):
            try:
                if waits:
                    return self._confirmed(client, script, keys, args)
                return client.evalsha(script.digest, len(keys), *keys, *args)
            except NoScriptError:  # a server that was started since
                client.script_load(script.text)
        return client.evalsha(script.digest, len(keys), *keys, *args)

    def _confirmed(self, client: Any, script: Script, keys: Sequence[str], args: Sequence[Any]) -> Any:  # noqa: ANN401 - as above
        """One trip: WAIT answers for what was written on the same connection."""
        with client.pipeline(transaction=False) as pipeline:
            pipeline.evalsha(script.digest, len(keys), *keys, *args)
            pipeline.execute_command("WAIT", self._replicas, self._replicas_wait_ms)
            answer, replicas = pipeline.execute()
        if int(replicas) < self._replicas:
            self.unconfirmed += 1
            self._away_until_s = time.monotonic() + REPLICAS_AWAY_S
        return answer

    @contextmanager
    def translated(self) -> Iterator[None]:
        """Errors of Redis as errors of ours; a stream that vanished is made again at the next call."""
        try:
            yield
        except (redis.AuthenticationError, NoPermissionError) as exc:
            raise SettingsError(f"Redis refuses this user: {exc}") from exc
        except OutOfMemoryError as exc:
            raise BusFullError(FULL) from exc
        except FAULTS as exc:
            if "OOM command not allowed" in str(exc):  # from within a script
                raise BusFullError(FULL) from exc
            if "WRONGTYPE" in str(exc):  # from within a script, too
                self.failures += 1
                raise BusUnavailableError(f"Redis: {put_aside(self.client, self.keys)}") from exc
            self.failures += 1
            self._servers.failed()
            raise BusUnavailableError(f"Redis does not answer: {exc}") from exc
