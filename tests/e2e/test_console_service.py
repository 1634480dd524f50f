"""The console as a service: in a real browser, over the real plates, registry, capture and detector services."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from roadside.client import PlatesClient
from roadside.core.sightings import VerdictKind
from tests.browsers import CHROMIUM, page_of, set_password, started_chromium
from tests.databases import fresh_postgres, postgres
from tests.ports import reserved_port
from tests.processes import Cluster
from tests.servers import RedisServer, redis_binary
from tests.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="chromium is missing: `make dev` installs it")

LIST = "plate,country,valid_from,valid_to\nLS15EBD,UK,2020-01-01,2099-12-31\n"
TOKEN = "a-token-of-some-length"  # noqa: S105 - of a test


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory, photographs: Path) -> Iterator[Cluster]:
    folder = tmp_path_factory.mktemp("console-cluster")
    redis_server = RedisServer(redis_binary(), folder / "redis")
    with postgres() as server:
        cluster = Cluster(folder, redis_server.url, fresh_postgres(server), {"ROADSIDE_TOKEN": TOKEN})
        try:
            redis_server.start()
            cluster.command("database", "migrate")
            clip = photographs / "clips" / "uk_ls15ebc.mp4"
            capture = cluster.add("capture", cameras=f"north={clip}", loops="0", publish_fps="8", recorded_at="now")
            detector, registry, plates = (cluster.add(name) for name in ("detector", "registry", "plates"))
            cluster.add("ocr")
            console = cluster.add(
                "console",
                plates_address=f"127.0.0.1:{plates.grpc_port}",
                registry_address=f"127.0.0.1:{registry.grpc_port}",
                capture_addresses=f"127.0.0.1:{capture.grpc_port}",
                detector_address=f"127.0.0.1:{detector.grpc_port}",
                console_port=str(reserved_port()),
                db=str(folder / "accounts.db"),
            )
            del console.environment["ROADSIDE_DATABASE_URL"]  # it has accounts of its own, and nothing else
            cluster.start()
            yield cluster
            codes = cluster.stop()
            assert set(codes.values()) == {0}, f"SIGTERM ends every service well: {codes}"
        finally:
            cluster.stop()
            redis_server.stop()


def invited(cluster: Cluster, name: str, role: str) -> str:
    """A link, made as in the console's container."""
    done = subprocess.run(
        [sys.executable, "-m", "roadside.cli", "console", "invite", name, "--role", role],
        env={**os.environ, **cluster.services["console"].environment},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def test_from_a_list_to_a_reviewed_plate_over_the_services(cluster: Cluster, tmp_path: Path) -> None:
    listed = tmp_path / "list.csv"
    listed.write_text(LIST, encoding="utf-8")
    plates_address = f"127.0.0.1:{cluster.services['plates'].grpc_port}"
    link = invited(cluster, "eva", "admin")
    address = re.sub("/welcome/.*", "", link)
    with started_chromium() as chromium, page_of(chromium) as page:
        set_password(page, link)
        page.goto(f"{address}/registry")
        page.set_input_files("[name=file]", listed)
        page.click("text=Look at it")
        page.click("text=Take it in")
        page.wait_for_selector("text=list.csv (eva)")
        page.goto(f"{address}/")
        page.wait_for_selector("article.fresh")
        page.goto(f"{address}/cameras")
        page.wait_for_function("document.querySelector('img[data-live]')?.naturalWidth > 300")
        page.goto(f"{address}/review")
        page.wait_for_selector("[data-key=Enter]")
        wanted = page.get_attribute("[name=sighting]", "value") or ""
        page.click("[data-key=Enter]")
        page.wait_for_selector(f"[name=sighting]:not([value='{wanted}']), .empty", state="attached")
        with PlatesClient(plates_address, token=TOKEN) as plates:
            assert plates.sighting(wanted).verdict.kind is not VerdictKind.REVIEW
        page.goto(f"{address}/sightings/{wanted}")
        assert "for eva" in page.content()
        page.goto(f"{address}/system")
        assert page.is_visible("td:has-text('for eva') >> nth=0")
        page.goto(f"{address}/statistics")
        assert page.is_visible("text=north >> nth=0")


def test_pages_say_so_while_a_service_is_away(cluster: Cluster) -> None:
    link = invited(cluster, "jan", "viewer")
    address = re.sub("/welcome/.*", "", link)
    registry = cluster.services["registry"]
    with started_chromium() as chromium, page_of(chromium) as page:
        set_password(page, link)
        registry.kill()
        answer = page.request.get(f"{address}/registry")
        assert answer.status == 503
        assert "Not possible" in answer.text()
        registry.start()
        registry.wait_ready()
        wait_for(lambda: page.request.get(f"{address}/registry").ok, "the page of the registry")


def test_neither_links_nor_plates_are_in_the_log(cluster: Cluster) -> None:
    console = cluster.services["console"]
    log = console.log.read_text()
    assert "/welcome/" not in log
    assert "LS15EBC" not in log
    assert "Traceback" not in log
    assert console.value("roadside_console_answered_total", status="2xx") > 5
