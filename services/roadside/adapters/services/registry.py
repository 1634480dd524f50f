"""The lists of who paid, asked of the registry service."""

from __future__ import annotations

from typing import TYPE_CHECKING

from roadside.console.ports import Held, ListPreview
from roadside.errors import ImportRefusedError, RegistryFileError
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
        """What an import would do; nothing changes. Raises RegistryFileError."""
        try:
            return self._import(path, source, choices, dry_run=True)
        except ImportRefusedError as error:
            return ListPreview("", 0, 0, 0, 0, (), _for_pages(error))
        except RegistryFileError as error:
            raise RegistryFileError(_for_pages(error)) from error

    def load(self, path: Path, source: str, choices: ListChoices, actor: str) -> ListPreview:
        """Import, all or nothing. Raises RegistryFileError, ImportRefusedError."""
        try:
            return self._import(path, f"{source} ({actor})", choices, dry_run=False)
        except RegistryFileError as error:
            raise type(error)(_for_pages(error)) from error

    def _import(self, path: Path, source: str, choices: ListChoices, *, dry_run: bool) -> ListPreview:
        def pieces() -> Iterator[registry_pb2.ImportVignettesRequest]:
            first = registry_pb2.ImportVignettesRequest(
                replace_all=choices.replace,
                dry_run=dry_run,
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
            done.read_as, done.imported_count, done.added_count, done.removed_count, done.rejected_count, bad
        )


def _for_pages(error: Exception) -> str:
    """A fault of a list in words for a page: without the flag of a command, and the service's own name of the file."""
    text = str(error).partition(". Correct the list, or import it with")[0]
    return text.rpartition("/vignettes.csv: ")[2]
