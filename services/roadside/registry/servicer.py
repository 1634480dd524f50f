"""The gRPC service Registry: tells whether plates have paid, and takes lists of vignettes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from roadside.core.countries import country_code
from roadside.core.lettering import spellings
from roadside.core.moments import TOLERANCE_S, PassageTime
from roadside.errors import InputError
from roadside.kit.scratch import ScratchFolder
from roadside.registry.layout import UNSAID
from roadside.registry.reading import ListReading, list_reading
from roadside.registry.validity import DateOrder
from roadside.v1 import registry_pb2, registry_pb2_grpc
from roadside.wire.convert import (
    VERDICT_TO_PROTO,
    exemption_to_proto,
    time_from_proto,
    time_to_proto,
    vignette_to_proto,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    import grpc

    from roadside.core.sightings import VerdictKind
    from roadside.core.vignettes import Exemption, Vignette
    from roadside.ports.registry import ListState
    from roadside.ports.system import Clock
    from roadside.registry.vignette_file import BadRow

MOST_REJECTED_ROWS = 100
"""How many of a list's bad rows the answer names; the others are only counted."""
LARGEST_IMPORT_BYTES = 1024**3
"""What a list of vignettes may have at most, as CSV: 1 GiB, some twenty million rows."""


class PlateCheck(Protocol):
    """The registry's answer for one plate: the verdict, and the entries that it follows from."""

    @property
    def kind(self) -> VerdictKind: ...  # noqa: D102
    @property
    def vignettes(self) -> Sequence[Vignette]: ...  # noqa: D102
    @property
    def exemptions(self) -> Sequence[Exemption]: ...  # noqa: D102
    @property
    def lapsed(self) -> Sequence[Vignette]: ...  # noqa: D102


class PlateRegistry(Protocol):
    """A registry that can be asked about one certain plate."""

    def check(self, plate: str, country: str | None, passage: PassageTime) -> PlateCheck:
        """What is held for `plate` of `country` (None: any) at any moment of `passage`.

        Raises RegistryUnavailableError if the registry cannot answer now.
        """
        ...

    def check_all(self, asked: Sequence[tuple[str, str | None, PassageTime]]) -> Sequence[PlateCheck]:
        """The same of many, in their order."""
        ...


class ImportReport(Protocol):
    """What became of an imported list: rows read and rejected, and the first bad rows with their reasons."""

    @property
    def read(self) -> int: ...  # noqa: D102
    @property
    def rejected(self) -> int: ...  # noqa: D102
    @property
    def bad_rows(self) -> Sequence[BadRow]: ...  # noqa: D102
    @property
    def added(self) -> int: ...  # noqa: D102
    @property
    def removed(self) -> int: ...  # noqa: D102
    @property
    def forced(self) -> Sequence[str]: ...  # noqa: D102
    @property
    def read_as(self) -> str: ...  # noqa: D102
    @property
    def doubted(self) -> int: ...  # noqa: D102
    @property
    def unsure(self) -> int: ...  # noqa: D102
    @property
    def objections(self) -> Sequence[str]: ...  # noqa: D102
    @property
    def names(self) -> Sequence[str]: ...  # noqa: D102
    @property
    def meanings(self) -> Sequence[tuple[str, str]]: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class ListOrder:
    """How a list that came is to be taken in."""

    replace: bool = False
    force: bool = False
    """Although the registry would forget somebody."""
    dry_run: bool = False
    """Nothing changes."""
    exemptions: bool = False
    date_order: DateOrder | None = None
    """None: as the settings say."""
    source: str = "gRPC"
    look: bool = False
    """Nothing changes, and what speaks against the list is told, never an error."""
    reading: ListReading = UNSAID


class ListLoad(Protocol):
    """Reads a CSV file into the registry, replacing everything where told so, all or nothing."""

    def __call__(self, path: Path, order: ListOrder) -> ImportReport:
        """Raises RegistryFileError, and ImportRefusedError unless forced."""
        ...


class RegistryServicer(registry_pb2_grpc.RegistryServicer):
    """See protos/roadside/v1/registry.proto."""

    def __init__(
        self,
        registry: PlateRegistry,
        load: ListLoad,
        state: Callable[[], ListState],
        clock: Clock,
        tolerance_s: float = TOLERANCE_S,
    ) -> None:
        """`load` takes in the lists that ImportVignettes receives, `state` tells what is held.

        Clocks may differ by `tolerance_s`.
        """
        self._registry = registry
        self._state = state
        self._load = load
        self._clock = clock
        self._tolerance_ns = int(tolerance_s * 1e9)

    def Check(  # noqa: N802 - the proto's name
        self, request: registry_pb2.CheckRequest, context: grpc.ServicerContext
    ) -> registry_pb2.CheckResponse:
        """Answers what the registry holds for one plate. Raises InputError if the plate holds no letter or digit."""
        del context
        return self._check(request)

    def BatchCheck(  # noqa: N802 - the proto's name
        self, request: registry_pb2.BatchCheckRequest, context: grpc.ServicerContext
    ) -> registry_pb2.BatchCheckResponse:
        """Answers the same for several plates, in their order."""
        asked = [self._asked(one) for one in request.requests]
        if not asked or not context.is_active():  # the deadline has passed, nobody waits for the answers
            return registry_pb2.BatchCheckResponse()
        return registry_pb2.BatchCheckResponse(responses=map(_answer, self._registry.check_all(asked)))

    def ImportVignettes(  # noqa: N802 - the proto's name
        self, request_iterator: Iterator[registry_pb2.ImportVignettesRequest], context: grpc.ServicerContext
    ) -> registry_pb2.ImportVignettesResponse:
        """Receives a list whole, as chunks of CSV, and only then loads it.

        Raises InputError if it is too large, or if the client goes before the end.
        """
        first: registry_pb2.ImportVignettesRequest | None = None
        size = 0
        with ScratchFolder("import") as folder:
            path = folder.path / "vignettes.csv"
            with path.open("wb") as file:
                for request in request_iterator:
                    first = request if first is None else first
                    size += file.write(request.csv_chunk)
                    if size > LARGEST_IMPORT_BYTES:
                        raise InputError(f"a list has at most {LARGEST_IMPORT_BYTES} bytes")
            if not context.is_active():
                raise InputError("the list ended before it was whole")
            told = first or registry_pb2.ImportVignettesRequest()
            report = self._load(path, _order(told))
        return registry_pb2.ImportVignettesResponse(
            imported_count=report.read,
            rejected_count=report.rejected,
            rejected_rows=[
                registry_pb2.RejectedRow(line=row.line, reason=row.reason)
                for row in report.bad_rows[:MOST_REJECTED_ROWS]
            ],
            read_as=report.read_as,
            forced_reasons=report.forced,
            added_count=report.added,
            removed_count=report.removed,
            doubted_count=report.doubted,
            unsure_count=report.unsure,
            objections=report.objections,
            column_names=report.names,
            column_meanings=[f"{column}={name}" for column, name in report.meanings],
        )

    def GetState(  # noqa: N802 - the proto's name
        self, request: registry_pb2.GetStateRequest, context: grpc.ServicerContext
    ) -> registry_pb2.GetStateResponse:
        """What the registry holds, and where from."""
        del request, context
        held = self._state()
        return registry_pb2.GetStateResponse(
            vignette_count=held.vignettes,
            exemption_count=held.exemptions,
            import_time=time_to_proto(held.imported_ns) if held.imported_ns is not None else None,
            max_age_days=held.max_age_days,
            imports=[
                registry_pb2.ListImport(
                    import_time=time_to_proto(each.at_ns),
                    content=each.content,
                    source=each.source,
                    added_count=each.added,
                    removed_count=each.removed,
                    kept_count=each.kept,
                    rejected_count=each.rejected,
                )
                for each in held.imports
            ],
        )

    def _check(self, request: registry_pb2.CheckRequest) -> registry_pb2.CheckResponse:
        return _answer(self._registry.check(*self._asked(request)))

    def _asked(self, request: registry_pb2.CheckRequest) -> tuple[str, str | None, PassageTime]:
        """The plate, the country and the time that are asked about. Raises InputError."""
        country, keys = _meant(request)
        if not any(keys):
            raise InputError("plate: holds no letter or digit")
        return request.plate, country, self._passage(request).widened(self._tolerance_ns)

    def _passage(self, request: registry_pb2.CheckRequest) -> PassageTime:
        """When the vehicle passed. Raises InputError for an end without a beginning, or before it."""
        if not request.HasField("passage_time"):
            if request.HasField("passage_end_time"):
                raise InputError("passage_end_time: is given without passage_time")
            return PassageTime.at(self._clock.now_ns())
        first_ns = time_from_proto(request.passage_time)
        if not request.HasField("passage_end_time"):
            return PassageTime.at(first_ns)
        last_ns = time_from_proto(request.passage_end_time)
        if last_ns < first_ns:
            raise InputError("passage_end_time: is before passage_time")
        return PassageTime(first_ns, last_ns)


def _order(told: registry_pb2.ImportVignettesRequest) -> ListOrder:
    """Raises InputError."""
    try:
        date_order = DateOrder(told.date_order) if told.date_order else None
    except ValueError as error:
        raise InputError(f"date_order: one of {', '.join(DateOrder)}") from error
    return ListOrder(
        replace=told.replace_all,
        force=told.force,
        dry_run=told.dry_run,
        exemptions=told.exemptions,
        date_order=date_order,
        source=told.source or "gRPC",
        look=told.look,
        reading=list_reading(
            told.encoding or None, told.columns, told.country or None, separator=told.separator or None
        ),
    )


def _answer(checked: PlateCheck) -> registry_pb2.CheckResponse:
    return registry_pb2.CheckResponse(
        verdict=VERDICT_TO_PROTO[checked.kind],
        vignettes=[vignette_to_proto(vignette) for vignette in checked.vignettes],
        exemptions=[exemption_to_proto(exemption) for exemption in checked.exemptions],
        lapsed_vignettes=[vignette_to_proto(vignette) for vignette in checked.lapsed],
    )


def _meant(request: registry_pb2.CheckRequest) -> tuple[str | None, tuple[str, ...]]:
    """The country and the folded plates that are asked about. Raises InputError."""
    try:
        country = country_code(request.country) or None
        return country, spellings(request.plate, country)
    except ValueError as error:
        raise InputError(str(error)) from error
