"""The console beside a camera that streams over RTSP: from the first start to an exported sample, and a zone obeyed."""

from __future__ import annotations

import csv
import io
import os
import re
import signal
import subprocess
import sys
import zipfile
from typing import TYPE_CHECKING

import cv2
import pytest

from roadside.assembly.site import parse_site
from roadside.core.frames import CameraId
from tests.browsers import CHROMIUM, page_of, set_password, started_chromium
from tests.cameras import rtsp_of_pictures, rtsp_server
from tests.waiting import PLENTY_S, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Page

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="chromium is missing: `make dev` installs it")

FPS = 5
EMPTY_S = 24
"""Longer than a vehicle may be hidden and still be the same passage."""


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pictures of the rendered street, then an empty road for a while; beside them what it shows."""
    folder = tmp_path_factory.mktemp("street")
    clip = folder / "street.mp4"
    subprocess.run([sys.executable, "-m", "models.synth.street", "--out", str(clip)], check=True, capture_output=True)
    video = cv2.VideoCapture(str(clip))
    every, taken, number = round(video.get(cv2.CAP_PROP_FPS) / FPS), 0, 0
    while (read := video.read())[0]:
        if taken % every == 0:
            cv2.imwrite(str(folder / f"{number:05d}.jpg"), read[1])
            number += 1
        taken += 1
    video.release()
    for _ in range(EMPTY_S * FPS):
        (folder / f"{number:05d}.jpg").symlink_to("00000.jpg")
        number += 1
    return folder


@pytest.fixture
def watched(street: Path, tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """The first link that a run prints, and the file in which it sets what a camera looks at."""
    log, home = tmp_path / "log", tmp_path / "home"
    with rtsp_server(rtsp_of_pictures(street, FPS)) as (address, _), log.open("w") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "roadside.cli", "run", address, "--camera", "gate", "--db", str(tmp_path / "a.db"),
             "--console", "--console-port", "0"],
            env={**os.environ, "XDG_CONFIG_HOME": str(home)}, stdout=subprocess.DEVNULL, stderr=file, cwd=tmp_path,
        )  # fmt: skip
        try:
            wait_for(lambda: "/welcome/" in log.read_text(), f"a link in {log}")
            (link,) = re.findall(r"http\S+/welcome/\S+", log.read_text())
            yield link, home / "roadside" / "site.toml"
        finally:
            process.send_signal(signal.SIGINT)
            assert process.wait(PLENTY_S) == 130, log.read_text()[-2000:]


def near_list(street: Path) -> str:
    """A list that holds a near plate of each vehicle, so that a person must look."""
    rows = ["plate,country,valid_from,valid_to"]
    with (street / "street.tsv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            near = row["plate"][:-1] + ("E" if row["plate"][-1] != "E" else "F")
            rows.append(f"{near},{row['country']},2020-01-01,2099-12-31")
    return "\n".join(rows) + "\n"


def test_from_a_camera_to_a_sample_and_a_zone_is_obeyed(
    watched: tuple[str, Path], street: Path, tmp_path: Path
) -> None:
    link, site = watched
    address = re.sub("/welcome/.*", "", link)
    (tmp_path / "list.csv").write_text(near_list(street), encoding="utf-8")
    with started_chromium() as chromium, page_of(chromium) as page:
        set_password(page, link)
        page.goto(f"{address}/registry")
        page.set_input_files("[name=file]", tmp_path / "list.csv")
        page.click("text=Look at it")
        page.click("text=Take it in")
        page.wait_for_selector("text=list.csv (admin)")
        page.goto(f"{address}/")
        page.wait_for_selector("article.review")
        page.goto(f"{address}/review")
        wanted = page.get_attribute("[name=sighting]", "value")
        page.keyboard.press("Enter")
        page.wait_for_selector(f"[name=sighting]:not([value='{wanted}']), .empty", state="attached")
        sample = page.request.get(f"{address}/review/training.zip")
        with zipfile.ZipFile(io.BytesIO(sample.body())) as archive:
            assert {name.rpartition(".")[0] for name in archive.namelist()} == {wanted, "crops"}
        zone_in_the_sky(page, address)
        view = parse_site(site.read_text(), site).view(CameraId("gate"))
        assert len(view.zones) == 1
        assert max(y for _, y in view.zones[0].points) < 0.2

        def counts() -> tuple[int, int]:
            return counted(page.request.get(f"{address}/cameras").text())

        # A minute later, vehicles have passed that were found and not read.
        wait_for(lambda: counts()[0] > 0 and counts()[1] == 0, "a minute in which nothing was read", 2 * PLENTY_S)
        page.goto(f"{address}/cameras/gate/view")

        page.focus("[aria-label='zone 1, corner 1']")
        page.click("[data-remove]")
        page.click("text=Look so from now on")
        page.wait_for_selector("text=It looks so from now on")
        wait_for(lambda: counts()[1] > 0, "a plate that is read again", 2 * PLENTY_S)


def zone_in_the_sky(page: Page, address: str) -> None:
    """Draw by mouse, move a corner by keyboard, try, save."""
    page.goto(f"{address}/cameras/gate/view")
    page.wait_for_function("document.querySelector('.drawing img').naturalWidth > 300")
    box = page.locator("[data-canvas]").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 10, box["y"] + 10)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.2, box["y"] + box["height"] * 0.1, steps=4)
    page.mouse.up()
    before = page.input_value("[name=drawn]")
    page.keyboard.press("Shift+ArrowRight")
    assert page.input_value("[name=drawn]") != before
    page.click("text=Try it on the last minute")
    page.wait_for_selector("#trial .numbers, #trial .empty")
    if page.is_visible("#trial .numbers"):
        assert page.text_content("#trial dt:has-text('would have been read') + dd") == "0"
    page.click("text=Look so from now on")
    page.wait_for_selector("text=It looks so from now on")


def counted(page: str) -> tuple[int, int]:
    """Plates found and read in the last minute, as the page of cameras says."""
    found = re.search(r"(\d+) plates? found in the last minute, (\d+) read", page)
    return (int(found[1]), int(found[2])) if found else (0, 0)
