"""Reads a plate with a reader net: how its picture is cut, and when it is worth cutting it another way."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import cv2
import numpy as np

from roadside.core.ctc import EMPTY, compose, decode, softmax
from roadside.core.plates import fold
from roadside.core.pooling import pooled
from roadside.core.rectify import READ_MARGIN, aspect_ratio, crop_corners, grow, strip, three_line_strip, two_line_strip

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from roadside.core.frames import Crop
    from roadside.core.reads import Read
    from roadside.ports.nets import ReaderNet

    Layout = Callable[[NDArray[np.uint8], NDArray[np.float32]], NDArray[np.uint8]]
    """From a grey picture and the corners of its plate to the reader's strip."""

EXTRA_CUTS = ((0.13, 0.0), (0.2, 0.16), (-0.02, 0.0))
"""The margins of a second to a fourth cut: left and right a share of the plate's width, above and below of its height.
Chosen with BOX_CUT among 24 on a half of 493 unsure spoilt held-out plates and 110 of photographs: on the other half
194 were read right, 186 by the three cuts of before; nothing wrong with over 0.9."""
BOX_CUT = (0.08, 0.0)
"""The same of a cut at the detection's box, which is the truer one where the corners are wrong."""
HOPELESS = 0.03
"""Confidence under which no extra cut is tried: it is no plate."""
SURELY_READ = 0.98
"""Confidence under which extra cuts are tried. Of 1,159 spoilt held-out plates 888 were read right by the four cuts
together, 880 by the surest of three and 873 at the first attempt; 30, 55 and 29 were read wrong with over 0.9."""
SURELY_TWO_LINES = 1.8
SURELY_ONE_LINE = 2.8
"""Width over height; between the two both are read and the surer one counts."""
PERHAPS_THREE_LINES = 1.3
"""Width over height of the narrow plates of motorcycles, which may have three lines; two are tried as well."""
SURELY_THREE_LINES = 0.5
"""Confidence from which three lines are believed whose middle one two lines lack, however sure two are. A cut in two
halves goes through the middle line, and a reader that is used to half covered characters says nothing of them. On 160
rendered plates of three lines this rule was not chosen on: 120 read right and 3 wrong with over 0.9, without it 103 and
8; of 39 real and 160 rendered plates of two lines as many as before."""
UNREAD = 0.2
"""Confidence under which a high plate is tried as one of a single line between small print, as American ones are..."""
SURELY_A_PLATE = 0.5
"""... if its detection has this score after the corner net's look: of 263 plates of photographs that were not read so
60 are then (most of them training crops), and in 138 photographs without a plate no text more is read."""
OTHER_SPLITS = (0.42, 0.58)
"""Where else the rows of a plate of two lines may meet, as shares of its height."""


class PlateReader:
    """Reads plates, of one line or of two, with a reader net."""

    def __init__(self, net: ReaderNet, *, extra_cuts: bool = False) -> None:
        """With `extra_cuts` a plate that was not read for sure is cut anew: for stills, which have no next frame."""
        self._net = net
        self._extra_cuts = extra_cuts

    def read(self, crop: Crop) -> Read:
        """What stands on the plate; an empty text with confidence 0 where nothing can be read."""
        if min(crop.image.shape[:2]) < 2:
            return EMPTY
        grey = np.asarray(cv2.cvtColor(crop.image, cv2.COLOR_BGR2GRAY), np.uint8)
        corners = crop_corners(crop)
        aspect = aspect_ratio(corners)
        placed = grow(corners, READ_MARGIN, READ_MARGIN * aspect)
        looks = [(self.read_strip(layout(grey, placed)), layout) for layout in _layouts(aspect)]
        best, layout = _likeliest(looks)
        if _sureness(best) < UNREAD and aspect < SURELY_TWO_LINES and crop.detection.score >= SURELY_A_PLATE:
            best, layout = max((best, layout), (self.read_strip(strip(grey, placed)), strip), key=_confidence)
        if not self._extra_cuts or not HOPELESS < _sureness(best) < SURELY_READ:
            return best
        others = [layout(grey, other) for other in _other_cuts(crop, corners)]
        if layout is two_line_strip:
            others += [two_line_strip(grey, placed, split) for split in OTHER_SPLITS]
        return pooled([best, *map(self.read_strip, others)])

    def read_strip(self, grey: NDArray[np.uint8]) -> Read:
        """The read of a strip of `roadside.core.rectify`, (STRIP_HEIGHT_PX, STRIP_WIDTH_PX) uint8."""
        characters, countries = self._net.logits(grey)
        shares = softmax(countries)
        told = sorted(zip(self._net.countries, shares.tolist(), strict=True), key=lambda entry: -entry[1])
        return compose(decode(characters, self._net.temperature), told)


def _layouts(aspect: float) -> list[Layout]:
    """How a plate of this width over height may be laid out, at least one way."""
    layouts: list[Layout] = [strip] if aspect >= SURELY_TWO_LINES else []
    if aspect <= SURELY_ONE_LINE:
        layouts.append(two_line_strip)
    if aspect <= PERHAPS_THREE_LINES:
        layouts.append(three_line_strip)
    return layouts


def _likeliest(looks: list[tuple[Read, Layout]]) -> tuple[Read, Layout]:
    """The surest of `looks`, or the one in three lines where that lacks its middle line."""
    best = max(looks, key=_confidence)
    for look in looks:
        three_lines = look[1] is three_line_strip and look[0].confidence >= SURELY_THREE_LINES
        if three_lines and lacks_middle(best[0].text, look[0].text):
            return look
    return best


def lacks_middle(text: str, longer: str) -> bool:
    """Whether `text` is what is left of `longer` without some characters between its first and its last.

    >>> lacks_middle("AB12", "ABX712")
    True
    >>> lacks_middle("AB12", "AB123")
    False
    """
    text, longer = fold(text), fold(longer)
    gap = len(longer) - len(text)
    return gap > 0 and any(longer[:i] + longer[i + gap :] == text for i in range(1, len(text)))


def _confidence(one: tuple[Read, Layout]) -> float:
    return one[0].confidence


def _other_cuts(crop: Crop, corners: NDArray[np.float32]) -> list[NDArray[np.float32]]:
    """Where the plate is cut again: (4, 2) float32 pixels of the crop each."""
    cuts = [grow(corners, *margins) for margins in EXTRA_CUTS]
    if crop.detection.corners is not None:
        box = crop_corners(replace(crop, detection=replace(crop.detection, corners=None)))
        cuts.append(grow(box, *BOX_CUT))
    return cuts


def _sureness(read: Read) -> float:
    """The probability of the text and of those that differ from it in characters of one glyph, O and 0, I and 1.

    No other cut of the plate tells these apart.
    """
    alike = [a.log_p for a in read.alternatives if fold(a.text) == fold(read.text)]
    return max(read.confidence, min(1.0, sum(map(math.exp, alike))))
