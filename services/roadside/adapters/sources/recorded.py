"""Recordings: video files, those on servers, and what comes through a pipe. Every frame is looked at."""

from __future__ import annotations

import os
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

import cv2
import numpy as np

from roadside.adapters.sources.containers import clip_time
from roadside.adapters.sources.dating import Dating
from roadside.adapters.sources.decoders import decoder_of
from roadside.adapters.sources.decoding_process import DecodedSource
from roadside.adapters.sources.opening import Kind, Opening
from roadside.adapters.sources.places import Places, believable_rate
from roadside.core.frames import Frame
from roadside.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from roadside.adapters.sources.opening import Decoder
    from roadside.core.frames import CameraId
    from roadside.core.moments import Stamp
    from roadside.ports.system import Clock


FOR_PIPES = (
    "an MP4 that has its index at its end cannot be read as it comes: give its name, or send it with "
    "ffmpeg -i FILE -c copy -f mpegts - | roadside run -"
)


class RecordedSource:
    """A recording: every frame, as fast as they are asked for.

    A frame's place in time is when the recording was opened plus its place in it; its stamp says when it was taken.
    Pictures that the file says are to be turned, as those of telephones are, come turned.
    """

    live = False
    turned_over = False
    """Whether frames are turned by 180 degrees beyond what the file says: some programs note the opposite turn."""

    def __init__(  # noqa: PLR0913, PLR0917 - each is one thing that it is opened with
        self,
        opening: Opening,
        told: Stamp | None,
        camera_id: CameraId,
        clock: Clock,
        dating: Dating | None = None,
        on_note: Callable[[str], None] | None = None,
    ) -> None:
        """`told` is when it says that it was taken. An open file of `opening` belongs to it and is closed.

        Raises SourceError.
        """
        try:
            self._capture = DecodedSource(opening, on_note=on_note)
        finally:
            if opening.descriptor >= 0:
                os.close(opening.descriptor)
        facts = self._capture.facts
        self.has_turn = facts.has_turn
        """Whether the file says that its pictures are to be turned."""
        self._opening = opening
        self._camera_id = camera_id
        self._start_ns = clock.now_ns()
        self._first = (dating or Dating()).first(told, self._start_ns)
        self._closed = False
        self.frames_per_s = believable_rate(facts.frames_per_s)
        self.frame_count = facts.frame_count

    def frames(self) -> Iterator[Frame]:
        """All frames. Raises SourceError where there is none, DecoderDiedError where it ends its decoder."""
        sequence, places = 0, Places(self.frames_per_s)
        with closing(self._capture) as capture:
            while not self._closed and (image := capture.read()) is not None:
                at_s = places.next_s(capture.position_ms / 1000)
                if self.turned_over:
                    image = np.asarray(cv2.rotate(image, cv2.ROTATE_180), np.uint8)
                place_ns = round(at_s * 1e9)
                stamp = None if self._first is None else replace(self._first, at_ns=self._first.at_ns + place_ns)
                yield Frame(self._camera_id, self._start_ns + place_ns, sequence, image, stamp)
                sequence += 1
        if not sequence and not self._closed:
            mend = FOR_PIPES if self._opening.descriptor >= 0 else "copy it again"
            raise SourceError(f"{self._opening.name}: holds no frame that can be read; {mend}")

    def samples(self, count: int) -> Iterator[NDArray[np.uint8]]:
        """Up to `count` pictures from all over a clip, (H, W, 3) uint8 BGR, turned as the file says."""
        with closing(DecodedSource(replace(self._opening, samples=count))) as capture:
            while (image := capture.read()) is not None:
                yield image

    def close(self) -> None:
        """The frame in hand is the last."""
        self._closed = True
        self._capture.stop()


class ClipSource(RecordedSource):
    """A video file, which can be opened again."""

    def __init__(  # noqa: PLR0913, PLR0917 - each is one thing that it is opened with
        self,
        path: Path,
        camera_id: CameraId,
        clock: Clock,
        dating: Dating | None = None,
        decoder: Decoder | None = None,
        on_note: Callable[[str], None] | None = None,
    ) -> None:
        """`decoder` is PyAV where nobody says and it is installed. Raises SourceError."""
        if not path.is_file():
            raise SourceError(f"{path}: is no file but a pipe or a device; save the clip as a file first")
        if path.stat().st_size == 0:
            raise SourceError(f"{path}: is empty (0 bytes); copy it again")
        opening = Opening(Kind.CLIP, str(path.absolute()), str(path), decoder=decoder or decoder_of())
        super().__init__(opening, clip_time(path), camera_id, clock, dating, on_note)
