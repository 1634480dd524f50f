"""Passwords in addresses: whatever characters they hold and wherever they stand, nothing that is shown has them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from roadside.adapters.bus.redis_streams import RedisOptions, RedisStreams
from roadside.adapters.sources.live import CameraSettings
from roadside.adapters.sources.video import open_source
from roadside.adapters.sql import open_database
from roadside.adapters.system_clock import SystemClock
from roadside.assembly.settings import CaptureSettings, Settings
from roadside.cli import main
from roadside.core.frames import CameraId
from roadside.errors import SettingsError, SourceError
from roadside.kit.addresses import address_fault, hide_addresses, redact
from roadside.kit.arguments import hide, secrets_among
from roadside.kit.config import load
from tests.clocks import HandClock
from tests.notes import NoteCodec
from tests.waiting import wait_for

if TYPE_CHECKING:
    from tests.conftest import Program

PRINTABLE = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), min_size=1, max_size=30)
FORMS = (
    "rtsp://bob:{}@camera.example/stream",
    "rtsp://bob:{}@camera.example:554/stream?channel=1",
    "rtsp://{}@camera.example/stream",
    "rtsp://bob:{}@[fe80::1]:554/a",
    "http://camera.example/video.cgi?user=bob&pwd={}&rate=1",
    "http://camera.example/video.cgi?pwd={}",
    "rtsp://camera.example:554/user=bob_password={}_channel=1_stream=0.sdp",
    "rtsp://camera.example/{}/live",
    "rtsps://camera.example/live;auth={}",
    "RTSP://bob:{}@camera.example/stream",
    "rtsp:/bob:{}@camera.example/stream",
    "bob:{}@camera.example/stream",
)


def marked(password: str) -> str:
    """A password of these characters that can be told from everything else: a mark between any two of them."""
    return "Zq9X" + "Zq9X".join(password) + "Zq9X"


@given(PRINTABLE, st.sampled_from(FORMS))
@example("p#ss/w@rd", FORMS[0])
@example("a@b/c?d#e", FORMS[5])
@example("x@y", FORMS[6])
@example("12/34@5", FORMS[0])
@example("se c]ret[", FORMS[4])
@example(" ", FORMS[0])
def test_no_password_is_shown(password: str, form: str) -> None:
    source = form.format(marked(password))
    for shown in (redact(source), address_fault(source)):
        assert "Zq9X" not in shown, shown
    if "://" in source:
        assert "Zq9X" not in hide_addresses(f"invalid choice: {source!r} (choose from 'run')\nthe next {source}")


@given(PRINTABLE, st.sampled_from(FORMS))
def test_no_error_of_a_source_tells_its_password(password: str, form: str) -> None:
    source = form.format(marked(password))
    try:
        opened = open_source(source, CameraId("gate"), HandClock(), CameraSettings(timeout_s=0.1))
    except SourceError as error:
        said = str(error)
    else:
        said = opened._name  # type: ignore[attr-defined]  # noqa: SLF001 - what its errors begin with
    assert "Zq9X" not in said


@settings(max_examples=20)  # each starts a process
@given(PRINTABLE)
@example("p#ss/w@rd")
@example("[x")
@example("x:y")
@example("\N{DOUBLE EXCLAMATION MARK}")
def test_no_error_of_an_http_camera_tells_its_password(password: str) -> None:
    for form in ("http://bob:{}@127.0.0.1:9/video", "http://127.0.0.1:9/video?pwd={}"):
        with pytest.raises(SourceError) as caught:
            for _ in open_source(
                form.format(marked(password)), CameraId("gate"), HandClock(), CameraSettings(timeout_s=0.1)
            ).frames():
                pass
        assert "Zq9X" not in str(caught.value)


@given(PRINTABLE)
@example("pa@ss/wo#rd")
def test_no_error_of_a_database_or_bus_tells_its_password(password: str) -> None:
    word = marked(password)
    for make in (
        lambda: open_database(f"postgresql://bob:{word}@127.0.0.1:1/roadside").check_migrated(),
        lambda: RedisStreams(RedisOptions(f"redis://bob:{word}@127.0.0.1:1/0", "a"), NoteCodec(), SystemClock()).ping(),
    ):
        with pytest.raises(Exception) as caught:  # noqa: PT011 - whichever it is
            make()
        assert "Zq9X" not in str(caught.value)


@settings(max_examples=3)
@given(PRINTABLE)
def test_no_error_of_a_setting_tells_its_value(password: str) -> None:
    word = marked(password)
    for model in (Settings, CaptureSettings):
        for name in model.model_fields:
            said = ""
            try:
                load(model, {name: word})  # type: ignore[type-var]
            except SettingsError as error:
                said = str(error)
            assert "Zq9X" not in said, name


def test_what_is_shown_is_of_use() -> None:
    assert redact("rtsp://camera.example:554") == "rtsp://camera.example:554"
    assert redact("rtsp://bob:secret@camera.example/stream") == "rtsp://***@camera.example/***"
    assert redact("http://[fe80::1]:80/video") == "http://[fe80::1]:80/***"
    assert redact("clips/gate.mp4") == "clips/gate.mp4"
    assert redact("/dev/video0") == "/dev/video0"
    assert address_fault("rtsp://bob:secret@camera.example/stream") == ""


def test_a_password_that_ends_the_address_is_explained() -> None:
    with pytest.raises(SourceError, match="write # as %23, / as %2F") as caught:
        open_source("rtsp://admin:p#ss/w@rd", CameraId("gate"), HandClock())
    assert "ss" not in str(caught.value).replace("address", "").replace("password", "")


def test_arguments_that_hold_passwords_are_known() -> None:
    given_ = ["run", "rtsp://a:b@cam/1", "--token", "t", "--redis-url=redis://u:p@h/0", "clip.mp4", "http://cam"]
    assert list(secrets_among(given_)) == ["rtsp://a:b@cam/1", "t", "redis://u:p@h/0"]
    assert hide([])


def test_ps_does_not_show_them(program: Program) -> None:
    source = "rtsp://bob:Zq9Xsecret@127.0.0.1:9/stream"
    code = f"from roadside import cli; import time; cli.main(['run', {source!r}, '--timeout-s', '1']); time.sleep(100)"
    running = subprocess.Popen(
        [sys.executable, "-c", code, source, "--token=Zq9Xtoken"],
        cwd=program.home,
        env=program.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    shown = Path(f"/proc/{running.pid}/cmdline")
    try:
        # The source stands in the code given to -c, too: all of its places are overwritten.
        wait_for(lambda: b"roadside" in (all_ := shown.read_bytes()) and b"Zq9Xsecret" not in all_, "ps without it")
    finally:
        running.kill()
        running.wait()


def test_a_source_comes_from_the_environment_or_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run"]) == 2
    assert "ROADSIDE_SOURCE" in capsys.readouterr().err
    (tmp_path / "s.toml").write_text('source = "odd://bob:Zq9X@cam"\n', encoding="utf-8")
    for name, value in (("ROADSIDE_SOURCE", "not-there.mp4"), ("ROADSIDE_CONFIG", str(tmp_path / "s.toml"))):
        with monkeypatch.context() as changed:
            changed.setenv(name, value)
            assert main(["run"]) == 2
        said = capsys.readouterr()
        assert "no such file or camera" in said.err
        assert "Zq9X" not in said.err + said.out


@pytest.mark.parametrize(
    "arguments",
    [
        ("run", "a", "rtsp://bob:Zq9X@cam/x"),
        ("run", "a", "--tokn", "Zq9X"),
        ("rtsp://bob:Zq9X y@cam/x",),
        ("run", "a", "--tokn=Zq9X"),
    ],
)
def test_a_wrong_command_line_does_not_repeat_secrets(
    arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    said = capsys.readouterr()
    assert ended.value.code == 2
    assert said.err.startswith("roadside")
    assert "Zq9X" not in said.err + said.out
