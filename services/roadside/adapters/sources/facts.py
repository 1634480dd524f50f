"""What is known of a source once it is open."""

from __future__ import annotations

from dataclasses import dataclass

FRAMES_PER_S = 25.0
"""Of a file that does not say."""


@dataclass(frozen=True, slots=True)
class ClipFacts:
    """What a file says of its pictures."""

    frames_per_s: float = FRAMES_PER_S
    frame_count: int | None = None
    """About; None where nobody knows."""
    has_turn: bool = False
    """Whether the file says that its pictures are to be turned."""
