"""Locks and NOTICE: both say what is installed, and a change that is told in one place only is seen."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest
from packaging.version import Version

from release import licences, locks
from release.version import ROOT

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    for path in (ROOT / "pyproject.toml", ROOT / "NOTICE", *ROOT.glob("requirements*.lock")):
        shutil.copy(path, tmp_path)
    return tmp_path


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_the_locks_are_consistent() -> None:
    assert locks.faults() == []


def test_notice_lists_the_licence_of_every_package() -> None:
    assert licences.faults() == []
    assert licences.listed()["sqlalchemy"] == "MIT"


def test_pins_are_read_with_their_markers() -> None:
    text = (
        "numpy==1.26.4 ; python_version < '3.12' \\\n    --hash=sha256:a\nnumpy==2.0.0 ; python_version >= '3.12' \\\n"
    )
    assert locks.pins(text + "psycopg[binary]==3.2.1 \\\n# via x\n") == {
        "numpy": {Version("1.26.4"), Version("2.0.0")},
        "psycopg": {Version("3.2.1")},
    }


def test_what_is_asked_for_and_not_locked_is_named(copy: Path) -> None:
    change(copy / "pyproject.toml", '"redis>=5.0"', '"redis>=999"')
    change(copy / "pyproject.toml", '"alembic>=1.13"', '"alembic>=1.13", "not-there>=1"')
    found = "\n".join(locks.faults(copy))
    assert "requirements-cluster.lock: redis>=999 is asked for" in found
    assert "requirements.lock: not-there>=1 is asked for, nothing is held" in found


def test_versions_that_differ_and_hashes_that_lack_are_named(copy: Path) -> None:
    version = min(locks.pins((copy / "requirements.lock").read_text(encoding="utf-8"))["mako"])
    change(copy / "requirements-dev.lock", f"mako=={version}", "mako==0.0.1")
    lock = copy / "requirements-cluster.lock"
    lock.write_text(lock.read_text(encoding="utf-8") + "odd==1.0\n", encoding="utf-8")
    found = "\n".join(locks.faults(copy))
    assert "requirements-dev.lock: mako is another version" in found
    assert "requirements-cluster.lock: odd has no hash" in found


def test_a_package_without_a_licence_is_named(copy: Path) -> None:
    lock = copy / "requirements-cluster.lock"
    lock.write_text(lock.read_text(encoding="utf-8") + "odd==1.0 \\\n    --hash=sha256:a\n", encoding="utf-8")
    assert licences.faults(copy) == ["NOTICE: odd is in a lock and not listed"]
    assert licences.notice(["odd", "pydantic"], {"odd": "MIT"}).endswith("odd       MIT\npydantic  MIT\n")
    assert licences.notice(["odd"], {}).endswith("odd  UNKNOWN\n")
