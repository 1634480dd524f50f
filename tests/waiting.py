"""Waits for what a test needs, instead of sleeping for as long as that should take."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

PLENTY_S = 120.0
"""A busy machine is no fault of the code: only what never comes takes so long."""
_LOOK_EVERY_S = 0.02


def wait_for(
    condition: Callable[[], bool], what: str, timeout_s: float = PLENTY_S, *, every_s: float = _LOOK_EVERY_S
) -> None:
    """Returns as soon as `condition` holds. Raises TimeoutError, which names `what` did not come."""
    deadline_s = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline_s:
            raise TimeoutError(f"no {what} after {timeout_s:g} s")
        time.sleep(every_s)


def stays(condition: Callable[[], bool], what: str, for_s: float) -> None:
    """For what must not happen: raises AssertionError, naming `what`, where `condition` ceases to hold within `for_s`.

    A busy machine makes it see less, never fail.
    """
    until_s = time.monotonic() + for_s
    while time.monotonic() < until_s:
        assert condition(), f"{what}: not for {for_s:g} s"
        time.sleep(_LOOK_EVERY_S)
    assert condition(), f"{what}: not for {for_s:g} s"
