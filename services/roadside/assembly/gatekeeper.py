"""Opens gates while the vehicle still waits: looks at the tracks that grow, and opens once a passage."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from roadside.core.showing import EvidenceRule, fuse_track

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from roadside.core.frames import CameraId
    from roadside.core.known import KnownMatch
    from roadside.core.reads import FusedPlate, Track

    Find = Callable[[FusedPlate, int], Sequence[KnownMatch]]
    Opened = Callable[[CameraId, KnownMatch, Collection[str]], None]

AGAIN_S = 20.0
"""A vehicle that is seen again within so long of its last look has not left: pieces of a passage are joined so far."""
FEW_READS = 8
"""Up to so many reads of a track each new one is looked at; later every fourth."""


class Gatekeeper:
    """Of all cameras of one process; for one thread."""

    def __init__(self, find: Find, opened: Opened, now_s: Callable[[], float] = time.monotonic) -> None:
        """`find` tells which known plates a plate may be at a time; `opened` is told of what is to be opened."""
        self._find = find
        self._opened = opened
        self._now_s = now_s
        self._rule = EvidenceRule()
        self._looked: dict[tuple[CameraId, str], int] = {}
        self._open: dict[tuple[CameraId, str, str], tuple[str, float]] = {}
        """Camera, list and plate: the track for which it was opened, and when that was seen last."""

    def look(self, camera_id: CameraId, tracks: Sequence[Track], relays: Collection[str]) -> None:
        """These are the vehicles before a camera now; `relays` are what it opens."""
        now_s = self._now_s()
        present = {track.track_id for track in tracks}
        self._looked = {key: n for key, n in self._looked.items() if key[0] != camera_id or key[1] in present}
        for key, (track_id, last_s) in tuple(self._open.items()):
            if key[0] == camera_id and track_id in present:
                self._open[key] = track_id, now_s
            elif now_s - last_s > AGAIN_S:
                del self._open[key]
        for track in tracks:
            self._consider(camera_id, track, relays, now_s)

    def _consider(self, camera_id: CameraId, track: Track, relays: Collection[str], now_s: float) -> None:
        count = len(track.identities)
        before = self._looked.get((camera_id, track.track_id), 0)
        if count == before or (before >= FEW_READS and count < before + 4):
            return
        self._looked[camera_id, track.track_id] = count
        fusion = fuse_track(track, self._rule)
        if fusion is None:
            return
        for match in self._find(fusion.plate, track.last_seen_ns):
            key = (camera_id, match.list_name, match.plate)
            if match.opens and key not in self._open:
                self._opened(camera_id, match, relays)
                self._open[key] = track.track_id, now_s
