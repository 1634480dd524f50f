"""Addresses of cameras and servers, shown without anything that may be a password.

What is shown is put together of what is known to be none: the scheme, the host and the port. User, path and parameters
are left out, for cameras take passwords in all of them. Where a password holds characters that end an address, nobody
can tell where the host begins, and nothing is shown.
"""

from __future__ import annotations

import re

HIDDEN = "***"
MEND = "in user and password write # as %23, / as %2F, ? as %3F, @ as %40 and % as %25"
"""What to do with a password that is no part of an address as it stands."""
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{0,31}")
_HOST = re.compile(r"([A-Za-z0-9_][A-Za-z0-9._-]{0,252}|\[[0-9A-Fa-f:.]{2,45}\])(?::(\d{1,5}))?")
_LARGEST_PORT = 65535
_ENDS_AUTHORITY = re.compile(r"[/?#\\]")
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://.*", re.DOTALL)
_ODD = re.compile(r"^\w+:/|:.*@|[?&;]\w+=|(?:pass|pwd|token)\w*=", re.IGNORECASE | re.DOTALL)
"""What makes a text that is no address look like one that was mistyped."""


def redact(source: str) -> str:
    """A source as it may be shown: a file's name as it is, of an address scheme, host and port."""
    scheme, mark, rest = source.partition("://")
    if not mark:
        return HIDDEN if _ODD.search(source.removeprefix("watch:")) else source
    if not _SCHEME.fullmatch(scheme):
        return HIDDEN
    authority, after = _split(rest)
    _, at, host = authority.rpartition("@")
    if "@" in after or not _is_host(host):
        return f"{scheme}://{HIDDEN}"
    path = f"/{HIDDEN}" if after.strip("/") else ""
    return f"{scheme}://{f'{HIDDEN}@' if at else ''}{host}{path}"


def address_fault(source: str) -> str:
    """What is wrong with the address of a camera, with the mend, and without the address; empty for nothing."""
    _, mark, rest = source.partition("://")
    authority, _ = _split(rest)
    if not mark or _is_host(authority.rpartition("@")[2]):
        return ""
    return f"the address names no host; {MEND}"


def server_fault(address: str) -> str:
    """What is wrong with the address of a database or a bus, with the mend and without the address; empty for nothing.

    A driver would take a part of the password for the host, and tell it as one that does not answer.
    """
    authority, after = _split(address.partition("://")[2])
    if "@" in after or authority.count("@") > 1:
        return f"nobody can tell where its host begins; {MEND}"
    return ""


def hide_addresses(text: str) -> str:
    """`text`, of which nothing is left from the first address on but that address as it may be shown."""
    found = _ADDRESS.search(text)
    if found is None:
        return text
    first, *others = found[0].split("\n", 1)
    # A password may hold spaces: what stands before a later @ belongs to the address, too.
    end = first.find(" ", first.rfind("@") + 1)
    word = first if end < 0 else first[:end]
    shown = redact(word.rstrip("'\",;)"))
    return "\n".join([text[: found.start()] + shown, *map(hide_addresses, others)])


def _split(rest: str) -> tuple[str, str]:
    """What stands before the first character that ends user, password, host and port, and what follows."""
    end = _ENDS_AUTHORITY.search(rest)
    return (rest, "") if end is None else (rest[: end.start()], rest[end.start() :])


def _is_host(text: str) -> bool:
    found = _HOST.fullmatch(text)
    return found is not None and int(found[2] or 0) <= _LARGEST_PORT
