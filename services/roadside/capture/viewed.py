"""A source whose pictures are turned, flipped and masked before anybody sees them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from roadside.core.frames import Frame
    from roadside.core.view import View
    from roadside.ports.sources import FrameSource


class ViewedSource:
    """Meets `FrameSource`: another source's frames as a camera's view has them."""

    def __init__(self, inner: FrameSource, view: View) -> None:
        self.inner = inner
        """The source as it is."""
        self.view = view
        """May be replaced while frames are taken; the next frame follows it."""

    @property
    def live(self) -> bool:
        """See `FrameSource`."""
        return self.inner.live

    @property
    def frame_count(self) -> int | None:
        """See `FrameSource`."""
        return self.inner.frame_count

    @property
    def frames_per_s(self) -> float:
        """See `FrameSource`."""
        return self.inner.frames_per_s

    def frames(self) -> Iterator[Frame]:
        """See `FrameSource`."""
        for frame in self.inner.frames():
            shown = self.view.shown(frame.image)
            yield frame if shown is frame.image else replace(frame, image=shown)

    def close(self) -> None:
        """See `FrameSource`."""
        self.inner.close()
