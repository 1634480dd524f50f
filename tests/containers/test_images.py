"""The images as they were built."""

from __future__ import annotations

import subprocess

import pytest

from tests.containers.stack import BESIDE, KEEPERS, SERVICES, docker, inspect
from tests.manifests.documents import built_images
from tests.manifests.test_promises import VERSION

pytestmark = pytest.mark.containers
LARGEST_DETECTOR_BYTES = 350_000_000
UNWANTED = ("sh", "bash", "gcc", "cc", "make", "pip", "apt-get", "dpkg", "perl", "curl", "su")


def image(name: str) -> str:
    return f"roadside.local/{name}:{VERSION}"


def test_all_are_there() -> None:
    assert built_images() == {*SERVICES, *BESIDE, *KEEPERS}


@pytest.mark.parametrize("name", [*SERVICES, *BESIDE, *KEEPERS])
def test_config(name: str) -> None:
    found = inspect(image(name))
    assert found["Config"]["User"] == "10001:10001"
    labels = found["Config"]["Labels"]
    for label in ("title", "description", "licenses", "version", "revision", "created", "vendor"):
        assert labels[f"org.opencontainers.image.{label}"]
    assert labels["org.opencontainers.image.version"] == VERSION
    if name != "disk":  # it has nobody inside who could ask
        assert found["Config"]["Healthcheck"]["Test"][0] == "CMD"


def test_the_detector_is_small() -> None:
    assert inspect(image("detector"))["Size"] < LARGEST_DETECTOR_BYTES


@pytest.mark.parametrize("name", [*SERVICES, *BESIDE, "redis", "prometheus"])
def test_no_tools_inside(name: str) -> None:
    container = docker("create", "--entrypoint", "none", image(name))
    try:
        listed = subprocess.run(["docker", "export", container], stdout=subprocess.PIPE, check=True)
        names = subprocess.run(["tar", "-t"], input=listed.stdout, capture_output=True, check=True).stdout.decode()
    finally:
        docker("rm", container)
    programs = {path.rpartition("/")[2] for path in names.split() if "/bin/" in f"/{path}" or "/sbin/" in f"/{path}"}
    assert not programs & set(UNWANTED)
