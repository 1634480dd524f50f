"""What `mypy --strict` says of programs that use the Python API."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


USER_PROGRAM = """
import cv2
from roadside import ALPR, Plates, Sighting
from roadside.api import VerdictKind
from roadside.errors import RoadsideError

alpr = ALPR(search="fast", threads=2)
try:
    plates: Plates = alpr.read("street.jpg")
except RoadsideError as error:
    raise SystemExit(str(error)) from None
best: dict[str, float] = {plate.text: plate.confidence for plate in plates if plate.country is not None}
first: str = plates[0].text
left: float = plates[0].box.x1
picture = cv2.imread("street.jpg")
assert picture is not None
cv2.imwrite("annotated.jpg", alpr.read(picture).draw())
sightings: list[Sighting] = list(ALPR(registry="paid.db").watch("street.mp4"))
unpaid = [s.plate for s in sightings if s.verdict is not None and s.verdict.kind is VerdictKind.UNPAID]
"""


WRONG = """
ALPR(thread=2)
ALPR(search="hard")
alpr.read(7)
number: int = first
"""


def test_a_users_program_is_checked_strictly(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(USER_PROGRAM)
    (tmp_path / "wrong.py").write_text(USER_PROGRAM + WRONG)
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file", "/dev/null", "program.py", "wrong.py"]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    faults = [line.partition(":")[0] for line in run.stdout.splitlines() if ": error:" in line]
    assert faults == ["wrong.py"] * 4, run.stdout + run.stderr
