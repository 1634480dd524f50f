"""Average speed between two cameras."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from roadside.assembly.records import open_records
from roadside.assembly.settings import Settings
from roadside.assembly.site import parse_site
from roadside.cli import main
from roadside.commands.lists import sure
from roadside.core.frames import CameraId
from roadside.core.sightings import Sighting, Verdict, VerdictKind
from roadside.core.speed import Section, average_speed, section_passages
from roadside.errors import SettingsError

if TYPE_CHECKING:
    from pathlib import Path

S = 10**9
T0 = 1_780_000_000 * S
BRIDGE = Section("bridge", CameraId("west"), CameraId("east"), 1000.0, 5.0, 0.2)


def seen(camera: str, at_s: float, plate: str = "AB12CDE", length_s: float = 0.0) -> Sighting:
    at_ns, half = T0 + int(at_s * S), int(length_s / 2 * S)
    name, verdict = f"{camera}-{plate}-{at_s}", Verdict(VerdictKind.REVIEW, "one-look", 0, 0)
    return Sighting(name, CameraId(camera), name, at_ns - half, at_ns + half, sure(plate), verdict)


def test_a_kilometre_in_forty_seconds_is_ninety() -> None:
    speed = average_speed(BRIDGE, seen("west", 0), seen("east", 40))
    assert speed is not None
    assert speed.kmh == pytest.approx(90.0)
    # u(d)/d = 5 / sqrt(3) / 1000, u(t)/t = sqrt(2) * 0.2 / sqrt(3) / 40, twice their root of squares is 0.999 %.
    assert speed.lowest_kmh == pytest.approx(90.0 / 1.01005, rel=1e-4)
    assert speed.highest_kmh == pytest.approx(90.0 * 1.01005, rel=1e-4)


def test_the_interval_holds_the_true_speed_in_nineteen_of_twenty() -> None:
    random.seed(3)
    inside = 0
    for _ in range(4000):
        true_ms = random.uniform(8, 60)
        distance = BRIDGE.distance_m + random.uniform(-5, 5)
        lengths = random.uniform(0.2, 3.0), random.uniform(0.2, 3.0)
        times = []
        for at_s, length_s in zip((0.0, distance / true_ms), lengths, strict=True):
            clock, place = random.uniform(-0.2, 0.2), random.uniform(-0.5, 0.5) * length_s
            times.append(at_s + clock + place)
        entered, left = seen("west", times[0], length_s=lengths[0]), seen("east", times[1], length_s=lengths[1])
        speed = average_speed(BRIDGE, entered, left)
        assert speed is not None
        inside += speed.lowest_kmh <= true_ms * 3.6 <= speed.highest_kmh
    assert inside / 4000 > 0.95


def test_where_clocks_cannot_tell_nothing_is_told() -> None:
    rough = replace(BRIDGE, clock_error_s=30.0)
    assert average_speed(rough, seen("west", 0), seen("east", 40)) is None
    assert average_speed(BRIDGE, seen("west", 40), seen("east", 0)) is None


def test_vehicles_are_known_again_by_plate_and_by_hash() -> None:
    hashed = [replace(seen(c, t), plate=None, plate_hash="k1:scrypt:aa") for c, t in (("west", 1), ("east", 31))]
    others = [seen("west", 2, "CD34EFG"), seen("east", 50, "XY99ZZZ"), seen("east", 52, "CD34EFG")]
    ordered = sorted((*hashed, *others), key=lambda s: s.last_seen_ns)
    found = list(section_passages(BRIDGE, ordered))
    assert [p.left.plate.text if p.left.plate else None for p in found] == [None, "CD34EFG"]
    assert found[0].speed.kmh == pytest.approx(120.0)


def test_who_enters_twice_entered_the_last_time_and_who_stops_is_not_told() -> None:
    twice = [seen("west", 0), seen("west", 600), seen("east", 640), seen("east", 650)]
    (one,) = section_passages(BRIDGE, twice)
    assert one.speed.kmh == pytest.approx(90.0)
    assert list(section_passages(BRIDGE, [seen("west", 0), seen("east", 1200)])) == []
    assert list(section_passages(BRIDGE, [seen("east", 0), seen("west", 40)])) == []


CAMERAS = '[camera.west]\nsource = "a.mp4"\n[camera.east]\nsource = "b.mp4"\n'


@pytest.mark.parametrize(
    ("table", "told"),
    [
        ('from = "west"\nto = "eastt"\ndistance_m = 100.0', "did you mean east?"),
        ('from = "west"\nto = "west"\ndistance_m = 100.0', "a section lies between two"),
        ('from = "west"\nto = "east"', "distance_m: field required"),
        ('from = "west"\nto = "east"\ndistance_m = -4.0', "greater than or equal to 10"),
        ('from = "west"\nto = "east"\ndistance = 4.0', "did you mean distance_m?"),
        ('from = "west"\nto = "east"\ndistance_m = 100.0\ndistance_error_m = 100.0', "as large as the distance"),
    ],
)
def test_a_wrong_section_is_told_with_its_line(tmp_path: Path, table: str, told: str) -> None:
    with pytest.raises(SettingsError, match=r"line \d+: section\.bridge") as caught:
        parse_site(f"{CAMERAS}[section.bridge]\n{table}\n", tmp_path / "site.toml")
    assert told in str(caught.value)


def test_the_command_tells_who_was_too_fast(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "site.toml"
    config.write_text(f'{CAMERAS}[section.bridge]\nfrom = "west"\nto = "east"\ndistance_m = 1000.0\n')
    db = ["--db", str(tmp_path / "r.db"), "--config", str(config)]
    records = open_records(Settings(db=tmp_path / "r.db"))
    fast, slow = (("west", 0.0), ("east", 30.0)), (("west", 5.0), ("east", 50.0))
    for plate, passages in (("AB12CDE", fast), ("CD34EFG", slow)):
        for camera, at_s in passages:
            records.store.save(seen(camera, at_s, plate))
    records.close()
    assert main(["speeds", "bridge", "--since", "2026-01-01", "--over", "100", "--json", *db]) == 0
    (told,) = map(json.loads, capsys.readouterr().out.splitlines())
    assert (told["plate"], told["section"]) == ("AB12CDE", "bridge")
    assert told["kmh"] == pytest.approx(120.0)
    assert told["lowest_kmh"] < told["kmh"] < told["highest_kmh"]
    assert main(["speeds", "bridge", "--since", "2026-01-01", *db]) == 0
    assert "2 of 2 vehicles" in capsys.readouterr().out
    assert main(["speeds", "tunnel", *db]) == 2
    assert "known are bridge" in capsys.readouterr().err
    assert main(["audit", *db[:2]]) == 0
    assert "compared times" in capsys.readouterr().out
