"""The Python API: what it takes, what it gives, what it says, and what importing it costs."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest
from PIL import Image

import roadside
from roadside import ALPR, Plate, Plates, api
from roadside.assembly.settings import Settings
from roadside.errors import ModelError, RoadsideError, SettingsError, SourceError
from tests.waiting import PLENTY_S

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    from numpy.typing import NDArray

ROOT = Path(__file__).parents[2]
STREET = ROOT / "examples" / "street.jpg"
TEXTS = ["9K74182", "HK47TVN"]
SERVER_PACKAGES = {"grpc", "redis", "prometheus_client", "sqlalchemy", "alembic", "psycopg", "paho", "google.protobuf"}


@pytest.fixture(scope="module")
def alpr() -> ALPR:
    return ALPR()


@pytest.fixture(scope="module")
def street(alpr: ALPR) -> Plates:
    return alpr.read(STREET)


def array() -> NDArray[Any]:
    image = cv2.imread(str(STREET))
    assert image is not None
    return image


GIVEN: dict[str, Callable[[], Any]] = {
    "path": lambda: STREET,
    "name": lambda: str(STREET),
    "bytes": STREET.read_bytes,
    "array": array,
    "array of every second column of a wider one": lambda: np.repeat(array(), 2, axis=1)[:, ::2],
    "Pillow": lambda: Image.open(STREET),
    "Pillow, with transparency": lambda: Image.open(STREET).convert("RGBA"),
}


@pytest.mark.parametrize("given", GIVEN)
def test_a_picture_can_be_given_in_many_ways(alpr: ALPR, given: str) -> None:
    plates = alpr.read(GIVEN[given]())
    assert [p.text for p in plates] == TEXTS
    assert plates.source == (str(STREET) if given in {"path", "name"} else None)


def test_a_turned_picture_of_pillow_is_read_upright(alpr: ALPR) -> None:
    data = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = 8
    Image.open(STREET).transpose(Image.Transpose.ROTATE_270).save(data, "JPEG", quality=95, exif=exif)
    plates = alpr.read(Image.open(data))
    assert (plates.width, plates.height) == (1280, 720)
    assert set(TEXTS) <= {p.text for p in plates}


def test_a_plate_tells_what_it_is_and_where(street: Plates) -> None:
    plate = street[0]
    assert (plate.text, plate.raw, plate.country) == ("9K74182", "9K74182", "CZ")
    assert 0.9 < plate.confidence <= 1
    assert "".join(c.text for c in plate.characters) == plate.text
    assert all(0.5 < c.confidence <= 1 for c in plate.characters)
    assert plate.box.x1 == pytest.approx(953, abs=15)
    assert plate.box.y2 == pytest.approx(694, abs=15)
    assert plate.corners is not None
    xs, ys = zip(*plate.corners, strict=True)
    assert abs(min(xs) - plate.box.x1) < 15
    assert abs(max(ys) - plate.box.y2) < 15
    assert 0.3 <= plate.detector_score <= 1


def test_plates_are_a_sequence_that_shows_itself(street: Plates) -> None:
    assert len(street) == 2
    assert street[1:] == (street[1],)
    assert street[0] in street
    assert [p.text for p in reversed(street)] == TEXTS[::-1]
    assert repr(street).startswith("Plates([Plate('9K74182', country='CZ', confidence=1.00), Plate('HK47TVN'")
    assert repr(Plates((), street.image)) == "Plates([])"


def test_a_picture_without_a_plate_gives_an_empty_sequence(alpr: ALPR) -> None:
    plates = alpr.read(np.full((480, 640, 3), 127, np.uint8))
    assert not plates
    assert np.array_equal(plates.draw(), plates.image)


def test_what_is_drawn_is_a_copy_with_marks_at_the_plates(street: Plates) -> None:
    before = street.image.copy()
    drawn = street.draw()
    assert np.array_equal(street.image, before)
    changed = np.argwhere((drawn != before).any(axis=2))
    for plate in street:
        near = np.abs(changed - [plate.box.y1, plate.box.x1]).max(axis=1)
        assert near.min() < 5
    assert len(changed) < before.shape[0] * before.shape[1] / 20


def test_its_json_is_what_the_command_prints(street: Plates) -> None:
    command = [sys.executable, "-W", "error", "-m", "roadside.cli", "read", "--json", str(STREET)]
    printed = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    ours = street.to_json()
    assert list(printed) == list(ours)
    assert list(printed.pop("elapsed_ms")) == list(ours.pop("elapsed_ms"))
    assert json.dumps(printed) == json.dumps(ours)


@pytest.mark.parametrize(
    ("picture", "fault"),
    [
        ("nowhere.jpg", "nowhere.jpg: no such file"),
        (ROOT, "is a folder"),
        (b"", "not a picture"),
        (b"text", "not a picture"),
        (STREET.read_bytes()[:9000], "cut short|damaged"),
        (np.zeros((10, 10), np.uint8), r"\(10, 10\) uint8"),
        (np.zeros((10, 10, 4), np.uint8), r"\(10, 10, 4\) uint8"),
        (np.zeros((10, 10, 3), np.float32), "float32"),
        (np.zeros((0, 10, 3), np.uint8), r"\(0, 10, 3\)"),
        (None, "None .cv2.imread"),
        (7, "not int"),
    ],
)
def test_what_is_no_picture_is_told_in_one_line(alpr: ALPR, picture: object, fault: str) -> None:
    with pytest.raises(SourceError, match=fault) as caught:
        alpr.read(picture)  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)
    assert isinstance(caught.value, RoadsideError)


@pytest.mark.parametrize("size", [(1, 1), (1, 900), (900, 1), (3, 5)])
def test_the_smallest_pictures_hold_no_plate(alpr: ALPR, size: tuple[int, int]) -> None:
    assert not alpr.read(np.zeros((*size, 3), np.uint8))


def test_options_are_the_settings_and_are_checked(tmp_path: Path) -> None:
    assert set(api.Options.__annotations__) <= set(Settings.model_fields)
    with pytest.raises(TypeError, match=r"no option 'treads'; there are .*threads"):
        ALPR(treads=2)  # type: ignore[call-arg]
    with pytest.raises(SettingsError, match="threads"):
        ALPR(threads=0)
    with pytest.raises(SettingsError, match="search"):
        ALPR(search="hard")  # type: ignore[arg-type]
    with pytest.raises(SettingsError, match="runtime"):
        ALPR(runtime="tensorrt")
    with pytest.raises(ModelError, match=r"labelmap\.txt"):
        ALPR(modeldir=tmp_path)


def test_options_change_what_is_read(alpr: ALPR) -> None:
    assert not ALPR(score=0.99).read(STREET)
    assert len(ALPR(search="fast", threads=2, confidence=0.9).read(STREET)) == len(alpr.read(STREET))


def test_threads_may_share_it(alpr: ALPR, street: Plates) -> None:
    turned = np.ascontiguousarray(street.image[:, ::-1])
    together = threading.Barrier(4)

    def read(number: int) -> list[Plate]:
        together.wait(PLENTY_S)
        return [plate for _ in range(5) for plate in alpr.read(STREET if number % 2 else turned)]

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(read, range(4)))
    alone = list(alpr.read(turned))
    assert found[1] == found[3] == list(street) * 5
    assert found[0] == found[2] == alone * 5


def imported(program: str) -> set[str]:
    """The modules that a program imports."""
    run = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", program], capture_output=True, text=True, check=True
    )
    return {line.rpartition("|")[2].strip() for line in run.stderr.splitlines() if line.startswith("import time:")}


def test_importing_it_brings_no_heavy_package() -> None:
    names = imported("import roadside; from roadside import ALPR, Plates")
    assert "roadside.api" in names
    assert not {name.split(".")[0] for name in names} & (SERVER_PACKAGES | {"numpy", "cv2", "PIL", "pydantic"})
    assert "roadside.api" not in imported("import roadside")


def test_reading_brings_no_package_of_servers() -> None:
    names = imported(f"from roadside import ALPR; assert len(ALPR().read({str(STREET)!r})) == 2")
    assert {"numpy", "cv2"} <= names
    assert not {name for package in SERVER_PACKAGES for name in names if f"{name}.".startswith(f"{package}.")}


@pytest.mark.parametrize("module", [roadside, api])
def test_every_public_name_is_there(module: ModuleType) -> None:
    assert {name for name in module.__all__ if not hasattr(module, name)} == set()
    assert set(module.__all__) <= set(dir(module))
    with pytest.raises(AttributeError, match="no attribute 'no_such_name'"):
        _ = module.no_such_name
