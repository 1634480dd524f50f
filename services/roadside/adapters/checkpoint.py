"""Checkpoints: where the chain of evidence ended at some time, signed, and kept where the database is not.

The seals of the chain show every change inside of it. They cannot show that its end was cut off, for a shorter chain is
a chain too. A checkpoint can: the entry that it names must still be there. It is signed (Ed25519, RFC 8032) with a key
derived from the active one, so that a court can verify it with the public key and learns no secret.
"""

from __future__ import annotations

import json
import os
import secrets
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from roadside.core.canonical import canonical
from roadside.errors import InputError, NotFoundError, UnavailableError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from roadside.adapters.encryption import Keyring
    from roadside.adapters.sql.chain import Head
    from roadside.core.canonical import Plain

_FORMAT = 1
_TEXTS, _NUMBERS = ("link", "key", "public_key", "signature"), ("format", "sequence", "at_ns")
_LONGEST_FILE = 16_384


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A signed end of a chain."""

    sequence: int
    """Of the last entry."""
    link: str
    """Of the last entry."""
    at_ns: int
    """When it was signed: UTC, in nanoseconds since 1970."""
    key: str
    """The name of the key that signed."""
    public_key: str
    """Of that key: 64 hexadecimal digits."""
    signature: str
    """128 hexadecimal digits."""

    @property
    def message(self) -> bytes:
        """What is signed."""
        return _message(self.sequence, self.link, self.at_ns, self.key, self.public_key)

    @property
    def at(self) -> str:
        """When it was signed, for people."""
        return datetime.fromtimestamp(self.at_ns // 10**9, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")

    def text(self) -> str:
        """The checkpoint as a file or a message holds it: JSON, one line."""
        fields = _fields(self.sequence, self.link, self.at_ns, self.key, self.public_key)
        return canonical({**fields, "signature": self.signature})

    def fault(self, keyring: Keyring, link: str | None) -> str | None:
        """What is wrong with it or with the chain, whose entry of this sequence has `link` (None: it has none)."""
        name = f"checkpoint of {self.at}"
        try:
            genuine = keyring.public_key(self.key).hex() == self.public_key
        except NotFoundError as error:
            return f"{name}: {error}, so nobody can tell who signed it"
        if not genuine or not keyring.is_signed(self.key, self.message, self.signature):
            return f"{name}: it was not signed by key {self.key}, or was changed"
        if link is None:
            return f"{name}: the chain had {self.sequence} entries then, and the last of them are missing: cut off"
        if link != self.link:
            return f"{name}: entry {self.sequence} is another one than was signed: the chain was made anew"
        return None


def sign_head(keyring: Keyring, head: Head, at_ns: int) -> Checkpoint:
    """A checkpoint of the end of a chain, under the active key."""
    public_key = keyring.public_key(keyring.active).hex()
    message = _message(head.sequence, head.link, at_ns, keyring.active, public_key)
    return Checkpoint(head.sequence, head.link, at_ns, keyring.active, public_key, keyring.sign(message))


def parse_checkpoint(text: str, origin: str) -> Checkpoint:
    """The checkpoint that `text` holds. Raises InputError where it is none."""
    try:
        data = json.loads(text)
        texts, numbers = [data[name] for name in _TEXTS], [data[name] for name in _NUMBERS]
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise InputError(f"{origin}: not a checkpoint of the evidence's chain") from error
    link, key, public_key, signature = texts
    form, sequence, at_ns = numbers
    right = all(isinstance(t, str) for t in texts) and all(type(n) is int for n in numbers)
    if not right or form != _FORMAT or not 0 < sequence < 2**63 or not 0 <= at_ns < 2**63:
        raise InputError(f"{origin}: not a checkpoint of the evidence's chain, or one of a newer Roadside")
    return Checkpoint(sequence, link, at_ns, key, public_key, signature)


def load_checkpoint(path: Path) -> Checkpoint:
    """The checkpoint in a file. Raises InputError."""
    try:
        with path.open("rb") as file:
            text = file.read(_LONGEST_FILE).decode()
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or "not a text"
        raise InputError(f"{path}: the checkpoint cannot be read: {reason}") from error
    return parse_checkpoint(text, str(path))


class CheckpointFolder:
    """A folder with a file for each checkpoint, named so that they sort by age; none is ever written over."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def all(self) -> Sequence[Checkpoint]:
        """Those that are there, oldest first. Raises InputError for a file that is none."""
        return [load_checkpoint(path) for path in sorted(self.folder.glob("*.checkpoint"))]

    def newest(self) -> Checkpoint | None:
        """The last one. Raises InputError where its file is none."""
        names = sorted(self.folder.glob("*.checkpoint"))
        return load_checkpoint(names[-1]) if names else None

    def add(self, checkpoint: Checkpoint) -> Path:
        """Write it, whole or not at all, and return its file. Raises UnavailableError."""
        when = datetime.fromtimestamp(checkpoint.at_ns // 10**9, UTC).strftime("%Y%m%dT%H%M%SZ")
        path = self.folder / f"{when}-{checkpoint.sequence:012d}.checkpoint"
        draft = self.folder / f".{secrets.token_hex(16)}"
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
            with os.fdopen(descriptor, "w", encoding="ascii") as file:
                file.write(checkpoint.text() + "\n")
                file.flush()
                os.fsync(file.fileno())
            draft.replace(path)
        except OSError as error:
            with suppress(OSError):
                draft.unlink(missing_ok=True)
            raise UnavailableError(f"{self.folder}: no checkpoint could be written: {error.strerror}") from error
        return path


def _message(sequence: int, link: str, at_ns: int, key: str, public_key: str) -> bytes:
    return b"roadside checkpoint\n" + canonical(_fields(sequence, link, at_ns, key, public_key)).encode()


def _fields(sequence: int, link: str, at_ns: int, key: str, public_key: str) -> dict[str, Plain]:
    named: dict[str, Plain] = {"format": _FORMAT, "sequence": sequence, "link": link, "at_ns": at_ns}
    return {**named, "key": key, "public_key": public_key}
