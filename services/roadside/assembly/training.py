"""Reviewed plates as training data: kept as they are answered, where that is set, and exported when somebody asks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from roadside.adapters.training_export import TrainingExport
from roadside.core.sightings import PictureKind
from roadside.errors import NotFoundError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from roadside.core.reviews import Correction
    from roadside.core.sightings import Sighting
    from roadside.plates.review import KeepForTraining

MOST_EXPORTED = 10_000


class PictureStore(Protocol):
    """Sightings with their pictures."""

    def get(self, sighting_id: str) -> Sighting:
        """Raises NotFoundError."""
        ...

    def picture(self, sighting_id: str, kind: PictureKind, viewer: str) -> bytes:
        """The picture; that `viewer` looked is written down. Raises NotFoundError."""
        ...


class Answers(Protocol):
    """What people answered."""

    def training(self) -> Sequence[Correction]:
        """The last answer of each sighting that can be exported."""
        ...


class TrainingExports:
    """Meets the console's `TrainingDesk`."""

    def __init__(self, store: PictureStore, answers: Answers) -> None:
        self._store = store
        self._answers = answers

    def export(self, folder: Path, viewer: str) -> int:
        """Write every answered plate whose picture is still there to `folder`; how many they are. Raises InputError."""
        export = TrainingExport(folder)
        return sum(
            export_crop(self._store, export, said.sighting_id, (said.text, said.country), viewer)
            for said in self._answers.training()[:MOST_EXPORTED]
        )


def export_crop(
    store: PictureStore, export: TrainingExport, sighting_id: str, said: tuple[str, str], viewer: str
) -> bool:
    """Write the crop of a sighting with what was `said` of it, text and country; False where it is gone."""
    try:
        sighting = store.get(sighting_id)
        wanted = [evidence for evidence in sighting.evidence if evidence.kind is PictureKind.CROP]
        for evidence in wanted:
            data = store.picture(sighting_id, evidence.kind, viewer)
            export.add(sighting_id, data, evidence.media_type, evidence.box, text=said[0], country=said[1])
    except NotFoundError:
        return False
    return bool(wanted)


def keep_for_training(store: PictureStore, folder: Path | None) -> KeepForTraining | None:
    """What `review_training` asks for: crops of answered plates are kept in `folder`; None where it is not set."""
    if folder is None:
        return None
    export = TrainingExport(folder)

    def keep(sighting: Sighting, text: str, country: str, author: str) -> None:
        export_crop(store, export, sighting.sighting_id, (text, country), author)

    return keep
