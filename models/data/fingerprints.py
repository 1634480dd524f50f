"""Perceptual hashes: pictures that look alike, whatever their size and compression."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

SAME_BITS = 4
"""Of 64 that may differ between copies of one picture, scaled or compressed anew."""
TWIN_BITS = 12
"""Of 64 that may differ between frames of one place taken shortly after another."""
_HASHED_PX = 32
_KEPT = 8
"""Rows and columns of the lowest frequencies that a hash is made of."""


def fingerprint(image: NDArray[np.uint8]) -> int:
    """64 bits of `image` ((H, W, 3) uint8): the signs of its lowest cosine terms against their median (pHash)."""
    grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    small = cv2.resize(grey, (_HASHED_PX, _HASHED_PX), interpolation=cv2.INTER_AREA).astype(np.float32)
    terms = cv2.dct(small)[:_KEPT, :_KEPT].ravel()
    bits = terms > np.median(terms[1:])
    bits[0] = False  # the mean brightness says nothing of what is seen
    return int("".join("1" if b else "0" for b in bits), 2)


def alike(fingerprints: Sequence[int], most_bits: int) -> list[tuple[int, int]]:
    """The pairs of places (i < j) whose fingerprints differ in at most `most_bits` bits."""
    words = np.array(fingerprints, np.uint64)
    octets = words.view(np.uint8).reshape(-1, 8)
    counts = np.array([v.bit_count() for v in range(256)], np.uint8)
    pairs = []
    for i in range(len(words) - 1):
        differing = counts[octets[i + 1 :] ^ octets[i]].sum(axis=1)
        pairs += [(i, i + 1 + int(j)) for j in np.nonzero(differing <= most_bits)[0]]
    return pairs


def clusters(count: int, pairs: Sequence[tuple[int, int]]) -> list[int]:
    """For each of `count` places the smallest place that `pairs` join it to, over any number of steps."""
    leader = list(range(count))

    def find(i: int) -> int:
        while leader[i] != i:
            leader[i] = leader[leader[i]]
            i = leader[i]
        return i

    for a, b in pairs:
        low, high = sorted((find(a), find(b)))
        leader[high] = low
    return [find(i) for i in range(count)]
