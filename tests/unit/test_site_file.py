"""What is drawn on a camera's picture goes into the file of settings, and nothing else in it changes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some

from roadside.adapters.site_file import with_view, write_view
from roadside.assembly.site import parse_site
from roadside.core.frames import CameraId
from roadside.core.outline import Line, Polygon
from roadside.core.view import Flip, View
from roadside.errors import SettingsError

SQUARE = Polygon(((0.1, 0.1), (0.6, 0.1), (0.6, 0.5), (0.1, 0.5)))
DRAWN = View(
    rotation=90,
    flip=Flip.HORIZONTAL,
    zones=(SQUARE,),
    masks=(SQUARE, SQUARE),
    line=Line((0.0, 0.7), (1.0, 0.7), (0.5, 0.95)),
    least_width_px=40,
)
WRITTEN = """# Two cameras of a drive.
db = "street.db"  # on the other disk

[camera.gate]
source = "rtsp://user:secret@192.0.2.7/one"  # the newest firmware
zones = [
  [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0]],  # all but the sky
]
least_width = 20

[camera.gate.line]
start = [0.0, 0.5]
end = [1.0, 0.5]
inwards = [0.5, 0.9]

[camera.gate.schedule]
hours = ["06:00-22:00"]

[camera."back yard"]
source = "/dev/video0"
"""


def view_in(text: str, camera: str) -> View:
    return parse_site(text, Path("site.toml")).view(CameraId(camera))


@pytest.mark.parametrize("camera", ["gate", "back yard", "new.one", "č"])
def test_a_drawn_view_is_read_again(camera: str) -> None:
    assert view_in(with_view(WRITTEN, camera, DRAWN), camera) == DRAWN


def test_the_rest_of_the_file_stays_as_people_wrote_it() -> None:
    made = with_view(WRITTEN, "gate", DRAWN)
    for kept in ("# Two cameras of a drive.", "# on the other disk", "# the newest firmware", '[camera."back yard"]'):
        assert kept in made
    site = parse_site(made, Path("site.toml"))
    source = site.cameras[CameraId("gate")].source
    assert source is not None
    assert source.get_secret_value() == "rtsp://user:secret@192.0.2.7/one"
    assert site.view(CameraId("back yard")) == View()


def test_what_is_taken_away_is_gone() -> None:
    assert view_in(with_view(WRITTEN, "gate", View()), "gate") == View()
    again = with_view(with_view(WRITTEN, "gate", View()), "gate", DRAWN)
    assert view_in(again, "gate") == DRAWN


def test_hours_stay() -> None:
    before = view_in(WRITTEN, "gate")
    assert before.schedule is not None
    assert view_in(with_view(WRITTEN, "gate", before), "gate") == before


@given(name=some.text(some.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), min_size=1, max_size=20))
def test_any_name_of_a_camera_can_be_written(name: str) -> None:
    if name.isprintable():
        assert view_in(with_view(WRITTEN, name, DRAWN), name) == DRAWN


def test_a_new_file_is_for_its_owner_alone_and_an_old_one_keeps_its_rights(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "site.toml"
    write_view(path, "gate", DRAWN)
    assert path.stat().st_mode & 0o777 == 0o600
    path.chmod(0o640)
    write_view(path, "gate", View())
    assert path.stat().st_mode & 0o777 == 0o640
    assert [each.name for each in path.parent.iterdir()] == ["site.toml"]


@pytest.mark.parametrize("text", ['camera = "gate"\n', "[camera.gate\n", "camera = 3\n"])
def test_a_file_that_cannot_be_changed_stays(tmp_path: Path, text: str) -> None:
    path = tmp_path / "site.toml"
    path.write_text(text)
    with pytest.raises(SettingsError, match=r"site\.toml|camera"):
        write_view(path, "gate", DRAWN)
    assert path.read_text() == text


MEASURED = """[camera.gate]
source = "rtsp://192.0.2.7/one"
motion_gate = true  # traffic never stops

[camera.gate.speed]
# from the manhole to the lamp, by tape
first = [[0.1, 0.4], [0.8, 0.4]]
second = [[0.0, 0.8], [0.9, 0.8]]
distance_m = 12.0  # measured in May
camera_height_m = 4.5
time_error_s = 0.2  # snapshots
plate_height_m = 0.5  # of cars

[camera.back]
source = "/dev/video0"
"""


def test_two_lines_stay_as_they_were_written_where_something_else_is_drawn() -> None:
    made = with_view(MEASURED, "gate", replace(view_in(MEASURED, "gate"), zones=(SQUARE,)))
    begin, end = MEASURED.index("[camera.gate.speed]"), MEASURED.index("[camera.back]")
    assert MEASURED[begin:end] in made
    assert "motion_gate = true  # traffic never stops" in made
    assert view_in(made, "gate") == replace(view_in(MEASURED, "gate"), zones=(SQUARE,))


def test_of_two_lines_only_what_was_changed_is_written_anew() -> None:
    before = view_in(MEASURED, "gate").speed
    assert before is not None
    moved = replace(before, first=((0.2, 0.3), (0.7, 0.3)), distance_m=15.0, distance_error_m=0.3)
    made = with_view(MEASURED, "gate", View(speed=moved))
    assert view_in(made, "gate") == View(speed=moved)
    for kept in (
        "# from the manhole to the lamp, by tape",
        "15.0  # measured in May",
        "0.2  # snapshots",
        "0.5  # of cars",
    ):
        assert kept in made
    assert "distance_error_m" not in made, "2 % is what counts where nothing is said"
    surer = with_view(made, "gate", View(speed=replace(moved, distance_error_m=0.1)))
    assert view_in(surer, "gate").speed == replace(moved, distance_error_m=0.1)
    assert view_in(with_view(surer, "gate", View()), "gate") == View()
