"""Pictures on a volume, named by their SHA-256 and encrypted, and their records."""

from __future__ import annotations

import hashlib
import os
import secrets
from contextlib import suppress
from typing import TYPE_CHECKING

from sqlalchemy import delete, select

from roadside.adapters.encryption import Keyring, key_of
from roadside.adapters.sql.chain import Chain
from roadside.adapters.sql.codec import box_text
from roadside.adapters.sql.schema import CHAIN, EVIDENCE, SIGHTINGS
from roadside.errors import NotFoundError, RoadsideError, StoreUnavailableError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from sqlalchemy import Connection

    from roadside.adapters.sql.database import Database
    from roadside.core.sightings import Picture


class Vault:
    """A folder of encrypted pictures. The records are written in the transactions of the caller."""

    def __init__(self, folder: Path, keyring: Keyring) -> None:
        self._folder = folder
        self.keyring = keyring
        self.chain = Chain(keyring)

    @property
    def folder(self) -> Path:
        """Where the pictures are."""
        return self._folder

    def write(self, picture: Picture) -> str:
        """Put `picture` on the volume and return its SHA-256. Raises StoreUnavailableError."""
        digest = hashlib.sha256(picture.data).hexdigest()
        self._put(digest, self.keyring.encrypt(picture.data, digest))
        return digest

    def read(self, sha256: str) -> bytes:
        """The picture. Raises NotFoundError, and InputError where it was changed."""
        sealed = self.sealed(sha256)
        return self.keyring.decrypt(sealed, sha256)

    def sealed(self, sha256: str) -> bytes:
        """The picture as it lies on the volume. Raises NotFoundError."""
        try:
            return self._path(sha256).read_bytes()
        except FileNotFoundError:
            raise NotFoundError(f"the picture {sha256[:12]} is not on the volume") from None
        except OSError as error:
            raise StoreUnavailableError(f"{self._folder}: {error.strerror}") from error

    def reencrypt(self, sha256: str) -> bool:
        """Bring a picture under the active key; whether it was under another."""
        if key_of(self.sealed(sha256)) == self.keyring.active:
            return False
        self._put(sha256, self.keyring.encrypt(self.read(sha256), sha256))
        return True

    def remove(self, sha256: str) -> None:
        """Erase a picture from the volume; it may be gone already."""
        self._path(sha256).unlink(missing_ok=True)

    def under(self, keyring: Keyring) -> Vault:
        """The same folder under other keys."""
        return Vault(self._folder, keyring)

    def names(self, older_than_ns: int) -> set[str]:
        """SHA-256 of every picture on the volume that was written before a time."""
        return {
            path.name
            for path in self._folder.glob("??/*")
            if not path.name.startswith(".") and path.stat().st_mtime_ns < older_than_ns
        }

    def records(self, sighting_id: str, pictures: Sequence[tuple[Picture, str]]) -> list[dict[str, str | int | None]]:
        """Rows of `evidence` for pictures that `write` stored."""
        return [
            {
                "sighting_id": sighting_id,
                "kind": picture.kind.value,
                "sha256": digest,
                "media_type": picture.media_type,
                "size_bytes": len(picture.data),
                "key_id": self.keyring.active,
                "box": box_text(picture.box),
            }
            for picture, digest in pictures
        ]

    def forget(self, connection: Connection, ids: Sequence[str]) -> list[str]:
        """Strike the evidence of sightings and return the pictures that none other uses.

        They are to be removed from the volume once the transaction is through.
        """
        mine = EVIDENCE.c.sighting_id.in_(ids)
        digests = set(connection.execute(select(EVIDENCE.c.sha256).where(mine)).scalars())
        connection.execute(delete(EVIDENCE).where(mine))
        used = connection.execute(select(EVIDENCE.c.sha256).where(EVIDENCE.c.sha256.in_(digests))).scalars()
        return sorted(digests - set(used))

    def fault(self, sha256: str, key_id: str | None) -> str | None:
        """What is wrong with a picture that shall lie here under a key (None: under any); None where it is whole."""
        try:
            sealed = self.sealed(sha256)
            if hashlib.sha256(self.keyring.decrypt(sealed, sha256)).hexdigest() != sha256:
                return "the picture is another one"
            return (
                None if key_id in (None, key_of(sealed)) else "the picture lies under another key than the record says"
            )
        except RoadsideError as error:
            return str(error)

    def _path(self, sha256: str) -> Path:
        return self._folder / sha256[:2] / sha256

    def _put(self, sha256: str, sealed: bytes) -> None:
        path = self._path(sha256)
        draft = path.with_name(f".{sha256}.{secrets.token_hex(8)}")
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            path.parent.mkdir(exist_ok=True, mode=0o700)
            descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(sealed)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(path)
        except OSError as error:
            with suppress(OSError):  # where nothing can be written, nothing may be removable either
                draft.unlink(missing_ok=True)
            raise StoreUnavailableError(f"{self._folder}: {error.strerror}") from error


def needs_keys(database: Database, folder: Path) -> bool:
    """Whether a picture in `folder`, or the chain or a hash in `database`, is worth nothing without its key.

    Raises StoreUnavailableError.
    """
    if next(folder.glob("??/*"), None) is not None:
        return True
    hashed = select(SIGHTINGS.c.sequence).where(SIGHTINGS.c.plate_hash.is_not(None)).limit(1)
    with database.read() as connection:
        return any(
            connection.execute(statement).first() is not None
            for statement in (select(CHAIN.c.sequence).limit(1), hashed)
        )
