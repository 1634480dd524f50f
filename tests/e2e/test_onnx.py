"""`roadside read` says of real photographs what it says of them on the other interpreter."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from models.data.photographs import photographs as pictures_of
from roadside.kit.weights import weights_folder

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tests.conftest import Program

BASE_READER = weights_folder() / "reader"
PICTURES = 100
SURE = 0.5
CLOSE, CLOSE_UNSURE = 1e-2, 5e-2
"""The nets agree to 1e-5, but a cut is not continuous: OpenCV rounds its coordinates to 1/32 pixel, so that corners
that differ by 1e-5 pixels give pixels that differ by one, and unreadable lettering reads a little otherwise."""
SETS = ("pl_gate", "oi_gplates")


def said(program: Program, paths: Sequence[Path], runtime: str) -> list[dict[str, Any]]:
    # The same nets for both: by default LiteRT has larger ones whose integers are fast there alone.
    nets = ("--quality", "fast", "--reader-modeldir", BASE_READER)
    ran = program.run("read", "--json", "--runtime", runtime, *nets, *paths)
    assert ran.returncode == 0, ran.stderr
    return [json.loads(line) for line in ran.stdout.splitlines()]


def test_a_hundred_photographs_are_read_alike(program: Program, photographs: Path) -> None:
    chosen = []
    for name in SETS:
        chosen += [photographs / p.path for p in pictures_of(photographs) if p.source == name][: PICTURES // len(SETS)]
    assert len(chosen) == PICTURES
    plates = otherwise = 0
    for one, other in zip(said(program, chosen, "litert"), said(program, chosen, "onnx"), strict=True):
        assert [p["text"] for p in one["plates"]] == [p["text"] for p in other["plates"]], one["source"]
        for wanted, found in zip(one["plates"], other["plates"], strict=True):
            assert found["country"] == wanted["country"]
            close = CLOSE if wanted["confidence"] >= SURE else CLOSE_UNSURE
            assert found["confidence"] == pytest.approx(wanted["confidence"], abs=close)
            alike = found["box"] == pytest.approx(wanted["box"], abs=0.5)
            alike = alike and found["detector_score"] == pytest.approx(wanted["detector_score"], abs=1e-3)
            # Of a plate that nobody can read two looks can be worth the same, and either may be kept.
            assert alike or wanted["confidence"] < SURE
            otherwise += not alike
            plates += 1
    assert plates > PICTURES // 2
    assert otherwise <= plates // 50
