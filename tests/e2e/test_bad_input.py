"""Every kind of bad input ends in one clear line on stderr, an exit code and no traceback."""

from __future__ import annotations

import shutil
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from tests.conftest import ROOT
from tests.ports import reserved_port

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.conftest import Program

SHIPPED = ROOT / "models" / "shipped"
INPUT, UNAVAILABLE, SOME_FAILED = 2, 3, 1
NOBODY_IS_JUDGED = "roadside: no list of vignettes"


def assert_one_line(result: subprocess.CompletedProcess[str], code: int, *words: str) -> None:
    assert result.returncode == code, result.stderr
    # That nobody is judged without a list is told of every run, before its fault.
    lines = [line for line in result.stderr.splitlines() if not line.startswith(NOBODY_IS_JUDGED)]
    assert len(lines) == 1, result.stderr
    assert lines[0].startswith("roadside: ")
    for word in words:
        assert word in lines[0]


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    rng = np.random.default_rng(5)
    path = tmp_path / "photo.jpg"
    cv2.imwrite(str(path), rng.integers(0, 255, (480, 640, 3), dtype=np.uint8))
    return path


@pytest.mark.parametrize(
    ("name", "content", "fault", "mend"),
    [
        ("none.jpg", None, "no such file", "check the name"),
        ("text.jpg", b"Dear Sir or Madam\n", "is not a picture", "JPEG, PNG"),
        ("empty.jpg", b"", "is empty", "copy it again"),
    ],
)
def test_a_file_that_is_no_photo(program: Program, name: str, content: bytes | None, fault: str, mend: str) -> None:
    if content is not None:
        (program.home / name).write_bytes(content)
    assert_one_line(program.run("read", name), SOME_FAILED, name, fault, mend)


def test_a_truncated_jpeg(program: Program, photo: Path) -> None:
    data = photo.read_bytes()
    photo.write_bytes(data[: len(data) // 2])
    assert_one_line(program.run("read", photo), SOME_FAILED, "photo.jpg", "is cut short", "copy or take it again")
    assert_one_line(program.run("run", photo), INPUT, "is cut short")


@pytest.mark.parametrize(
    ("name", "content", "fault"),
    [
        ("none.mp4", None, "no such file or camera"),
        ("empty.mp4", b"", "is empty"),
        ("text.mp4", b"no video\n" * 99, "is not a video"),
    ],
)
def test_a_file_that_is_no_clip(program: Program, name: str, content: bytes | None, fault: str) -> None:
    if content is not None:
        (program.home / name).write_bytes(content)
    assert_one_line(program.run("run", name), INPUT, name, fault)


def test_an_empty_folder(program: Program) -> None:
    (program.home / "pictures").mkdir()
    assert_one_line(program.run("run", "pictures"), INPUT, "no pictures in this folder")


def test_an_unreachable_rtsp_address(program: Program) -> None:
    address = f"rtsp://bob:secret@127.0.0.1:{reserved_port()}/stream"
    result = program.run("run", address)
    assert_one_line(result, INPUT, "rtsp://***@127.0.0.1", "no camera answers there", "check the address")
    assert "secret" not in result.stdout + result.stderr


def model_folder(folder: Path, model: bytes | None) -> Path:
    folder.mkdir()
    (folder / "labelmap.txt").write_text("plate\n")
    if model is not None:
        (folder / "detect.tflite").write_bytes(model)
    return folder


@pytest.mark.parametrize(
    ("model", "fault"),
    [
        (None, "detect.tflite"),
        (b"", "is empty"),
        (b"no model" * 100, "model"),
        (b"\x1c\0\0\0TFL3" + bytes(99), "model"),
    ],
)
@pytest.mark.parametrize("runtime", ["litert", "tflite-runtime"])
def test_a_file_that_is_no_model(program: Program, photo: Path, model: bytes | None, fault: str, runtime: str) -> None:
    folder = model_folder(program.home / "model", model)
    result = program.run("read", photo, "--modeldir", folder, ROADSIDE_RUNTIME=runtime)
    assert_one_line(result, INPUT, "model", fault)


def test_a_truncated_model(program: Program, photo: Path) -> None:
    whole = (SHIPPED / "detector/detect.tflite").read_bytes()
    folder = model_folder(program.home / "model", whole[: len(whole) // 2])
    assert_one_line(program.run("read", photo, "--modeldir", folder), INPUT, "detect.tflite")


def test_a_model_of_another_shape(program: Program, photo: Path) -> None:
    folder = model_folder(program.home / "model", (SHIPPED / "reader/read.tflite").read_bytes())
    result = program.run("read", photo, "--modeldir", folder)
    assert_one_line(result, INPUT, "is no detection model", "[1, height, width, 3]")


def test_a_folder_without_a_model(program: Program, photo: Path) -> None:
    assert_one_line(program.run("read", photo, "--modeldir", "nowhere"), INPUT, "nowhere")


def test_an_unknown_runtime(program: Program, photo: Path) -> None:
    assert_one_line(program.run("read", photo, "--runtime", "tensorrt"), INPUT, "tensorrt", "litert", "onnx")


def test_a_folder_without_the_file_of_the_runtime(program: Program, photo: Path) -> None:
    folder = model_folder(program.home / "model", (SHIPPED / "detector/detect.tflite").read_bytes())
    result = program.run("read", photo, "--modeldir", folder, "--runtime", "onnx")
    assert_one_line(result, INPUT, "detect.onnx", "No such file")


@pytest.mark.parametrize("content", [b"", b"no model" * 100])
def test_a_file_that_is_no_onnx_model(program: Program, photo: Path, content: bytes) -> None:
    folder = model_folder(program.home / "model", None)
    (folder / "detect.onnx").write_bytes(content)
    assert_one_line(program.run("read", photo, "--modeldir", folder, ROADSIDE_RUNTIME="onnx"), INPUT, "detect.onnx")


def test_a_runtime_that_is_not_installed(program: Program, photo: Path) -> None:
    (program.home / "onnxruntime.py").write_text("raise ImportError\n")
    result = program.run("read", photo, "--runtime", "onnx", PYTHONPATH=str(program.home))
    assert_one_line(result, INPUT, "ONNX Runtime is not installed", "pip install onnxruntime")


def test_a_csv_that_is_damaged(program: Program) -> None:
    path = program.home / "vignettes.csv"
    row = "1AB2345,CZ,2026-01-01,2026-12-31,osobní\n".encode()
    path.write_bytes(b"plate,country,valid_from,valid_to,category\n" + row * 3 + row.replace(b"\xc3", b"\x07\xff"))
    assert_one_line(program.run("registry", "import", path), INPUT, "vignettes.csv", "UTF-8")


@pytest.mark.parametrize(
    ("flag", "value"),
    [("--threads", "many"), ("--score", "2"), ("--reader", "magic"), ("--search", "deep"), ("--confidence", "-1")],
)
def test_a_setting_out_of_range(program: Program, photo: Path, flag: str, value: str) -> None:
    assert_one_line(program.run("read", photo, flag, value), INPUT, flag.strip("-"))


def test_an_unknown_setting_in_the_file(program: Program, photo: Path) -> None:
    (program.home / "roadside.toml").write_text("thread = 2\n")
    assert_one_line(program.run("read", photo, ROADSIDE_CONFIG="roadside.toml"), INPUT, "thread")
    (program.home / "roadside.toml").write_text("threads = = 2\n")
    assert_one_line(program.run("read", photo, ROADSIDE_CONFIG="roadside.toml"), INPUT, "roadside.toml")
    assert_one_line(program.run("read", photo, ROADSIDE_CONFIG="none.toml"), INPUT, "none.toml", "no such file")


@pytest.mark.parametrize("arguments", [("frobnicate",), ("read",), ("run",), ("read", "a.jpg", "--colour")])
def test_a_command_line_that_is_none(program: Program, arguments: tuple[str, ...]) -> None:
    result = program.run(*arguments)
    assert result.returncode == INPUT
    assert len(result.stderr.splitlines()) == 1
    assert "--help`" in result.stderr


@pytest.mark.parametrize("out", ["annotated.doc", "annotated.mp4"])
def test_an_out_of_the_wrong_kind_is_told_before_anything_is_read(program: Program, photo: Path, out: str) -> None:
    assert_one_line(program.run("run", photo, "--out", out), INPUT, out, ".jpg")
    assert_one_line(program.run("read", photo, "--out", out), INPUT, out, ".jpg")


@contextmanager
def full_disk(folder: Path) -> Iterator[Path]:
    """A real file system with no room left."""
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)], check=False)
    if mounted.returncode:
        pytest.skip("this account may not mount a small file system to fill")
    try:
        (folder / "ballast").write_bytes(bytes(60 * 1024))
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.skipif(shutil.which("mount") is None, reason="no mount command to make a small file system with")
def test_a_full_disk_for_the_database(program: Program, photo: Path) -> None:
    with full_disk(program.home / "disk") as disk:
        result = program.run("run", photo, "--db", disk / "roadside.db")
        assert_one_line(result, UNAVAILABLE, "full")


def test_a_database_that_is_none(program: Program, photo: Path) -> None:
    (program.home / "notes.db").write_text("my notes\n" * 500)
    assert_one_line(program.run("run", photo, "--db", "notes.db"), UNAVAILABLE, "not a database")
    assert_one_line(program.run("plates", "recent", "--db", "none.db"), INPUT, "none.db", "roadside run")
