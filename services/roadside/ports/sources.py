"""Where frames come from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator

    from roadside.core.frames import Frame


class FrameSource(Protocol):
    """Gives the frames of one camera, clip or set of pictures."""

    @property
    def live(self) -> bool:
        """Whether time passes while nobody looks: a camera, not a recording."""
        ...

    @property
    def frame_count(self) -> int | None:
        """How many frames there will be, about; None where nobody knows."""
        ...

    @property
    def frames_per_s(self) -> float:
        """The pace at which the frames were or are taken; 0 for single pictures."""
        ...

    def frames(self) -> Iterator[Frame]:
        """The frames in order, once. Raises SourceError where the source cannot be used (any more)."""
        ...

    def close(self) -> None:
        """Let go of files and devices; `frames` then ends. May be called from another thread, and twice."""
        ...
