from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.containers.stack import KEEPERS, ROOT, SERVICES, Stack

if TYPE_CHECKING:
    from collections.abc import Iterator

START_TIMEOUT_S = 900.0


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Everything up and healthy, the demonstration's street before the camera, over and over."""
    clip = ROOT / "var" / "demo" / "street.mp4"
    assert clip.is_file(), "make var/demo/street.mp4 renders it"
    stack = Stack(tmp_path_factory.mktemp("stack"), clip)
    stack.prepare()
    try:
        stack.compose("up", "-d")
        wanted = [name for name in (*SERVICES, *KEEPERS) if name != "disk"]
        stack.wait(lambda: stack.healthy(*wanted), "healthy containers", START_TIMEOUT_S)
        yield stack
    finally:
        stack.end()
