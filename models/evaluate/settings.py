"""Which models and photographs an evaluation looks at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from models.data.photographs import data_folder

if TYPE_CHECKING:
    from pathlib import Path

LARGE = "detector_large"


@dataclass(frozen=True, slots=True)
class Sources:
    """What is measured and where the report goes."""

    data: Path
    detectors: tuple[Path, ...]
    """Folders with a detect.tflite, that of moving pictures first."""
    readers: tuple[Path, ...]
    """Folders with a read.tflite, the pipeline's first."""
    tessdata: Path | None
    """Folder with gb.traineddata."""
    general_python: Path | None
    """Python of the environment that holds rapidocr."""
    peers_python: Path | None
    """Python of the environment that holds other projects' readers."""
    out: Path

    @property
    def photograph_detector(self) -> Path:
        """The folder of the detector that looks at photographs."""
        return next((folder for folder in self.detectors if folder.name == LARGE), self.detectors[0])


def find_sources(models: Path, out: Path) -> Sources:
    """The weights in `models/shipped`, those that are there. Raises InputError without photographs."""
    shipped = models / "shipped"
    tessdata = shipped / "tesseract"
    general = models.parent / ".venv-eval" / "bin" / "python"
    peers = models.parent / ".venv-peers" / "bin" / "python"
    return Sources(
        data_folder(),
        tuple(
            f for f in (shipped / n for n in ("detector", LARGE, "detector_uint8")) if (f / "detect.tflite").exists()
        ),
        tuple(
            f for f in (shipped / n for n in ("reader_wide", "reader", "reader_int8")) if (f / "read.tflite").exists()
        ),
        tessdata if (tessdata / "gb.traineddata").exists() else None,
        general if general.exists() else None,
        peers if peers.exists() else None,
        out,
    )
