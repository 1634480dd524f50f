from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from roadside.adapters.http.options import load_http_options
from roadside.assembly.settings import load_settings
from roadside.errors import SettingsError
from roadside.kit.toml_file import read_toml
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
    with pytest.raises(SettingsError, match="s a directory"):
        read_toml(tmp_path)
