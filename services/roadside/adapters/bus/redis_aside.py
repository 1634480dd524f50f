"""What lies in Redis under a name of ours and is of another kind, such as a text where a stream should be.

Somebody else has written it, or a person by hand. Every call that needs the key would fail for ever, and so would all
that waits behind it: so it is renamed, to be looked at, and what needs the key makes it anew.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

from redis.exceptions import NoPermissionError

from roadside.adapters.bus.redis_servers import FAULTS
from roadside.ports.bus import STREAMS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from roadside.adapters.bus.redis_keys import Keys

ASIDE: Final = "aside"
"""What is put aside is found under this word, the time in nanoseconds and the name that it had."""
_KINDS: Final = {
    **dict.fromkeys(("flight", "sizes", "since", "handed", "members"), "zset"),
    **dict.fromkeys(("memory", "leader"), "string"),
    "camera": "hash",
}
"""By the first word of a name that goes on with a camera's or a stream's."""
_WHOLE: Final = {
    **dict.fromkeys([stream.name for stream in STREAMS], "stream"),
    "dead": "stream",
    "dead:payloads": "stream",
    "dead:bytes": "string",
    "partitions": "string",
}


def kind_of(name: str) -> str | None:
    """The kind, as Redis calls it, of the key of this name behind the hash tag; None where it is none of ours."""
    return _WHOLE.get(name) or (_KINDS.get(name.partition(":")[0]) if ":" in name else None)


def put_aside(client: Any, keys: Keys) -> str:  # noqa: ANN401 - redis-py's answers are unions
    """Rename every key under the hash tag that is of another kind than it must be; what was done, for a person."""
    try:
        found = [name for name in _wrong(client, keys) if _rename(client, keys, name)]
    except NoPermissionError:
        return "a key is of another kind than it must be; give the user +type and +renamenx, or remove it by hand"
    except FAULTS as exc:
        return f"a key is of another kind than it must be: {exc}"
    names = ", ".join(name.encode(errors="replace").decode() for name in found)
    return f"{names or 'a key'} was of another kind than it must be and is put aside"


def _wrong(client: Any, keys: Keys) -> Iterator[str]:  # noqa: ANN401 - as above
    base = f"{keys.tag}:"
    for key in client.scan_iter(f"{base}*", count=1000):
        name = key.decode(errors="surrogateescape")[len(base) :]
        wanted = kind_of(name)
        if wanted is not None and client.type(key) not in (wanted.encode(), b"none"):
            yield name


def _rename(client: Any, keys: Keys, name: str) -> bool:  # noqa: ANN401 - as above
    base, was = f"{keys.tag}:".encode(), name.encode(errors="surrogateescape")
    return bool(client.renamenx(base + was, base + f"{ASIDE}:{time.time_ns()}:".encode() + was))
