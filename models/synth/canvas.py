"""Typed drawing: OpenCV's fills, scalings and blends on uint8 and float32 pictures, in sub-pixel coordinates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Sequence

Bgr = NDArray[np.uint8]
"""(H, W, 3) uint8, blue green red."""
Mask = NDArray[np.uint8]
"""(H, W) uint8 coverage, 255 is full."""
Field = NDArray[np.float32]
"""(H, W) or (H, W, 3) float32."""
Corners = NDArray[np.float32]
"""(4, 2) pixels x, y: top left, top right, bottom right, bottom left."""
Colour = tuple[int, int, int]
"""Blue, green, red, 0 to 255."""

Picture = TypeVar("Picture", NDArray[np.uint8], NDArray[np.float32])

_SHIFT = 4
"""Fractional bits of the coordinates that OpenCV draws with: sixteenths of a pixel."""


def _fixed(points: object) -> Any:  # noqa: ANN401 - OpenCV's stubs want a type that NumPy's do not give
    return np.round(np.asarray(points, np.float64) * (1 << _SHIFT)).astype(np.int32)


def polygon(picture: NDArray[Any], points: object, colour: Sequence[float], *, smooth: bool = True) -> None:
    """Fill a convex polygon of points (n, 2) x, y in place; `smooth` softens its edges."""
    cv2.fillConvexPoly(picture, _fixed(points), colour, cv2.LINE_AA if smooth else cv2.LINE_8, _SHIFT)


def disc(
    picture: NDArray[Any], centre: tuple[float, float], radius: float, colour: Sequence[float], line: int = -1
) -> None:
    """Fill a circle in place, or with `line` draw its rim that many pixels wide."""
    x, y = _fixed(centre)
    cv2.circle(picture, (int(x), int(y)), max(1, int(_fixed(radius))), colour, line, cv2.LINE_AA, _SHIFT)


def resized(picture: Picture, size: tuple[int, int], kernel: int = cv2.INTER_AREA) -> Picture:
    """The picture at `size` (width, height)."""
    scaled: Any = cv2.resize(picture, size, interpolation=kernel)
    return np.asarray(scaled, picture.dtype)


def warped(
    picture: Picture, matrix: NDArray[np.float64], size: tuple[int, int], border: int = cv2.BORDER_CONSTANT
) -> Picture:
    """The picture through a 3 x 3 homography onto a canvas of `size` (width, height)."""
    moved: Any = cv2.warpPerspective(picture, matrix, size, flags=cv2.INTER_LINEAR, borderMode=border)
    return np.asarray(moved, picture.dtype)


def blend(below: Bgr, above: Bgr, cover: Mask) -> Bgr:
    """`above` over `below` where `cover` is full, mixed where it is less."""
    share = np.multiply(cover, np.float32(1 / 255), dtype=np.float32)
    return np.asarray(cv2.blendLinear(above, below, share, np.subtract(np.float32(1), share)), np.uint8)


def paste(image: Bgr, mask: Mask, x: int, y: int, *, colour: Colour) -> None:
    """Print `mask` in `colour` with its top left corner at x, y, in place, cut at the edges."""
    x0, y0, x1, y1 = (
        max(x, 0),
        max(y, 0),
        min(x + mask.shape[1], image.shape[1]),
        min(y + mask.shape[0], image.shape[0]),
    )
    if x1 <= x0 or y1 <= y0:
        return
    patch = image[y0:y1, x0:x1]
    cover = mask[y0 - y : y1 - y, x0 - x : x1 - x]
    image[y0:y1, x0:x1] = blend(np.ascontiguousarray(patch), np.full_like(patch, colour), np.ascontiguousarray(cover))
