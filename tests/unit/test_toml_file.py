from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from roadside.adapters.http.options import load_http_options
from roadside.assembly.settings import load_settings
from roadside.errors import SettingsError
from roadside.kit.callers import load_clients
from roadside.kit.toml_file import read_toml
from roadside.kit.toml_lines import line_of
from roadside.notify.options import load_notify_options

if TYPE_CHECKING:
    from pathlib import Path

STRANGE = {
    "no TOML": (b"score = 0.5\nfps = = 2\n", "line 2"),
    "another encoding": (b'score = 0.5\ncamera = "caf\xe9"\n', "line 2 is no UTF-8"),
    "UTF-16": ("score = 0.5\n".encode("utf-16"), "line 1 is no UTF-8"),
    "a number of 5,000 digits": (b"fps = " + b"9" * 5000, "correct the file"),
    "brackets": (b"a = " + b"[" * 100_000, "correct the file"),
    "too large": (b"#" * (1 << 21), "larger than 1 MiB"),
}


@pytest.mark.parametrize("name", STRANGE)
def test_a_strange_file_is_one_line_wherever_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    content, said = STRANGE[name]
    path = tmp_path / "strange.toml"
    path.write_bytes(content)
    monkeypatch.setenv("ROADSIDE_CONFIG", str(path))
    for read in (read_toml, load_http_options, load_notify_options, lambda _: load_settings({})):
        with pytest.raises(SettingsError, match=rf"strange\.toml: .*{said}") as raised:
            read(path)
        assert "\n" not in str(raised.value)


def test_a_name_that_no_file_has_is_told(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="no such file"):
        read_toml(tmp_path / "a\0b")
    with pytest.raises(SettingsError, match="is a folder; name a file"):
        read_toml(tmp_path)


CHANNELS = """\
attempts = 3

[[webhook]]
name = "a"
url = "https://x.example/h"
secret_env = "S"

[[webhook]]
name = "b"
url = 7
secret_env = "S"
"""
CLIENTS = """\
[[clients]]
name = "a"
roles = ["read"]
token = "0123456789abcdef"

[[clients]]
roles = ["king"]
name = "b"
token = "fedcba9876543210"
"""


def test_a_wrong_value_is_told_with_its_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROADSIDE_CONFIG", str(tmp_path / "settings.toml"))
    files = {
        "settings.toml": ('camera = "gate"\n# a word\nscore = "much"\n', "line 3: setting score", load_settings),
        "http.toml": ('url = "https://r.example/{plate}"\nkeys = "many"\n', "line 2: keys", load_http_options),
        "notify.toml": (CHANNELS, r"line 10: webhook\.1\.url", load_notify_options),
        "clients.toml": (CLIENTS, "line 6: entry 2: roles", load_clients),
    }
    for name, (text, said, read) in files.items():
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        with pytest.raises(SettingsError, match=said) as raised:
            read({} if read is load_settings else path)  # type: ignore[operator]
        assert "\n" not in str(raised.value)
        assert "much" not in str(raised.value), "a password can stand in any setting by mistake"


def test_a_wrong_value_of_a_flag_or_a_variable_names_no_line_of_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "settings.toml"
    file.write_text("score = 0.5\n", encoding="utf-8")
    monkeypatch.setenv("ROADSIDE_CONFIG", str(file))
    with pytest.raises(SettingsError, match=r"^setting score"):
        load_settings({"score": 7.0})
    monkeypatch.setenv("ROADSIDE_SCORE", "7")
    with pytest.raises(SettingsError, match=r"^setting score"):
        load_settings({})


def test_lines_are_found_in_tables_of_arrays() -> None:
    text = "[[a]]\nx = 1\n[a.deep]\ny = 2\n[[a]]\nx = 3\n[a.deep]\ny = 4\n[b]\nx = 5\n"
    places = {("a", 0, "x"): 2, ("a", 1, "x"): 6, ("a", 1, "deep", "y"): 8, ("a", 0, "deep", "y"): 4, ("b", "x"): 10}
    assert {path: line_of(text, path) for path in places} == places
    assert line_of(text, ("a", 1, "missing")) == 5
