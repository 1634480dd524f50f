"""A backup is taken, the volumes are destroyed, the backup is restored: the same sightings and pictures."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest

from roadside.core.sightings import VerdictKind
from roadside.wire.convert import sighting_to_proto
from tests.containers.stack import docker

if TYPE_CHECKING:
    from pathlib import Path

    from tests.containers.stack import Stack

PAID = "9K74182"
"""A plate of the street's registry."""
pytestmark = [pytest.mark.containers, pytest.mark.timeout(1800)]


def sightings(stack: Stack) -> dict[str, bytes]:
    with stack.plates() as plates:
        return {s.sighting_id: sighting_to_proto(s).SerializeToString(deterministic=True) for s in plates.sightings()}


def pictures(stack: Stack) -> dict[tuple[str, str], str]:
    with stack.plates() as plates:
        return {
            (s.sighting_id, e.kind.value): hashlib.sha256(plates.evidence(s.sighting_id, e.kind)).hexdigest()
            for s in plates.sightings()
            for e in s.evidence
        }


def decided(stack: Stack) -> bool:
    with stack.plates() as plates:
        return all(s.verdict.kind is not VerdictKind.UNKNOWN for s in plates.sightings())


def test_the_same_sightings_come_back(stack: Stack, tmp_path: Path) -> None:
    stack.load_registry()
    stack.wait(lambda: len(sightings(stack)) >= 4, "sightings", 600)
    stack.compose("stop", "capture", "detector", "ocr", "registry")
    # What passed before there was a registry is judged by and by, and loses its pictures where it has paid.
    stack.wait(lambda: decided(stack), "verdicts on all that passed", 300)
    before, looked = sightings(stack), pictures(stack)
    assert looked, "the street has a vehicle that did not pay"
    registered = stack.execute("plates", "roadside", "registry", "check", PAID)
    assert registered.stdout.startswith("PAID"), registered.stdout + registered.stderr

    done = stack.script("backup", tmp_path / "backup")
    assert done.returncode == 0, done.stderr
    again = stack.script("backup", tmp_path / "backup")
    assert again.returncode == 1
    assert "already" in again.stderr

    for service in ("plates", "postgres", "migrate", "disk"):
        docker("rm", "--force", stack.container(service))
    for volume in ("postgres", "evidence"):
        docker("volume", "rm", f"{stack.project}_{volume}")
    stack.compose("up", "-d", "plates")
    stack.wait(stack.answers, "an answer of plates", 600)
    assert sightings(stack) == {}
    assert stack.execute("plates", "roadside", "registry", "check", PAID).returncode != 0

    done = stack.script("restore", tmp_path / "backup")
    assert done.returncode == 0, done.stderr
    assert sightings(stack) == before
    assert pictures(stack) == looked
    assert stack.execute("plates", "roadside", "registry", "check", PAID).stdout == registered.stdout


def test_a_damaged_backup_is_refused(stack: Stack, tmp_path: Path) -> None:
    folder = tmp_path / "backup"
    assert stack.script("backup", folder).returncode == 0
    with (folder / "evidence").open("ab") as file:
        file.write(b"x")
    done = stack.script("restore", folder)
    assert done.returncode == 1
    assert "not a whole backup" in done.stderr
