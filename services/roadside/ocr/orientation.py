"""Cameras whose pictures are mirrored or upside down, told by plates that read well only when they are turned."""

from __future__ import annotations

from collections import Counter, deque
from enum import Enum
from typing import TYPE_CHECKING

from roadside.core.plates import resolve
from roadside.core.turning import half_turned, mirrored

if TYPE_CHECKING:
    from roadside.core.frames import CameraId, Crop
    from roadside.core.reads import Read
    from roadside.ports.vision import Reader

SURE = 0.9
"""Confidence of a read that says how its picture lies. Of plates in photographs that were mirrored or turned by half 1
in 70 is read so as they are."""
UNREAD = 0.5
"""Confidence under which a plate is worth turning."""
LEAST_SCORE, LEAST_WIDTH_PX = 0.6, 60.0
"""Of a plate that is worth turning: one that can be read."""
REMEMBERED = 60
"""The latest reads that say something: the camera may be turned while it runs."""
LEAST = 3
TIMES_AS_MANY = 2
"""Reads of turned pictures, at least, and as many as so many times those of pictures as they are."""
EAGER_TRIES, EAGER_FRAMES, LATER_FRAMES = 30, 3, 25
"""A plate is turned in every third frame for thirty times, then in every 25th: three reads more, some 12 ms."""
MOST_CAMERAS = 1024


class Lie(Enum):
    """How a camera's pictures lie."""

    UPRIGHT = "upright"
    MIRRORED = "mirrored"
    UPSIDE_DOWN = "upside down"
    FLIPPED = "mirrored and upside down"


class CameraLie:
    """Finds out how one camera's pictures lie."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._found: deque[Lie] = deque(maxlen=REMEMBERED)
        self._tries = 0
        self._tried_in: int | None = None

    @property
    def lie(self) -> Lie:
        """What the latest reads say."""
        counts = Counter(self._found)
        upright = counts.pop(Lie.UPRIGHT, 0)
        if not counts:
            return Lie.UPRIGHT
        lie, most = counts.most_common(1)[0]
        return lie if most >= LEAST and most > TIMES_AS_MANY * upright else Lie.UPRIGHT

    def note(self, crop: Crop, read: Read) -> None:
        """`crop` gave `read`; now and then it is turned and read again."""
        if _says(read):
            self._found.append(Lie.UPRIGHT)
        elif (read.confidence < UNREAD or not _is_usual(read.text)) and self._is_due(crop):
            self._tries += 1
            self._tried_in = crop.sequence
            turned = half_turned(crop)
            for lie, tried in (
                (Lie.UPSIDE_DOWN, turned),
                (Lie.MIRRORED, mirrored(crop)),
                (Lie.FLIPPED, mirrored(turned)),
            ):
                if _says(self._reader.read(tried)):
                    self._found.append(lie)

    def _is_due(self, crop: Crop) -> bool:
        detection = crop.detection
        if detection.score < LEAST_SCORE or detection.box.width < LEAST_WIDTH_PX or min(crop.image.shape[:2]) < 2:
            return False
        pause = EAGER_FRAMES if self._tries < EAGER_TRIES else LATER_FRAMES
        return self._tried_in is None or abs(crop.sequence - self._tried_in) >= pause


class LieWatch:
    """Finds out how the pictures of several cameras lie; those heard of least lately are forgotten."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._cameras: dict[CameraId, CameraLie] = {}

    def note(self, crop: Crop, read: Read) -> Lie:
        """`crop` gave `read`: how its camera's pictures lie, as far as is known."""
        camera = self._cameras.pop(crop.camera_id, None) or CameraLie(self._reader)
        self._cameras[crop.camera_id] = camera
        while len(self._cameras) > MOST_CAMERAS:
            del self._cameras[next(iter(self._cameras))]
        camera.note(crop, read)
        return camera.lie

    def lie(self, camera_id: CameraId) -> Lie:
        """How a camera's pictures lie, as far as is known."""
        camera = self._cameras.get(camera_id)
        return Lie.UPRIGHT if camera is None else camera.lie


def _says(read: Read) -> bool:
    return read.confidence >= SURE and _is_usual(read.text)


def _is_usual(text: str) -> bool:
    """Whether it is a plate of a common format: turned plates read well as words made to order, 8KJ... for 9K7..."""
    return any(meant == text and not form.series and not form.needs_digit for meant, form in resolve(text))
