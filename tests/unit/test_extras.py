"""The command that installs an optional part names packages, never Roadside itself, which no index may have."""

from __future__ import annotations

import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from roadside.assembly.doctor import EXTRAS
from roadside.kit.extras import install_command

PROJECT = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("extra", ["cluster", "mqtt", "push"])
def test_every_package_of_the_extra_is_named(extra: str) -> None:
    packages = shlex.split(install_command(extra).partition("pip install ")[2])
    assert sorted(packages) == sorted(PROJECT["project"]["optional-dependencies"][extra])


def test_the_doctor_looks_for_whatever_a_person_may_want() -> None:
    others = {"cluster", "gpio", "s3", "train", "dev", "docs", "release"}
    wanted = PROJECT["project"]["optional-dependencies"].keys() - others
    assert EXTRAS.keys() == wanted
    for extra, (package, _) in EXTRAS.items():
        assert any(line.startswith(package) for line in PROJECT["project"]["optional-dependencies"][extra])


def test_only_some_of_them_can_be_named() -> None:
    assert install_command("cluster", "paho-mqtt", "redis").endswith("pip install 'paho-mqtt>=2.1' 'redis>=5.0'")


def program_at(path: Path) -> Path:
    path.parent.mkdir(parents=True)
    path.touch(0o755)
    return path


def test_it_installs_where_this_program_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a bare `pip` of the shell installs elsewhere is missing as before."""
    here, elsewhere = program_at(tmp_path / "own venv/bin/pip"), program_at(tmp_path / "usr/bin/pip")
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "own venv"))
    monkeypatch.setattr(sys, "executable", str(here.with_name("python")))
    monkeypatch.setenv("PATH", str(elsewhere.parent))
    assert install_command("mqtt") == f"'{here.parent}/python' -m pip install 'paho-mqtt>=2.1'"
    monkeypatch.setenv("PATH", f"{here.parent}:{elsewhere.parent}")
    assert install_command("mqtt") == "pip install 'paho-mqtt>=2.1'"


def test_what_pipx_installed_it_adds_to(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "prefix", "/home/eva/.local/pipx/venvs/roadside")
    assert install_command("mqtt") == "pipx inject roadside 'paho-mqtt>=2.1'"


POSTGRES = "from roadside.adapters.sql import open_database; open_database('postgresql://a:b@127.0.0.1/c')"
MQTT = """
from roadside.adapters.notify.opening import open_channels
from roadside.adapters.system_clock import SystemClock
from roadside.notify.options import NotifyOptions
options = NotifyOptions(mqtt=({"name": "desk", "host": "127.0.0.1", "topic": "street"},))
open_channels(options, SystemClock())
"""


@pytest.mark.parametrize(
    ("program", "missing", "mend"),
    [(POSTGRES, "psycopg", "pip install 'psycopg[binary]>=3.2'"), (MQTT, "paho", "pip install 'paho-mqtt>=2.1'")],
)
def test_what_needs_a_package_that_is_not_there_names_one_that_exists(program: str, missing: str, mend: str) -> None:
    blocked = f"import sys; sys.modules[{missing!r}] = None\n{program}"
    done = subprocess.run([sys.executable, "-c", blocked], capture_output=True, text=True, check=False)
    assert f"SettingsError: {'PostgreSQL' if missing == 'psycopg' else 'MQTT'} needs a Python package" in done.stderr
    assert done.stderr.rstrip().endswith(mend)
