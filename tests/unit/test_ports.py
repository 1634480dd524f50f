"""The ports of the tests' own servers: nobody else is given one, in this process or in another."""

from __future__ import annotations

import socket
import subprocess
import sys

import pytest

from tests import ports
from tests.conftest import ROOT


def test_a_port_is_reserved_once_and_never_handed_out_by_the_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    mine = ports.reserved_port()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", mine))  # nobody listens there
    monkeypatch.setattr(ports, "_candidates", lambda: (mine,))
    with pytest.raises(RuntimeError, match="taken"):
        ports.reserved_port()


def test_another_run_of_the_tests_passes_over_it() -> None:
    mine = ports.reserved_port()
    program = f"from tests import ports; ports._candidates = lambda: ({mine},); ports.reserved_port()"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert "every port for tests is taken" in done.stderr


def test_a_port_on_which_a_stranger_listens_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as stranger:
        monkeypatch.setattr(ports, "_candidates", lambda: (stranger.getsockname()[1],))
        with pytest.raises(RuntimeError, match="taken"):
            ports.reserved_port()
