"""Whether a plate went across the picture without growing or shrinking, as a banner that is drawn over it does.

A plate is seen from before or behind its vehicle, never from the side. So a vehicle whose plate is seen comes nearer or
goes away, too. Seen at the angle t from the plate's normal and from the distance D, a way of n widths (0.52 m each) in
the picture is n * 0.52 / tan(t) metres of road, on which the height of the plate changes by the share
n * 0.52 * cos(t)^2 / (D * sin(t)) and its width by n * 0.52 * |1 - 2 cos(t)^2| / (D * sin(t)). For each width of the
way the height changes by 1.8 % at 45 degrees and 20 m, where the width stands still, and the width by 1.5 % at 60
degrees, where the height hardly changes; from before and above, as most cameras look, both change by 10 %.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from roadside.core.motion import Place
from roadside.core.rectify import crop_corners

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from roadside.core.frames import Crop
    from roadside.core.reads import PlacedRead

LEAST_WIDTHS = 2.0
"""How far it must have gone, in its own widths: over less a real plate's size need not have changed visibly."""
LEAST_FRAMES = 3
WIDTH_CHANGE, HEIGHT_CHANGE = 0.0075, 0.01
"""For each width of the way: a share of the width and of the height that changes by more is a vehicle's, ..."""
WIDTH_UNREST, HEIGHT_UNREST = 0.016, 0.045
"""... unless these errors of single frames explain it: of 80 frames of banners that slid over a rendered street, 90 to
160 px wide, the standard deviations of the plate's width and height as the corner net finds them."""
SURE = 3.0
"""Standard errors of the slope that are allowed for."""


def slid(reads: Sequence[PlacedRead]) -> bool:
    """Whether the plate of `reads`, in capture order, went far and kept its width and its height all the way."""
    if len(reads) < LEAST_FRAMES:
        return False
    places = [Place.of(placed.crop.detection.box) for placed in reads]
    gone = np.array([places[0].distance(place) for place in places])
    if gone.max() < LEAST_WIDTHS:
        return False
    widths, heights = np.log([_size(placed.crop) for placed in reads]).T
    error = SURE / math.sqrt(float(((gone - gone.mean()) ** 2).sum()))
    return (
        abs(_slope(gone, widths)) < WIDTH_CHANGE + WIDTH_UNREST * error
        and abs(_slope(gone, heights)) < HEIGHT_CHANGE + HEIGHT_UNREST * error
    )


def _size(crop: Crop) -> tuple[float, float]:
    """Width and height of the plate itself, in pixels: the means of opposite edges, for boxes hold its tilt as well."""
    top_left, top_right, bottom_right, bottom_left = crop_corners(crop).astype(np.float64)
    width = math.dist(top_left, top_right) + math.dist(bottom_left, bottom_right)
    height = math.dist(top_left, bottom_left) + math.dist(top_right, bottom_right)
    return max(1.0, width / 2), max(1.0, height / 2)


def _slope(gone: NDArray[np.float64], sizes: NDArray[np.float64]) -> float:
    """Of the straight line through the natural logarithms of `sizes`, by least squares: change a width of the way."""
    way = gone - gone.mean()
    return float(way @ (sizes - sizes.mean()) / (way @ way))
