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
    pip, install, *packages = shlex.split(install_command(extra))
    assert (pip, install) == ("pip", "install")
    assert sorted(packages) == sorted(PROJECT["project"]["optional-dependencies"][extra])


def test_the_doctor_looks_for_whatever_a_person_may_want() -> None:
    others = {"cluster", "gpio", "s3", "train", "dev", "docs", "release"}
    wanted = PROJECT["project"]["optional-dependencies"].keys() - others
    assert EXTRAS.keys() == wanted
    for extra, (package, _) in EXTRAS.items():
        assert any(line.startswith(package) for line in PROJECT["project"]["optional-dependencies"][extra])


def test_only_some_of_them_can_be_named() -> None:
    assert install_command("cluster", "paho-mqtt", "redis") == "pip install 'paho-mqtt>=2.1' 'redis>=5.0'"


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
