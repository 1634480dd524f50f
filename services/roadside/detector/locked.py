"""One model shared by the stream and by gRPC calls, which come from different threads."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from roadside.core.frames import Detection
    from roadside.ports.vision import Detector


class LockedDetector:
    """A Detector that one thread at a time may use."""

    def __init__(self, detector: Detector) -> None:
        self._detector = detector
        self._lock = threading.Lock()

    def detect(self, image: NDArray[np.uint8]) -> Sequence[Detection]:
        """See `Detector.detect`."""
        with self._lock:
            return self._detector.detect(image)
