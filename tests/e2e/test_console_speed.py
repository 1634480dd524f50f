"""The two lines between which a camera measures speeds: drawn by mouse, finger and keyboard, tried, saved."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from roadside.assembly.camera_board import CameraBoard
from roadside.assembly.camera_views import CameraViews
from roadside.assembly.console_server import ConsoleServer, link_for
from roadside.assembly.embedded import FrameReport
from roadside.assembly.settings import load_settings
from roadside.assembly.site import parse_site
from roadside.console.ports import Role
from roadside.core.frames import CameraId, Frame
from roadside.core.line_speed import SpeedLines
from roadside.core.view import View
from tests.browsers import CHROMIUM, page_of, set_password, started_chromium
from tests.consoles import console
from tests.e2e.test_console_browser import violations
from tests.unit.test_line_speed import SIZE, drive, row_of, track

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="chromium is missing: `make dev` installs it")

GATE = CameraId("gate")
SITE = """# the yard of the works
[camera.gate]
source = "rtsp://192.0.2.7/one"  # the newest firmware
least_width = 12
"""
SAVED = "text=It looks so from now on"


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with started_chromium() as browser:
        yield browser


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    file = tmp_path / "site.toml"
    file.write_text(SITE, encoding="utf-8")
    monkeypatch.setenv("ROADSIDE_CONFIG", str(file))
    return file


@pytest.fixture
def served(tmp_path: Path, site: Path) -> Iterator[tuple[str, str, list[View]]]:
    """The first link, the page's address, and what the run was told to obey."""
    obeyed: list[View] = []
    views = CameraViews(load_settings({"camera": GATE}), lambda _, view: obeyed.append(view))
    board = CameraBoard(views)
    passing(board, 50.0)
    with console(tmp_path, board) as made:
        server = ConsoleServer(made.desk)
        address = server.listen()
        with server.beside():
            yield link_for(made.desk.access, address, "eva", Role.ADMIN), f"{address}/cameras/gate/view", obeyed
    assert site.exists()


def passing(board: CameraBoard, kmh: float) -> None:
    """A plate drives towards the camera, 25 frames a second."""
    image = np.full((SIZE[1], SIZE[0], 3), 90, np.uint8)
    for placed in track(drive(kmh, 25)).reads:
        crop = placed.crop
        frame = Frame(GATE, crop.captured_at_ns, crop.sequence, image)
        board.note(FrameReport(frame, (placed,), (), (crop.detection.box,)))


def open_page(page: Page, link: str, address: str) -> None:
    set_password(page, link)
    page.goto(address)
    page.wait_for_function("document.querySelector('.drawing img').naturalWidth > 300")


def drag(page: Page, start: tuple[float, float], end: tuple[float, float]) -> None:
    (x1, y1), (x2, y2) = at(page, start), at(page, end)
    page.mouse.move(x1, y1)
    page.mouse.down()
    page.mouse.move(x2, y2, steps=4)
    page.mouse.up()


def swipe(page: Page, start: tuple[float, float], end: tuple[float, float]) -> None:
    """As a finger does it."""
    devtools = page.context.new_cdp_session(page)
    for kind, place in (("touchStart", start), ("touchMove", end), ("touchEnd", None)):
        points = [] if place is None else [dict(zip("xy", at(page, place), strict=True))]
        devtools.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})


def at(page: Page, place: tuple[float, float]) -> tuple[float, float]:
    page.locator("[data-canvas]").scroll_into_view_if_needed()
    box = page.locator("[data-canvas]").bounding_box()
    assert box is not None
    return box["x"] + place[0] * box["width"], box["y"] + place[1] * box["height"]


def lines_in(site: Path) -> SpeedLines | None:
    return parse_site(site.read_text(), site).view(GATE).speed


def near(lines: SpeedLines) -> list[float]:
    return [float(value) for end in (*lines.first, *lines.second) for value in end]


def test_two_lines_are_drawn_tried_saved_and_read_back(
    chromium: Browser, served: tuple[str, str, list[View]], site: Path
) -> None:
    link, address, obeyed = served
    far, close = row_of(40.0), row_of(20.0)
    with page_of(chromium) as page:
        open_page(page, link, address)
        assert not page.is_visible("[name=distance_m]")
        page.click("[data-add=speed]")
        drag(page, (0.05, far), (0.95, far))
        page.click("text=Try it on the last minute")
        page.wait_for_selector("#trial >> text=Two lines: one alone measures nothing")
        swipe(page, (0.02, close), (0.98, close))
        page.click("text=Try it on the last minute")
        page.wait_for_selector("#trial >> text=Metres of road between them: needed to measure speeds")
        page.fill("[name=distance_m]", "20")
        page.fill("[name=camera_height_m]", "5")
        page.click("text=Try it on the last minute")
        page.wait_for_selector("#trial >> text=Between the two lines:")
        assert "AB12CDE 50 km/h (" in " ".join(page.inner_text("#trial").split())
        assert violations(page) == []
        page.click("text=Look so from now on")
        page.wait_for_selector(SAVED)
        drawn = lines_in(site)
        assert drawn is not None
        assert near(drawn) == pytest.approx([0.05, far, 0.95, far, 0.02, close, 0.98, close], abs=0.01)
        assert (drawn.distance_m, drawn.camera_height_m, drawn.distance_error_m) == (20.0, 5.0, 0.4)
        assert [view.speed for view in obeyed] == [drawn]
        assert SITE.strip() in site.read_text()
        page.goto(address)
        assert (page.input_value("[name=distance_m]"), page.input_value("[name=camera_height_m]")) == ("20", "5")
        assert page.locator(".drawing .speed").count() == 2


def test_two_lines_by_the_keyboard_alone_and_away_again(
    chromium: Browser, served: tuple[str, str, list[View]], site: Path
) -> None:
    link, address, _ = served
    with page_of(chromium, language="cs-CZ") as page:
        open_page(page, link, address)
        page.focus("[data-add=speed]")
        page.keyboard.press("Enter")
        for _ in range(2):
            page.focus("[data-put]")
            page.keyboard.press("Enter")
        page.keyboard.press("ArrowUp")
        page.focus("[name=distance_m]")
        page.keyboard.type("12")
        page.keyboard.press("Tab")
        page.keyboard.type("0.6")
        page.click("button.main")
        assert "kamera sotva výš než značky" in page.inner_text("[role=alert]")
        assert lines_in(site) is None, "nothing is written of what is refused"
        assert page.input_value("[name=distance_m]") == "12", "what was entered is still there"
        assert page.locator(".drawing .speed").count() == 2
        page.fill("[name=camera_height_m]", "4.5")
        page.click("button.main")
        page.wait_for_selector("[role=status]")
        drawn = lines_in(site)
        assert drawn is not None
        assert drawn.first == ((0.2, 0.45), (0.8, 0.45))
        assert drawn.second == ((0.2, 0.78), (0.8, 0.8))
        for line in ("1", "1"):
            page.focus(f"[aria-label='čára rychlosti {line}, roh 1']")
            page.keyboard.press("Delete")
        page.click("button.main")
        page.wait_for_selector("[role=status]")
        assert lines_in(site) is None
        assert "speed" not in site.read_text()


def test_a_third_line_takes_the_place_of_the_nearest(
    chromium: Browser, served: tuple[str, str, list[View]], site: Path
) -> None:
    link, address, _ = served
    lines = SpeedLines(((0.1, 0.3), (0.9, 0.3)), ((0.1, 0.7), (0.9, 0.7)), 20.0, 0.1, 5.0, time_error_s=0.2)
    CameraViews(load_settings({"camera": GATE}), lambda *_: None).save(GATE, View(speed=lines))
    with page_of(chromium) as page:
        open_page(page, link, address)
        page.click("[data-add=speed]")
        drag(page, (0.2, 0.65), (0.8, 0.65))
        page.click("text=Look so from now on")
        page.wait_for_selector(SAVED)
    drawn = lines_in(site)
    assert drawn is not None
    assert drawn.second[0] == pytest.approx((0.2, 0.65), abs=0.01)
    assert replace(drawn, second=lines.second) == lines, "what was not touched is as it was, how well it is known, too"


@pytest.mark.parametrize(("width", "dark"), [(360, False), (1280, True)])
def test_it_fits_and_can_be_read(
    chromium: Browser, served: tuple[str, str, list[View]], width: int, *, dark: bool
) -> None:
    link, address, _ = served
    with page_of(chromium, width=width, dark=dark) as page:
        open_page(page, link, address)
        page.click("[data-add=speed]")
        page.click("summary")
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        assert violations(page) == []
