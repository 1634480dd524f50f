"""The measure of what a picture costs measures, and its page tells of every case."""

from __future__ import annotations

from pathlib import Path

from tests.bench.peaks import CASES, HEAD, TAIL, row


def test_a_picture_over_the_bounds_is_refused_before_a_decoder_is_started() -> None:
    cells = [cell.strip() for cell in row("crop-over").strip("|").split("|")]
    assert cells[:2] == ["", "JPEG that claims 32000 x 32000"]
    assert cells[3] == "has too many pixels, 32000 x 32000"
    assert cells[5] == "-"
    assert int(cells[4]) < 20


def test_the_page_has_every_case() -> None:
    page = Path("docs/peaks.md").read_text(encoding="utf-8")
    assert page.startswith(HEAD)
    assert page.endswith(TAIL)
    rows = [line.strip("|").split("|") for line in page.splitlines() if line.startswith("|")][2:]
    assert [cells[1].strip() for cells in rows] == [picture for _, _, picture, _ in CASES.values()]
