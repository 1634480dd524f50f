"""What `roadside run` refuses before it reads anything, because at the end it would be too late."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from roadside.cli import main

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "car.png"
    cv2.imwrite(str(path), np.zeros((60, 80, 3), np.uint8))
    return path


def refused(tmp_path: Path, capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    assert main(["run", *map(str, arguments), "--db", str(tmp_path / "r.db")]) == 2
    return capsys.readouterr().err


def test_a_registry_that_is_not_there_is_not_made(
    tmp_path: Path, picture: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    missing = tmp_path / "nothere.db"
    assert "registry import" in refused(tmp_path, capsys, picture, "--registry", missing)
    assert not missing.exists()


def test_an_out_that_cannot_be_written_is_refused_at_the_start(
    tmp_path: Path, picture: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "file"
    file.write_text("x", encoding="utf-8")
    assert "is no folder" in refused(tmp_path, capsys, picture, "--out", file / "a" / "out.png")
    (tmp_path / "folder.png").mkdir()
    assert "is a folder" in refused(tmp_path, capsys, picture, "--out", tmp_path / "folder.png")
    assert "cannot be written" in refused(tmp_path, capsys, picture, "--out", "/proc/out.png")
    assert not (tmp_path / "r.db").exists()
