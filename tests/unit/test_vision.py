"""What Roadside offers to those who train and measure models, and that they use nothing else of it."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from roadside import vision

if TYPE_CHECKING:
    from collections.abc import Iterator

MODELS = Path(__file__).parents[2] / "models"
ALLOWED = ("roadside.core", "roadside.vision", "roadside.api", "roadside.ports", "roadside.errors")


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_everything_that_is_named_is_there_and_explained() -> None:
    assert vision.__doc__ is not None
    for name in vision.__all__:
        assert hasattr(vision, name)
        assert f"`{name}`" in vision.__doc__, f"{name} is not explained"


@pytest.mark.parametrize("path", sorted(MODELS.rglob("*.py")), ids=lambda p: str(p.relative_to(MODELS)))
def test_training_uses_the_core_and_the_public_modules_alone(path: Path) -> None:
    others = [
        name
        for name in imported(path)
        if name.split(".")[0] == "roadside" and not any(name == a or name.startswith(f"{a}.") for a in ALLOWED)
    ]
    assert others == []
