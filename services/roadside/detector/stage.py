"""The detector's step: a frame in, the crops of its plates out."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from roadside.core.detect import crop_plate
from roadside.core.events import CropEvent
from roadside.core.frames import Frame
from roadside.core.moments import JUMP_NS
from roadside.core.view import View

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from roadside.core.events import FrameEvent
    from roadside.core.frames import CameraId
    from roadside.ports.system import Clock, Meter
    from roadside.ports.vision import Detector


EVERYTHING = View()
DRIFT = 1000
"""Two computers' clocks do not drift apart by more than one in so many."""


class DetectStage:
    """Finds plates and sends each with its frame, for the evidence.

    A live camera's frame that is older than `max_age_s` (None: any age will do) is dropped and counted: the present
    matters more. `clock` had better be one that nobody sets.
    """

    def __init__(  # noqa: PLR0913 - each is one thing that it is made of
        self,
        detector: Detector,
        max_age_s: float | None,
        clock: Clock,
        meter: Meter,
        *,
        model: str = "",
        view_of: Callable[[CameraId], View] = lambda _: EVERYTHING,
    ) -> None:
        """`model` names the nets in the evidence, by the SHA-256 of their files.

        `view_of` tells of a camera which plates are to be read: those in its zones, and wide enough.
        """
        self._view_of = view_of
        self._detector = detector
        self._max_age_ns = None if max_age_s is None else round(max_age_s * 1e9)
        self._clock = clock
        self._least: dict[CameraId, tuple[int, int]] = {}
        """Of cameras whose clock is far from ours: the least difference from them, and when that was known."""
        self._meter = meter
        self._model = model

    def handle(self, event: FrameEvent) -> Sequence[CropEvent]:
        """See `Stage.handle`."""
        camera = event.camera_id
        self._meter.count("frames_dropped_total", 0, camera=camera, reason="late")
        if event.live and self._is_late(event):
            self._meter.count("frames_dropped_total", camera=camera, reason="late")
            return ()
        started_s = time.perf_counter()
        image = event.picture.pixels()
        decoded_s = time.perf_counter()
        frame = Frame(camera, event.captured_at_ns, event.sequence, image, event.stamp, event.background)
        found = self._detector.detect(image)
        crops = [
            replace(
                crop_plate(frame, detection),
                model=self._model,
                others=tuple(other.box for other in found if other is not detection),
            )
            for detection in self._view_of(camera).wanted(found, (image.shape[1], image.shape[0]))
        ]
        self._meter.observe("decoding_seconds", decoded_s - started_s)
        self._meter.observe("inference_seconds", time.perf_counter() - decoded_s)
        self._meter.count("frames_total", camera=camera)
        self._meter.count("plates_total", len(crops), camera=camera)
        return [CropEvent(crop, event.picture) for crop in crops]

    def _is_late(self, event: FrameEvent) -> bool:
        return self._max_age_ns is not None and self._age_ns(event) > self._max_age_ns

    def _age_ns(self, event: FrameEvent) -> int:
        """How old a live frame is: where the two clocks are quite different, compared with the freshest seen."""
        now_ns = self._clock.now_ns()
        age_ns = now_ns - event.captured_at_ns
        if abs(age_ns) <= JUMP_NS:
            return age_ns
        least_ns, known_ns = self._least.get(event.camera_id, (age_ns, now_ns))
        least_ns = min(age_ns, least_ns + (now_ns - known_ns) // DRIFT)
        self._least[event.camera_id] = least_ns, now_ns
        return age_ns - least_ns
