"""Pictures on a volume, named by their SHA-256 and encrypted, with a sealed chain of what came and went."""

from __future__ import annotations

import hashlib
import os
import secrets
from contextlib import suppress
from typing import TYPE_CHECKING

from sqlalchemy import delete, insert, select

from roadside.adapters.encryption import Keyring, key_of
from roadside.adapters.sql.codec import box_text
from roadside.adapters.sql.locks import Lock, one_at_a_time
from roadside.adapters.sql.schema import CHAIN, EVIDENCE
from roadside.errors import NotFoundError, RoadsideError, StoreUnavailableError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from sqlalchemy import Connection

    from roadside.core.sightings import Picture

FIRST_LINK = "roadside"
"""What the first entry of the chain is sealed with, in place of a link before it."""


class Vault:
    """A folder of encrypted pictures. The records are written in the transactions of the caller."""

    def __init__(self, folder: Path, keyring: Keyring) -> None:
        self._folder = folder
        self.keyring = keyring

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

    def record(
        self, connection: Connection, sighting_id: str, pictures: Sequence[tuple[Picture, str]], at_ns: int
    ) -> None:
        """Write down pictures that `write` stored, as evidence of a sighting."""
        for picture, digest in pictures:
            connection.execute(
                insert(EVIDENCE).values(
                    sighting_id=sighting_id,
                    kind=picture.kind.value,
                    sha256=digest,
                    media_type=picture.media_type,
                    size_bytes=len(picture.data),
                    key_id=self.keyring.active,
                    box=box_text(picture.box),
                )
            )
            self.chain(connection, "stored", (sighting_id, picture.kind.value, digest), at_ns)

    def forget(self, connection: Connection, sighting_id: str, at_ns: int) -> list[str]:
        """Strike the evidence of a sighting and return the pictures that none other uses.

        They are to be removed from the volume once the transaction is through.
        """
        rows = connection.execute(select(EVIDENCE).where(EVIDENCE.c.sighting_id == sighting_id)).all()
        for row in rows:
            self.chain(connection, "erased", (sighting_id, row.kind, row.sha256), at_ns)
        connection.execute(delete(EVIDENCE).where(EVIDENCE.c.sighting_id == sighting_id))
        digests = {row.sha256 for row in rows}
        used = connection.execute(select(EVIDENCE.c.sha256).where(EVIDENCE.c.sha256.in_(digests))).scalars()
        return sorted(digests - set(used))

    def chain(self, connection: Connection, event: str, subject: tuple[str, str, str], at_ns: int) -> None:
        """Append to the chain: sighting, kind and SHA-256 of `subject`, sealed with the link before."""
        sighting_id, kind, sha256 = subject
        one_at_a_time(connection, Lock.CHAIN)
        last = connection.execute(select(CHAIN).order_by(CHAIN.c.sequence.desc()).limit(1)).first()
        sequence, before = (last.sequence + 1, last.link) if last else (1, FIRST_LINK)
        key_id = self.keyring.active
        link = self.keyring.seal(key_id, before, str(sequence), str(at_ns), event, sighting_id, kind, sha256)
        connection.execute(
            insert(CHAIN).values(
                sequence=sequence,
                at_ns=at_ns,
                event=event,
                sighting_id=sighting_id,
                kind=kind,
                sha256=sha256,
                key_id=key_id,
                link=link,
            )
        )

    def faults(self, connection: Connection) -> tuple[list[str], int, str]:
        """What is wrong with chain, records and pictures, one line each; lines checked; the last link."""
        found: list[str] = []
        before, expected, stored = FIRST_LINK, 1, dict[tuple[str, str], str]()
        for row in connection.execute(select(CHAIN).order_by(CHAIN.c.sequence)):
            if row.sequence != expected:
                found.append(f"chain: entries {expected} to {row.sequence - 1} are missing")
            fields = (str(row.sequence), str(row.at_ns), row.event, row.sighting_id, row.kind, row.sha256)
            try:
                right = self.keyring.seal(row.key_id, before, *fields) == row.link
            except NotFoundError as error:
                right = False
                found.append(f"chain: entry {row.sequence}: {error}")
            if not right:
                found.append(f"chain: entry {row.sequence} was changed, or what stood before it")
            before, expected = row.link, row.sequence + 1
            if row.event == "stored":
                stored[row.sighting_id, row.kind] = row.sha256
            elif row.event == "erased":
                stored.pop((row.sighting_id, row.kind), None)
        found += self._lost(connection, stored)
        return found, expected - 1, before

    def _lost(self, connection: Connection, stored: dict[tuple[str, str], str]) -> list[str]:
        found: list[str] = []
        kept = {(e.sighting_id, e.kind): e.sha256 for e in connection.execute(select(EVIDENCE))}
        for (sighting_id, kind), digest in stored.items():
            name = f"{sighting_id} {kind}"
            if kept.pop((sighting_id, kind), None) != digest:
                found.append(f"{name}: the record is missing or names another picture")
                continue
            try:
                if hashlib.sha256(self.read(digest)).hexdigest() != digest:
                    found.append(f"{name}: the picture is another one")
            except RoadsideError as error:
                found.append(f"{name}: {error}")
        found += [f"{sighting_id} {kind}: a record that the chain does not know" for sighting_id, kind in kept]
        return found

    def _path(self, sha256: str) -> Path:
        return self._folder / sha256[:2] / sha256

    def _put(self, sha256: str, sealed: bytes) -> None:
        path = self._path(sha256)
        draft = path.with_name(f".{sha256}.{secrets.token_hex(8)}")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with draft.open("wb") as file:
                file.write(sealed)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(path)
        except OSError as error:
            with suppress(OSError):  # where nothing can be written, nothing may be removable either
                draft.unlink(missing_ok=True)
            raise StoreUnavailableError(f"{self._folder}: {error.strerror}") from error
