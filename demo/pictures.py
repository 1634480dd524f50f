"""Photographs the console for its documentation: the rendered street, light, dark, on a phone, in Czech.

Usage: pictures.py CLIP FOLDER. `make console-pictures` makes the clip where there is none.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
from playwright.sync_api import sync_playwright

from roadside.assembly.camera_board import CameraBoard
from roadside.assembly.camera_views import CameraViews
from roadside.assembly.console import open_desk
from roadside.assembly.console_server import ConsoleServer
from roadside.assembly.embedded import FrameReport
from roadside.assembly.records import open_records
from roadside.assembly.settings import load_settings
from roadside.console.ports import Role
from roadside.core.frames import CameraId, Frame
from roadside.core.known import Action
from roadside.core.line_speed import SpeedLines
from roadside.core.outline import Line, Polygon
from roadside.core.view import View

if TYPE_CHECKING:
    from playwright.sync_api import Browser

CAMERA = "street"
PASSWORD = "of these pictures alone"  # noqa: S105 - the database goes with them
DESKTOP, PHONE = (1280, 800), (390, 844)
DRAWN = View(
    zones=(Polygon(((0.12, 0.42), (0.88, 0.42), (0.98, 0.97), (0.03, 0.97))),),
    masks=(Polygon(((0.0, 0.0), (0.22, 0.0), (0.22, 0.3), (0.0, 0.3))),),
    line=Line((0.1, 0.66), (0.92, 0.66), (0.5, 0.86)),
    speed=SpeedLines(((0.3, 0.45), (0.72, 0.45)), ((0.14, 0.8), (0.94, 0.8)), 12.0, 0.24, 4.5),
)


@dataclass(frozen=True, slots=True)
class Shot:
    """One picture."""

    name: str
    path: str
    size: tuple[int, int] = DESKTOP
    language: str = "en-GB"
    dark: bool = False


SHOTS = (
    Shot("console-live", "/"),
    Shot("console-live-phone", "/", PHONE, "cs-CZ"),
    Shot("console-review-dark", "/review", dark=True),
    Shot("console-sighting", "/sightings/{sighting}", (1280, 1150)),
    Shot("console-list", "/lists/one?list=residents", (1280, 1000)),
    Shot("console-zones", f"/cameras/{CAMERA}/view", (1280, 1150)),
    Shot("console-statistics-cs", "/statistics", language="cs-CZ"),
)


def main() -> None:
    """Run the clip over a registry of its own, open the console, photograph it."""
    clip, out = Path(sys.argv[1]), Path(sys.argv[2])
    with tempfile.TemporaryDirectory(prefix="roadside-pictures-") as name:
        folder = Path(name)
        os.environ["XDG_CONFIG_HOME"] = str(folder / "config")
        db = folder / "street.db"
        watch(clip, folder, db)
        settings = load_settings({"db": db, "console_port": 0, "camera": CAMERA})
        records = open_records(settings)
        views = CameraViews(settings, lambda *_: None)
        board = CameraBoard(views)
        show(board, clip)
        views.save(CAMERA, DRAWN)
        desk = open_desk(records, settings, board)
        desk.known.put_list("residents", Action.OPEN)
        for plate, whose, flat in (("AB12 CDE", "Eva", "3"), ("XY34 FGH", "Jan", "3"), ("KL56 MNP", "Petra", "7")):
            desk.known.enter("residents", {"plate": plate, "country": "UK", "name": whose, "group": flat})
        server = ConsoleServer(desk)
        address = server.listen()
        waiting, _ = desk.reviews.next()
        newest = waiting.sighting_id if waiting is not None else ""
        desk.access.accept(desk.access.invite("eva", Role.ADMIN), PASSWORD)
        with server.beside(), sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
            for shot in SHOTS:
                take(browser, address, shot, newest, out)
            browser.close()
        records.close()


def watch(clip: Path, folder: Path, db: Path) -> None:
    """The clip's vehicles in a database; one of them needs a person."""
    lists = [folder / "vignettes.csv", folder / "exemptions.csv"]
    roadside = [sys.executable, "-m", "roadside.cli"]
    made = [str(clip.with_suffix(".tsv")), *map(str, lists), "--near"]
    for command in (
        [sys.executable, "demo/registry.py", *made],
        [*roadside, "registry", "import", str(lists[0]), "--db", str(db)],
        [*roadside, "registry", "exempt", str(lists[1]), "--db", str(db)],
        [*roadside, "run", str(clip), "--db", str(db), "--camera", CAMERA, "--recorded-at", "now"],
    ):
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def show(board: CameraBoard, clip: Path) -> None:
    """A picture of the camera in which a vehicle is near."""
    video = cv2.VideoCapture(str(clip))
    video.set(cv2.CAP_PROP_POS_MSEC, 2400)
    read, image = video.read()
    video.release()
    assert read, f"{clip} cannot be read"  # noqa: S101 - made by the command that calls this
    board.note(FrameReport(Frame(CameraId(CAMERA), 1, 1, image), (), ()))  # type: ignore[arg-type]


def take(browser: Browser, address: str, shot: Shot, sighting: str, out: Path) -> None:
    """One picture, as a person sees the page after a moment."""
    width, height = shot.size
    context = browser.new_context(
        viewport={"width": width, "height": height},
        locale=shot.language,
        color_scheme="dark" if shot.dark else "light",
    )
    context.set_default_timeout(120_000)
    page = context.new_page()
    page.goto(f"{address}/sign-in")
    page.fill("[name=name]", "eva")
    page.fill("[name=password]", PASSWORD)
    page.click("button.main")
    page.wait_for_selector("[data-cards]", state="attached")
    page.goto(address + shot.path.format(sighting=sighting))
    page.wait_for_load_state("networkidle" if shot.path != "/" and "/cameras/" not in shot.path else "load")
    page.wait_for_timeout(2500)
    page.screenshot(path=str(out / f"{shot.name}.png"))
    context.close()


if __name__ == "__main__":
    main()
