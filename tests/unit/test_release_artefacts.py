from __future__ import annotations

import hashlib
import io
import json
import tarfile
import zipfile
from typing import TYPE_CHECKING

import pytest

from release.artefacts import SDIST, sdist_faults, unlisted, wheel_faults

if TYPE_CHECKING:
    from pathlib import Path

VERSION = "1.2.3"
NET = b"a net"
GOOD = {
    "roadside/__init__.py": b"",
    "roadside/core/plates.py": b"",
    "roadside/py.typed": b"",
    "roadside/adapters/sql/migrations/script.py.mako": b"",
    "roadside/weights/detect.tflite": NET,
    "roadside/weights/SHA256SUMS": f"{hashlib.sha256(NET).hexdigest()}  detect.tflite\n".encode(),
    "roadside-1.2.3.dist-info/METADATA": b"Metadata-Version: 2.4\nName: roadside\nVersion: 1.2.3\n",
}


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    for name in ("__init__.py", "core/plates.py"):
        path = tmp_path / "services" / "roadside" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return tmp_path


def faults_of(checkout: Path, content: dict[str, bytes]) -> list[str]:
    wheel = checkout / "roadside-1.2.3-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for name, data in content.items():
            archive.writestr(name, data)
    return wheel_faults(wheel, checkout, VERSION)


def test_a_whole_wheel_has_no_fault(checkout: Path) -> None:
    assert faults_of(checkout, GOOD) == []


@pytest.mark.parametrize("name", sorted(GOOD))
def test_whatever_is_missing_is_a_fault(checkout: Path, name: str) -> None:
    faults = faults_of(checkout, {each: data for each, data in GOOD.items() if each != name})
    assert any(name in fault or "metadata says version None" in fault for fault in faults)


@pytest.mark.parametrize(
    "name", ["tests/test_a.py", "models/train.py", "roadside/tests/a.py", "roadside/a.pyc", "roadside/tls.key"]
)
def test_what_does_not_belong_is_a_fault(checkout: Path, name: str) -> None:
    assert faults_of(checkout, GOOD | {name: b""}) == [f"{name} does not belong here"]


def test_changed_weights_are_a_fault(checkout: Path) -> None:
    faults = faults_of(checkout, GOOD | {"roadside/weights/detect.tflite": b"another"})
    assert faults == ["weights/detect.tflite is not what SHA256SUMS says"]


def test_another_version_is_a_fault(checkout: Path) -> None:
    metadata = {"roadside-1.2.3.dist-info/METADATA": b"Name: roadside\nVersion: 1.2.4\n"}
    assert faults_of(checkout, GOOD | metadata) == ["its metadata says version 1.2.4, not 1.2.3"]


def test_a_heavy_wheel_is_a_fault(checkout: Path) -> None:
    (fault,) = faults_of(checkout, GOOD | {"roadside/weights/SPARE": bytes(20_000_001)})
    assert fault.endswith("at most 20000000")


def sdist_of(folder: Path, names: dict[str, bytes]) -> Path:
    sdist = folder / "roadside-1.2.3.tar.gz"
    with tarfile.open(sdist, "w:gz") as archive:
        for name, data in names.items():
            member = tarfile.TarInfo(f"roadside-1.2.3/{name}")
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return sdist


def test_an_sdist_holds_what_a_build_needs_and_no_tests(tmp_path: Path) -> None:
    good = dict.fromkeys(SDIST, b"") | {"PKG-INFO": b"Name: roadside\nVersion: 1.2.3\n"}
    assert sdist_faults(sdist_of(tmp_path, good), VERSION) == []
    bad = {name: data for name, data in good.items() if name != "LICENSE"} | {"tests/test_a.py": b""}
    faults = sdist_faults(sdist_of(tmp_path, bad), VERSION)
    assert faults == ["LICENSE is missing", "roadside-1.2.3/tests/test_a.py does not belong here"]
    assert sdist_faults(sdist_of(tmp_path, good), "1.2.4")


def test_a_bill_lists_all_that_is_installed_in_its_version() -> None:
    bill = json.dumps({"components": [{"name": "NumPy", "version": "1.26.4"}, {"name": "redis", "version": "5.0.0"}]})
    assert unlisted(bill, {"numpy": "1.26.4", "redis": "5.0.0"}) == []
    assert unlisted(bill, {"redis": "5.0.1"}) == ["redis 5.0.1 is installed, it says 5.0.0"]
    assert unlisted(bill, {"pillow": "11.0"}) == ["pillow 11.0 is installed, it says None"]
