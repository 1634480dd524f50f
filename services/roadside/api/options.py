"""The options of the Python API, by the names of the settings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypedDict

if TYPE_CHECKING:
    import os


class Options(TypedDict, total=False):
    """The options of [`ALPR`][roadside.api.ALPR]: settings of the same names, which `roadside settings` lists.

    One that is not given comes from its `ROADSIDE_*` variable, then from the file that `ROADSIDE_CONFIG` names, then
    from its default, as for every command.
    """

    modeldir: str | os.PathLike[str]
    """Folder with the detector's `detect.tflite` and `labelmap.txt`; default: the shipped one."""
    quality: Literal["auto", "fast", "best"]
    """The shipped detector: the small one (`fast`), the large one (`best`), or the large one for photographs alone."""
    reader: Literal["tflite", "tesseract", "article"]
    """`tflite`, our own net, if not given; `tesseract` and `article` (the baseline) need tesseract-ocr."""
    reader_modeldir: str | os.PathLike[str]
    """Folder with the reader's `read.tflite` and `reader.json`; default: the shipped one."""
    tessdata: str | os.PathLike[str]
    """Folder with `gb.traineddata` for the readers of Tesseract; default: the shipped one."""
    runtime: str
    """What runs the nets: `litert`, the default, `tflite-runtime`, or `onnx` with the extra `roadside[onnx]`."""
    threads: int
    """Threads of the detector and of the reader, 1 to 64."""
    search: Literal["auto", "fast", "tiles"]
    """Looking for small plates: always (`tiles`), never (`fast`), or where it is worth the time."""
    score: float
    """Least score of a detected plate, 0 to 1."""
    confidence: float
    """Least confidence of a read, 0 to 1; below it, nothing was read."""
    camera: str
    """Name of the camera in the sightings of `watch`."""
    width: int
    """Pixels asked of USB and Pi cameras."""
    height: int
    """Pixels asked of USB and Pi cameras."""
    fps: int
    """Frames a second asked of USB and Pi cameras."""
    timeout_s: float
    """Seconds of silence after which a camera counts as gone."""
    motion_gate: bool
    """Skip a live camera's frames in which nothing moves."""
    rotation: Literal[0, 90, 180, 270]
    """Degrees by which the pictures of `watch` are turned clockwise."""
    flip: Literal["none", "horizontal", "vertical"]
    """How the pictures of `watch` are mirrored, after they were turned."""
    least_width: float
    """Plates narrower than so many pixels are not read by `watch`."""
    recorded_at: str
    """When recordings were taken, such as `2026-06-01T12:00+02:00`, instead of what their files say; `now`: as they are
    watched."""
    clock_sync: Literal["auto", "required", "off"]
    """Whether a live camera's time is believed: unless the system says that its clock is not synchronised, only where
    it says that it is, or always."""
    timezone: str
    """Time zone of times without one; default Europe/Prague."""
    registry: str | os.PathLike[str]
    """SQLite file of the registry of vignettes (`roadside registry import`): `watch` then gives verdicts."""
    registry_http: str | os.PathLike[str]
    """TOML file that describes a registry asked over HTTP instead (docs/verdict.md)."""
    verdict_time_tolerance_s: float
    """A vehicle has paid if it had paid so many seconds before its first frame or after its last."""
    grace_s: float
    """A vignette begun so many seconds after the passage still counts."""
    confusions: str | os.PathLike[str]
    """Statistics of the reader's errors, for the verdict; default: those of the shipped reader."""
