"""A minute of the chaos test; `make chaos` runs it for longer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.bench import chaos

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.timeout(1200)
def test_nothing_is_lost_or_double_when_everything_is_killed(tmp_path: Path) -> None:
    outcome = chaos.run(0.8, seed=7, folder=tmp_path, pause_s=(1.0, 5.0))
    assert outcome.good, outcome.report()
    assert outcome.stored == outcome.expected >= 36
    assert len(outcome.kills) == len(chaos.SERVICES) + 2, "each was killed: the services, Redis and PostgreSQL"
