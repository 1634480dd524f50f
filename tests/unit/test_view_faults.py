"""What is wrong with a drawing is said in the reader's words, with the names that the page has."""

from __future__ import annotations

import json
from datetime import UTC

import pytest

from roadside.console.languages import Wording
from roadside.console.pages.camera_view import view_of
from roadside.console.view_faults import view_fault
from roadside.core.view import View
from roadside.core.view_table import TableFault

FLAT = [[0.1, 0.4], [0.9, 0.4]]
LOW = [[0.1, 0.8], [0.9, 0.8]]
DIAGONAL = [[0.1, 0.2], [0.9, 0.9]]
SQUARE = [[0.1, 0.1], [0.9, 0.1], [0.9, 0.9], [0.1, 0.9]]
BOTH = {"speed": {"first": FLAT, "second": LOW}}
KNOWN = {"distance_m": "12", "camera_height_m": "4,5"}


@pytest.mark.parametrize(
    ("drawn", "form", "said"),
    [
        ({"speed": {"first": FLAT}}, KNOWN, "Dvě čáry: jedna sama nic nezměří"),
        ({"speed": {"first": FLAT, "second": DIAGONAL}}, KNOWN, "Druhá z obou čar: kříží první"),
        ({"speed": {"first": [FLAT[0], FLAT[0]], "second": LOW}}, KNOWN, "První z obou čar: čára nemá délku"),
        (BOTH, {"distance_m": "12"}, "Výška kamery v metrech: k měření rychlosti je to třeba"),
        (BOTH, {**KNOWN, "distance_m": "0.2"}, "Metrů silnice mezi nimi: zadejte číslo od 1 do 500."),
        (BOTH, {**KNOWN, "camera_height_m": "nan"}, "Výška kamery v metrech: zadejte číslo od 0,5 do 100."),
        (BOTH, {**KNOWN, "time_error_s": "much"}, "Chyba časů v sekundách: zadejte číslo."),
        (BOTH, {**KNOWN, "distance_error_m": "12"}, "Chyba vzdálenosti v metrech: stejně velká"),
        (BOTH, {**KNOWN, "camera_height_m": "1"}, "Výška kamery v metrech: kamera sotva výš"),
        ({"zones": [SQUARE, [*SQUARE[:2], SQUARE[3], SQUARE[2]]]}, {}, "Zóna 2: její strany se kříží"),
        ({"masks": [FLAT]}, {}, "Maska 1: má málo rohů"),
        ({"masks": [[*FLAT, [0.5, 0.4]]]}, {}, "Maska 1: nemá plochu"),
        ({"masks": [SQUARE] * 33}, {}, "Kamera má nejvýše 32 zón"),
        ({"line": {"start": FLAT[0], "end": FLAT[1], "inwards": [0.5, 0.4]}}, {}, "Čára: bod uvnitř leží na čáře"),
        ({}, {"least_width": "-1"}, "Nejužší značka v pixelech: zadejte číslo od 0 do 10"),
        ([], {}, "To není kresba"),
        ({"speed": "fast"}, KNOWN, "To není kresba"),
    ],
)
def test_a_fault_is_said_in_czech(drawn: object, form: dict[str, str], said: str) -> None:
    with pytest.raises(TableFault) as caught:
        view_of({"drawn": json.dumps(drawn), **form}, View())
    assert view_fault(Wording("cs", UTC), caught.value).startswith(said)


def test_what_the_page_cannot_draw_is_said_in_english() -> None:
    fault = TableFault(("schedule", "days"), "days are mon, tue")
    assert view_fault(Wording("de", UTC), fault) == "Schedule.days: days are mon, tue."


def test_two_lines_of_a_form() -> None:
    view = view_of({"drawn": json.dumps(BOTH), **KNOWN, "plate_height_m": " "}, View())
    assert view.speed is not None
    assert (view.speed.distance_m, view.speed.camera_height_m, view.speed.plate_height_m) == (12.0, 4.5, 0.5)
    assert view_of({"drawn": "{}", **KNOWN}, view).speed is None, "what is not drawn any more is not measured"
