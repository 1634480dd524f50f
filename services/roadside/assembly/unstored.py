"""What a watch is made of whose sightings nobody stores: no database, and a registry only where one is named."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from roadside.adapters.system_clock import SystemClock
from roadside.core.confusions import typical
from roadside.errors import NoListError, SettingsError
from roadside.registry.judge import Judge

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from roadside.assembly.settings import Settings
    from roadside.core.moments import PassageTime
    from roadside.core.sightings import Picture, Sighting
    from roadside.core.vignettes import CandidateQuery, RegistryAnswer


class KeepNothing:
    """Meets `SightingKeeper` for those who take each sighting as it comes."""

    def save(self, sighting: Sighting, pictures: Sequence[Picture] = ()) -> Sighting:  # noqa: ARG002 - none is kept
        """The sighting as it is."""
        return sighting


class NoRegistry:
    """Meets `Registry` where none is named: it never answers, so that nothing is said of anybody."""

    def search(self, query: CandidateQuery, passage: PassageTime) -> RegistryAnswer:  # noqa: ARG002 - as the port has it
        """Raises NoListError."""
        raise NoListError("no registry is named")


@contextmanager
def open_named_judge(settings: Settings) -> Iterator[Judge]:
    """A judge that asks the registry that the settings name, or none: its verdicts are all NONE then.

    Raises SettingsError, ModelError, StoreUnavailableError.
    """
    if settings.registry is None and settings.registry_http is None:
        yield Judge(NoRegistry(), typical(), settings.policy(), SystemClock(), plates_alone=True)
        return
    from roadside.assembly.storage import open_judge, open_registry_alone  # noqa: PLC0415 - brings SQLAlchemy

    with open_registry_alone(settings, SystemClock()) as registry:
        yield open_judge(settings, registry, SystemClock(), settings.reader_modeldir.parent)


def check_registry(settings: Settings) -> None:
    """Raises SettingsError where the file of the registry that is named is not there."""
    if settings.registry is not None and settings.registry_http is None and not settings.registry.is_file():
        raise SettingsError(
            f"registry {settings.registry}: no such file; make it with"
            f" `roadside registry import --registry {settings.registry} FILE`"
        )
