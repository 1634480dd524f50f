"""Pictures, named by their SHA-256 and encrypted, and their records."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import delete, select

from roadside.adapters.encryption import Keyring, key_of
from roadside.adapters.objects.folder import FolderPictures
from roadside.adapters.sql.chain import Chain
from roadside.adapters.sql.codec import box_text
from roadside.adapters.sql.schema import CHAIN, EVIDENCE, SIGHTINGS
from roadside.errors import RoadsideError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from collections.abc import Set as AbstractSet

    from sqlalchemy import Connection

    from roadside.adapters.sql.database import Database
    from roadside.core.sightings import Picture
    from roadside.ports.pictures import PictureStore


class Vault:
    """Encrypted pictures in a folder or another store. The records are written in the transactions of the caller."""

    def __init__(self, pictures: Path | PictureStore, keyring: Keyring) -> None:
        """`pictures` is a folder, or whatever else keeps them."""
        self.pictures = FolderPictures(pictures) if isinstance(pictures, Path) else pictures
        self.keyring = keyring
        self.chain = Chain(keyring)

    def write(self, picture: Picture) -> str:
        """Store `picture` and return its SHA-256. Raises StoreUnavailableError."""
        digest = hashlib.sha256(picture.data).hexdigest()
        self.pictures.put(digest, self.keyring.encrypt(picture.data, digest))
        return digest

    def read(self, sha256: str) -> bytes:
        """The picture. Raises NotFoundError, and InputError where it was changed."""
        return self.keyring.decrypt(self.pictures.get(sha256), sha256)

    def reencrypt(self, sha256: str) -> bool:
        """Bring a picture under the active key; whether it was under another."""
        if key_of(self.pictures.get(sha256)) == self.keyring.active:
            return False
        self.pictures.put(sha256, self.keyring.encrypt(self.read(sha256), sha256))
        return True

    def remove(self, sha256: str) -> None:
        """Erase a picture; it may be gone already."""
        self.pictures.remove(sha256)

    def under(self, keyring: Keyring) -> Vault:
        """The same pictures under other keys."""
        return Vault(self.pictures, keyring)

    def names(self, older_than_ns: int) -> AbstractSet[str]:
        """SHA-256 of every picture that was written before a time."""
        return self.pictures.names(older_than_ns)

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
            sealed = self.pictures.get(sha256)
            if hashlib.sha256(self.keyring.decrypt(sealed, sha256)).hexdigest() != sha256:
                return "the picture is another one"
            return (
                None if key_id in (None, key_of(sealed)) else "the picture lies under another key than the record says"
            )
        except RoadsideError as error:
            return str(error)


def needs_keys(database: Database, pictures: PictureStore) -> bool:
    """Whether one of the `pictures`, or the chain or a hash in `database`, is worth nothing without its key.

    Raises StoreUnavailableError.
    """
    if pictures.holds_any():
        return True
    hashed = select(SIGHTINGS.c.sequence).where(SIGHTINGS.c.plate_hash.is_not(None)).limit(1)
    with database.read() as connection:
        return any(
            connection.execute(statement).first() is not None
            for statement in (select(CHAIN.c.sequence).limit(1), hashed)
        )
