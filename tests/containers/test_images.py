"""The images as they were built."""

from __future__ import annotations

import os
import subprocess
import urllib.request
from typing import TYPE_CHECKING

import pytest

from tests.containers.stack import BESIDE, KEEPERS, ROOT, SERVICES, WHOLE, compose_program, docker, inspect
from tests.manifests.documents import built_images
from tests.manifests.test_promises import VERSION
from tests.ports import reserved_port
from tests.waiting import wait_for

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.containers
LARGEST_BYTES = {"detector": 350_000_000, "capture": 430_000_000, "roadside": 590_000_000}
"""Those with a camera or a net: docs/operations.md has what they weigh."""
UNWANTED = ("sh", "bash", "gcc", "cc", "make", "pip", "apt-get", "dpkg", "perl", "curl", "su")


def image(name: str) -> str:
    return f"roadside.local/{name}:{VERSION}"


def test_all_are_there() -> None:
    assert built_images() == {*SERVICES, *BESIDE, *WHOLE, *KEEPERS}


@pytest.mark.parametrize("name", [*SERVICES, *BESIDE, *WHOLE, *KEEPERS])
def test_config(name: str) -> None:
    found = inspect(image(name))
    assert found["Config"]["User"] == "10001:10001"
    labels = found["Config"]["Labels"]
    for label in ("title", "description", "licenses", "version", "revision", "created", "vendor"):
        assert labels[f"org.opencontainers.image.{label}"]
    assert labels["org.opencontainers.image.version"] == VERSION
    if name not in ("disk", *WHOLE):  # nobody inside could ask; a command that ends has no health
        assert found["Config"]["Healthcheck"]["Test"][0] == "CMD"


@pytest.mark.parametrize("name", LARGEST_BYTES)
def test_images_are_small(name: str) -> None:
    assert inspect(image(name))["Size"] < LARGEST_BYTES[name]


def test_the_detector_has_the_net_of_smaller_plates_too() -> None:
    lines = (
        "from roadside.assembly.models import open_named_detector",
        "from roadside.assembly.settings import DetectorSettings, load_service_settings",
        "from roadside.core.detect import Search",
        "settings = load_service_settings(DetectorSettings, {'quality': 'best'}, {})",
        "print(settings.detector_folder().name, open_named_detector(settings, Search.FAST) is not None)",
    )
    told = docker("run", "--rm", "--entrypoint", "python", image("detector"), "-c", "\n".join(lines))
    assert told.splitlines()[-1] == "detector_large True"


@pytest.mark.parametrize(("name", "has"), [("capture", True), ("roadside", True), ("detector", False)])
def test_video_is_decoded_by_pyav_where_cameras_are_opened_and_weighs_nowhere_else(name: str, *, has: bool) -> None:
    look = "import importlib.util as u; print(u.find_spec('av') is not None and __import__('av').library_versions)"
    told = docker("run", "--rm", "--entrypoint", "python", image(name), "-c", look)
    assert ("libavcodec" in told) == has


@pytest.mark.parametrize("name", [*SERVICES, *BESIDE, *WHOLE, "redis", "prometheus"])
def test_no_tools_inside(name: str) -> None:
    container = docker("create", "--entrypoint", "none", image(name))
    try:
        listed = subprocess.run(["docker", "export", container], stdout=subprocess.PIPE, check=True)
        names = subprocess.run(["tar", "-t"], input=listed.stdout, capture_output=True, check=True).stdout.decode()
    finally:
        docker("rm", container)
    programs = {path.rpartition("/")[2] for path in names.split() if "/bin/" in f"/{path}" or "/sbin/" in f"/{path}"}
    assert not programs & set(UNWANTED)


def test_one_line_reads_a_photograph() -> None:
    mounted = f"{ROOT / 'examples'}:/pictures:ro"
    told = docker("run", "--rm", "--read-only", "-v", mounted, image("roadside"), "read", "/pictures/street.jpg")
    assert "HK47TVN" in told
    assert "9K74182" in told


def test_ten_lines_watch_a_source_and_show_it(tmp_path: Path) -> None:
    port, project = reserved_port(), f"roadside-one-{os.getpid()}"
    text = (ROOT / "examples" / "compose.yaml").read_text().replace("127.0.0.1:8080:8080", f"127.0.0.1:{port}:8080")
    data = '"data:/var/lib/roadside"'
    (tmp_path / "compose.yaml").write_text(text.replace(data, f'{data}, "{ROOT / "examples"}:/pictures:ro"'))
    environment = {**os.environ, "ROADSIDE_IMAGE": image("roadside"), "ROADSIDE_SOURCE": "/pictures/street.jpg"}

    def compose(*arguments: str) -> str:
        command = [*compose_program(), "-p", project, "-f", str(tmp_path / "compose.yaml"), *arguments]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        return done.stdout + done.stderr

    try:
        compose("up", "-d")
        wait_for(lambda: "password" in compose("logs"), "the link of the first administrator", 120, every_s=2.0)
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=30) as page:
            assert b"Roadside" in page.read()
    finally:
        compose("down", "--volumes", "--timeout", "5")
