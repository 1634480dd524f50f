"""The lists of who paid, asked of the registry service."""

from __future__ import annotations

from typing import TYPE_CHECKING

from roadside.console.list_faults import for_page
from roadside.console.ports import Held, ListPreview
from roadside.errors import InputError, RegistryFileError
from roadside.ports.registry import ListImport, ListState
from roadside.v1 import registry_pb2, registry_pb2_grpc
from roadside.wire import convert

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from roadside.adapters.services.connection import Connection
    from roadside.console.ports import ListChoices

CHUNK_BYTES = 1024 * 1024
IMPORT_S = 600.0
"""A list of millions of rows takes minutes."""
_MOST_SOURCE = 256


class RemoteRegistryDesk:
    """Meets the console's `RegistryDesk`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._stub = registry_pb2_grpc.RegistryStub(connection.channel)

    def state(self) -> ListState:
        """What is held."""
        held = self._connection.call(self._stub.GetState, registry_pb2.GetStateRequest())
        imports = [
            ListImport(
                convert.time_from_proto(each.import_time),
                each.content,
                each.source,
                each.added_count,
                each.removed_count,
                each.kept_count,
                each.rejected_count,
            )
            for each in held.imports
        ]
        imported_ns = convert.time_from_proto(held.import_time) if held.HasField("import_time") else None
        return ListState(held.vignette_count, held.exemption_count, imported_ns, held.max_age_days, imports)

    def check(self, plate: str, country: str, at_ns: int) -> tuple[str, Sequence[Held]]:
        """PAID, EXEMPT, UNPAID or UNKNOWN of a plate at a time, with what is held. Raises InputError."""
        request = registry_pb2.CheckRequest(plate=plate, country=country, passage_time=convert.time_to_proto(at_ns))
        answer = self._connection.call(self._stub.Check, request)
        exempt = [convert.exemption_from_proto(each) for each in answer.exemptions]
        held = [
            Held("exemption", e.pattern, e.country, e.reason, e.valid_from_ns, e.valid_to_ns, valid=True)
            for e in exempt
        ]
        for listed, valid in ((answer.vignettes, True), (answer.lapsed_vignettes, False)):
            held += [
                Held("vignette", v.plate, v.country, v.category, v.valid_from_ns, v.valid_to_ns, valid)
                for v in map(convert.vignette_from_proto, listed)
            ]
        return convert.VERDICT_FROM_PROTO[answer.verdict].value, held

    def preview(self, path: Path, source: str, choices: ListChoices) -> ListPreview:
        """What an import would do, and what speaks against it; nothing changes."""
        try:
            return self._import(path, source, choices, look=True)
        except InputError as error:  # of what was chosen
            return ListPreview("", 0, 0, 0, 0, (), _for_pages(error))

    def load(self, path: Path, source: str, choices: ListChoices, actor: str) -> ListPreview:
        """Import, all or nothing. Raises RegistryFileError, ImportRefusedError."""
        try:
            return self._import(path, f"{source} ({actor})", choices)
        except RegistryFileError as error:
            raise type(error)(_for_pages(error)) from error

    def _import(self, path: Path, source: str, choices: ListChoices, *, look: bool = False) -> ListPreview:
        def pieces() -> Iterator[registry_pb2.ImportVignettesRequest]:
            first = registry_pb2.ImportVignettesRequest(
                replace_all=choices.replace,
                look=look,
                encoding=choices.encoding,
                separator=choices.separator,
                columns=[f"{column}={name}" for column, name in choices.columns.items()],
                country=choices.country,
                exemptions=choices.exemptions,
                date_order=choices.date_order,
                source=source[-_MOST_SOURCE:],
            )
            yield first
            with path.open("rb") as file:
                while chunk := file.read(CHUNK_BYTES):
                    yield registry_pb2.ImportVignettesRequest(csv_chunk=chunk)

        done = self._connection.call(self._stub.ImportVignettes, pieces(), IMPORT_S)
        bad = tuple((row.line, row.reason) for row in done.rejected_rows)
        return ListPreview(
            done.read_as,
            done.imported_count,
            done.added_count,
            done.removed_count,
            done.rejected_count,
            bad,
            for_page("; ".join(done.objections)),
            done.doubted_count,
            done.unsure_count,
            tuple(done.column_names),
            dict(meaning.split("=", 1) for meaning in done.column_meanings),
        )


def _for_pages(error: Exception) -> str:
    """A fault of a list in words for a page: without the flag of a command, and the service's own name of the file."""
    return for_page(str(error)).rpartition("/vignettes.csv: ")[2]
