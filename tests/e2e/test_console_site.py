"""A site of several cameras in the console: what is drawn for one is written for it, and touches no other."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from roadside.assembly.site import parse_site
from roadside.core.frames import CameraId
from tests.browsers import CHROMIUM, page_of, set_password, started_chromium
from tests.e2e.test_console_browser import violations
from tests.waiting import PLENTY_S, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="chromium is missing: `make dev` installs it")

SITE = """# the yard of the works
[camera.a]
source = "{a}"
zones = [[[0.1, 0.1], [0.9, 0.1], [0.9, 0.9], [0.1, 0.9]]]  # but for the gate

[camera.b]
source = "{b}"
least_width = 60
"""


def clip(path: Path, shade: int) -> Path:
    """Two seconds of nothing much."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 10, (640, 360))
    for number in range(20):
        picture = np.full((360, 640, 3), shade, np.uint8)
        cv2.rectangle(picture, (20 * number, 100), (20 * number + 80, 180), (255 - shade,) * 3, -1)
        writer.write(picture)
    writer.release()
    return path


@pytest.fixture
def site(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """The first link of a run of two cameras, and its file."""
    file, log = tmp_path / "site.toml", tmp_path / "log"
    file.write_text(SITE.format(a=clip(tmp_path / "a.avi", 60), b=clip(tmp_path / "b.avi", 180)), encoding="utf-8")
    command = [sys.executable, "-m", "roadside.cli", "run", "--config", str(file), "--db", str(tmp_path / "s.db"),
               "--console", "--console-port", "0"]  # fmt: skip
    with log.open("w") as out:
        process = subprocess.Popen(
            command, stderr=out, stdout=subprocess.DEVNULL, cwd=tmp_path, env={**os.environ, "HOME": str(tmp_path)}
        )
        try:
            wait_for(lambda: "/welcome/" in log.read_text(), f"a link in {log}")
            yield re.findall(r"http\S+/welcome/\S+", log.read_text())[0], file
        finally:
            process.send_signal(signal.SIGINT)
            assert process.wait(PLENTY_S) in {0, 130}, log.read_text()[-2000:]


def test_a_zone_of_one_camera_touches_no_other(site: tuple[str, Path]) -> None:
    link, file = site
    before = parse_site(file.read_text(), file).view(CameraId("a"))
    address = re.sub("/welcome/.*", "", link)
    with started_chromium() as chromium, page_of(chromium) as page:
        set_password(page, link)
        page.goto(f"{address}/cameras/b/view")
        page.wait_for_function("document.querySelector('.drawing img').naturalWidth > 300")
        assert violations(page) == []
        page.click("[data-put]")
        page.click("[data-add=mask]")
        page.click("[data-put]")
        page.click("text=Look so from now on")
        page.wait_for_selector("text=It looks so from now on")
        assert violations(page) == []
        for width, dark in ((360, False), (1280, True)):
            with page_of(chromium, width=width, dark=dark) as other:
                other.context.add_cookies(page.context.cookies())
                other.goto(f"{address}/cameras/b/view")
                assert other.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
                assert violations(other) == []
        page.goto(f"{address}/cameras/a/view")
        drawn = page.evaluate("JSON.parse(document.querySelector('[name=drawn]').value)")
        assert drawn["zones"] == [[[0.1, 0.1], [0.9, 0.1], [0.9, 0.9], [0.1, 0.9]]]
        assert not drawn.get("masks")
        written = parse_site(file.read_text(), file)
        assert written.view(CameraId("a")) == before
        changed = written.view(CameraId("b"))
        assert (len(changed.zones), len(changed.masks), changed.least_width_px) == (1, 1, 60)
        assert "# the yard of the works" in file.read_text()
        assert "# but for the gate" in file.read_text()
