"""Finding sightings again, and taking them along as a file."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response
from starlette.routing import Route

from roadside.console.ports import Role
from roadside.console.queries import asked, query_of
from roadside.console.web import RefusedError, Visit, page
from roadside.core.outline import Direction
from roadside.core.plates import format_plate
from roadside.core.sightings import SightingPage, VerdictKind
from roadside.core.witness import is_held
from roadside.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from roadside.core.sightings import Sighting, SightingQuery

MOST_EXPORTED = 100_000
_EXPORT_PAGE = 1000
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@page()
async def search(visit: Visit) -> Response:
    """The form, and a page of what was found."""
    said, fault = asked(visit.request.query_params), ""
    found = SightingPage(())
    try:
        query = query_of(said, visit.desk.zone)
        found = await run_in_threadpool(visit.desk.sightings.find, query)
    except InputError as error:
        fault = str(error)
    if said.plate and not fault:
        note = partial(visit.desk.ledger.note, visit.actor, "searched", "sightings", said.said, plate=said.plate)
        await run_in_threadpool(note)
    return visit.draw(
        "search.html",
        422 if fault else 200,
        said=said,
        fault=fault,
        found=found.sightings,
        following=found.next_page_token,
        verdicts=tuple(VerdictKind),
        directions=tuple(Direction),
        lists=[name for name, _, _ in await run_in_threadpool(visit.desk.known.lists)],
    )


@page(Role.REVIEWER)
async def export(visit: Visit) -> Response:
    """What a search finds, as CSV or an Excel workbook."""
    ending = visit.request.path_params["ending"]
    query = query_of(replace(asked(visit.request.query_params), page=""), visit.desk.zone, _EXPORT_PAGE)
    if ending not in ("csv", "xlsx"):
        raise RefusedError(404, "files end in .csv or .xlsx")
    head = tuple(map(visit.words.say, _HEAD))
    rows = await run_in_threadpool(_rows, visit, query)
    await run_in_threadpool(visit.desk.ledger.note, visit.actor, "exported", "sightings", f"{len(rows)} rows, {ending}")
    body = await run_in_threadpool(_as_csv if ending == "csv" else _as_xlsx, head, rows)
    media = "text/csv; charset=utf-8" if ending == "csv" else _XLSX
    name = f'attachment; filename="roadside-sightings.{ending}"'
    return Response(body, media_type=media, headers={"Content-Disposition": name, "Cache-Control": "no-store"})


def _(text: str) -> str:
    """Marks a text for the catalogues."""
    return text


_HEAD = (_("Time"), _("Camera"), _("Plate"), _("Country"), _("Confidence"), _("Verdict"), _("Reason"), _("Sighting"))


def _rows(visit: Visit, query: SightingQuery) -> list[tuple[str, ...]]:
    """What may leave the house: no UNPAID that neither a second reader nor a person has confirmed.

    A row is a tenth of its sighting: all of those together would be most of a gigabyte.
    """
    rows: list[tuple[str, ...]] = []
    for part in _pages(visit, query):
        rows += [_row(visit, sighting) for sighting in part if not is_held(sighting.verdict)]
        if len(rows) >= MOST_EXPORTED:
            break
    return rows[:MOST_EXPORTED]


def _pages(visit: Visit, query: SightingQuery) -> Iterator[Sequence[Sighting]]:
    while True:
        found = visit.desk.sightings.find(query)
        yield found.sightings
        if not found.next_page_token:
            return
        query = replace(query, page_token=found.next_page_token)


def _row(visit: Visit, sighting: Sighting) -> tuple[str, ...]:
    plate = sighting.plate
    shown = ("", "", "")
    if plate is not None:
        shown = (format_plate(plate.text, plate.country), plate.country or "", f"{plate.confidence:.4f}")
    verdict = sighting.verdict
    at = visit.words.iso(sighting.last_seen_ns)
    return (at, sighting.camera_id, *shown, verdict.kind.value, verdict.rule, sighting.sighting_id)


def _as_csv(head: Sequence[str], rows: Sequence[Sequence[str]]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerows((head, *([_harmless(cell) for cell in row] for row in rows)))
    return ("\ufeff" + text.getvalue()).encode()  # the mark lets Excel see that it is UTF-8


def _as_xlsx(head: Sequence[str], rows: Sequence[Sequence[str]]) -> bytes:
    book = Workbook(write_only=True)
    sheet = book.create_sheet("Roadside")
    sheet.freeze_panes = "A2"
    cells = [WriteOnlyCell(sheet, name) for name in head]
    for cell in cells:
        cell.font = Font(bold=True)
    sheet.append(cells)
    for row in rows:
        sheet.append([_harmless(cell) for cell in row])
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def _harmless(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{cell}" if cell.startswith(_FORMULA) else cell


ROUTES = [Route("/search", search), Route("/search/export.{ending}", export)]
