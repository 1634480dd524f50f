"""A second reader in the same process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from roadside.core.witness import statement

if TYPE_CHECKING:
    from roadside.core.frames import Crop
    from roadside.core.reads import FusedPlate
    from roadside.core.sightings import Statement
    from roadside.ports.vision import Reader


class ReaderWitness:
    """Meets `Witness` with a `Reader`; as safe to share between threads as that is."""

    def __init__(self, reader: Reader, name: str, sha256: str) -> None:
        self._reader = reader
        self._name = name
        self._sha256 = sha256

    def testify(self, crop: Crop, plate: FusedPlate) -> Statement:
        """See `Witness.testify`."""
        return statement(self._reader.read(crop), plate, self._name, self._sha256)
