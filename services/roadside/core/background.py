"""How far the background of a camera's pictures has moved in them: it moves where the camera does."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Background:
    """Where the background is in one picture, against where it was when `since_ns` began."""

    x: float
    y: float
    """The shift, in pixels of the frame, to the right and down; 0 and 0 of a camera that stands still."""
    since_ns: int = 0
    """The capture time of the picture that the shift is counted from. Shifts of different ones say nothing of each
    other: in between the picture changed as a whole, and by how much the camera moved is not known."""
    told: bool = True
    """Whether the shift is of this very picture; False where the picture changed as a whole and no shift explains
    it, so that it is that of an earlier one."""

    def is_since(self, other: Background) -> bool:
        """Whether the two shifts may be compared."""
        return self.since_ns == other.since_ns
