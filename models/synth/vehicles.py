"""Vehicles in perspective: shaded bodies with their details and plates, their shadows and the blur of their motion."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from models.synth import details
from models.synth.bodies import BODIES, GLASS, PLASTIC, Body, Mesh, mesh
from models.synth.camera import streaked
from models.synth.canvas import Bgr, Colour, Corners, polygon, resized
from models.synth.posing import Cutout, composited

if TYPE_CHECKING:
    from collections.abc import Sequence

    from models.synth.view import View

Points = NDArray[np.float64]
Lane = Literal["approaching", "leaving"]

_SUPERSAMPLING = 2
# Over the viewer's left shoulder.
SUN = np.array([-0.42, 0.78, -0.46]) / np.linalg.norm([-0.42, 0.78, -0.46])
_ZENITH, _HORIZON = np.array([225.0, 178, 128]), np.array([240.0, 232, 222])
_WALLS, _ROAD = np.array([112.0, 116, 122]), np.array([74.0, 74, 76])
LANE_X: dict[Lane, float] = {"approaching": -1.75, "leaving": 1.75}


@dataclass(frozen=True, slots=True)
class Vehicle:
    """One vehicle that passes."""

    plate: str
    """Spelled with its separators: a space, `-`, or `*` for a seal."""
    country: str
    body: str
    """A key of BODIES."""
    paint: Colour
    lane: Lane
    near_s: float
    """When its plate is nearest to the camera."""
    speed_mps: float


@dataclass(frozen=True, slots=True)
class Model:
    """A vehicle with everything that does not change from frame to frame."""

    vehicle: Vehicle
    body: Body
    surface: Mesh
    coarse: Mesh
    """The surface for vehicles far away."""
    plate: Cutout


def model(vehicle: Vehicle, plate: Cutout) -> Model:
    """The vehicle built; `plate` is its flat plate."""
    body = BODIES[vehicle.body]
    return Model(vehicle, body, mesh(body), mesh(body, stations=12), plate)


def plate_distance(vehicle: Vehicle, near_m: float, time_s: float) -> float:
    """Metres along the street from the camera to the plate, which is `near_m` away at `near_s`."""
    passed = (time_s - vehicle.near_s) * vehicle.speed_mps
    return near_m - passed if vehicle.lane == "approaching" else near_m + passed


def plate_in_view(view: View, built: Model, distance: float) -> Corners:
    """The plate's corners (4, 2) in pixels with the plate `distance` metres down the street."""
    approaching = built.vehicle.lane == "approaching"
    world = _placed(built, details.plate_corners(built.body, at_front=approaching), distance)
    return view.project(world)[0].astype(np.float32)


def draw(view: View, frame: Bgr, built: Model, distance: float, shutter_s: float) -> Bgr:
    """The frame with the vehicle, its plate `distance` metres away, blurred as it moves while the shutter is open."""
    box = _box(view, built, distance)
    if box is None:
        return frame
    _shadow(view, frame, built, distance)
    x0, y0, x1, y1 = box
    size = (x1 - x0, y1 - y0)
    canvas = _Canvas(view, (x0, y0), np.zeros((size[1] * _SUPERSAMPLING, size[0] * _SUPERSAMPLING, 4), np.uint8))
    _paint(canvas, built, distance)
    drawn = resized(canvas.layer, size)  # colours are premultiplied by their coverage: the empty layer is black
    image, cover = np.ascontiguousarray(drawn[..., :3]), np.ascontiguousarray(drawn[..., 3])
    now = plate_in_view(view, built, distance)
    if float(np.ptp(now[:, 0])) > 4:
        image = composited(image, built.plate, now - np.array([x0, y0], np.float32))
    step = built.vehicle.speed_mps * shutter_s * (-1 if built.vehicle.lane == "approaching" else 1)
    moved = (plate_in_view(view, built, distance + step) - now).mean(axis=0)
    length, angle = float(np.hypot(*moved)), float(np.arctan2(moved[1], moved[0]))
    if length > 0.8:
        image, cover = streaked(image, length, angle), streaked(cover, length, angle)
    hidden = cv2.cvtColor(cover, cv2.COLOR_GRAY2BGR)
    under = frame[y0:y1, x0:x1]
    under[:] = cv2.add(cv2.subtract(under, cv2.multiply(under, hidden, scale=1 / 255)), image)
    return frame


@dataclass(frozen=True, slots=True)
class _Canvas:
    """A supersampled patch of the frame with its coverage."""

    view: View
    origin: tuple[int, int]
    layer: NDArray[np.uint8]
    """(H, W, 4) blue, green, red, coverage."""

    def place(self, world: Points) -> tuple[Points, Points]:
        """Pixels of the patch and depths of world points (n, 3)."""
        pixels, depth = self.view.project(world)
        return (pixels - self.origin) * _SUPERSAMPLING, depth


def _placed(built: Model, points: Points, distance: float) -> Points:
    """Points of the vehicle's own axes (n, 3) in the world, the plate `distance` metres away."""
    x = LANE_X[built.vehicle.lane]
    if built.vehicle.lane == "approaching":
        return np.asarray(points + np.array([x, 0, distance]))
    return np.asarray(points * [1, 1, -1] + np.array([x, 0, distance + built.body.length]))


def _box(view: View, built: Model, distance: float) -> tuple[int, int, int, int] | None:
    """What the vehicle covers of the frame, or None when it is not in it."""
    if distance + built.body.length < 2.0:
        return None
    w, height = built.body.half_width + 0.25, max(y for _, y in built.body.roof) + 0.1
    corners = np.array([(x, y, z) for x in (-w, w) for y in (0.0, height) for z in (0.0, built.body.length)])
    world = _placed(built, corners, distance)
    world[:, 2] = np.maximum(world[:, 2], 1.2)
    pixels, _ = view.project(world)
    low = np.maximum(np.floor(pixels.min(axis=0)).astype(int) - 12, 0)
    high = np.minimum(np.ceil(pixels.max(axis=0)).astype(int) + 12, [view.width, view.height])
    if (high - low < 6).any():
        return None
    return int(low[0]), int(low[1]), int(high[0]), int(high[1])


def _paint(canvas: _Canvas, built: Model, distance: float) -> None:
    body, vehicle = built.body, built.vehicle
    approaching = vehicle.lane == "approaching"
    near = _near(canvas.view, distance)
    # Of the flanks the one towards the camera is seen; details are made for positive x.
    flip = np.array([1.0 if LANE_X[vehicle.lane] < canvas.view.x else -1.0, 1, 1])
    travelled = distance / body.wheel * (1 if approaching else -1)
    behind = [*details.tyres(body), *(() if approaching else details.mirrors(body, vehicle.paint))]
    _patches(canvas, built, behind, distance)
    _surface(canvas, built, distance, built.surface if near else built.coarse)
    side = [patch for axle in body.axles for patch in details.wheel(body, axle, travelled)]
    if near:
        side += details.flank(body)
    side = [details.Patch(patch.points * flip, patch.colour, patch.line_m) for patch in side]
    if approaching:
        ends = [*details.screen(body), *details.front(body), *details.mirrors(body, vehicle.paint)]
    else:
        ends = [*details.rear(body), details.hollow(body)]
    _patches(canvas, built, [*side, *ends], distance)


def _near(view: View, distance: float) -> bool:
    """Whether a plate is over 20 px wide at this distance: beyond, fewer faces do."""
    return view.focal_px * details.PLATE_M[0] > 20 * distance


def _surface(canvas: _Canvas, built: Model, distance: float, surface: Mesh) -> None:
    """The body, far faces first, each in the colour of its material, the sun and what it mirrors."""
    world = _placed(built, surface.quads.reshape(-1, 3), distance).reshape(-1, 4, 3)
    normals = surface.normals * ([1, 1, 1] if built.vehicle.lane == "approaching" else [1, 1, -1])
    eye = np.array([canvas.view.x, canvas.view.y, 0.0]) - world.mean(axis=1)
    reach = np.sqrt((eye * eye).sum(axis=1))
    eye /= reach[:, None]
    pixels, depth = canvas.place(world.reshape(-1, 3))
    fixed = np.round(pixels * 16).astype(np.int32).reshape(-1, 4, 2)
    seen = np.flatnonzero(((normals * eye).sum(axis=1) > 0) & (depth.reshape(-1, 4).min(axis=1) > 0.4))
    seen = seen[np.argsort(-reach[seen])]
    colours = _shaded(np.array(built.vehicle.paint, np.float64), surface.materials[seen], normals[seen], eye[seen])
    for quad, (blue, green, red) in zip(fixed[seen], colours.tolist(), strict=True):
        cv2.fillConvexPoly(canvas.layer, quad, (blue, green, red, 255), cv2.LINE_8, 4)


def _shaded(paint: Points, materials: NDArray[np.int64], normals: Points, eye: Points) -> Points:
    """Colours (n, 3) of faces: diffuse light plus Schlick's share of the mirrored surroundings and the sun's glint."""
    base = np.repeat(paint[None], len(materials), axis=0)
    base[materials == GLASS] = (34, 31, 28)
    base[materials == PLASTIC] = (40, 39, 38)
    diffuse = 0.34 + 0.14 * normals[:, 1] + 0.74 * np.maximum(normals @ SUN, 0)
    cosine = np.clip((normals * eye).sum(axis=1), 0, 1)
    mirrored = 2 * cosine[:, None] * normals - eye
    polish = np.where(materials == PLASTIC, 0.25, 1.0)
    fresnel = (np.where(materials == GLASS, 0.1, 0.06) + 0.6 * (1 - cosine) ** 4) * polish
    glint = np.maximum(mirrored @ SUN, 0) ** 40 * 130 * polish
    lit = base * diffuse[:, None] * (1 - fresnel[:, None]) + fresnel[:, None] * _surrounding(mirrored) + glint[:, None]
    return np.asarray(np.clip(lit, 0, 255))


def _surrounding(direction: Points) -> Points:
    """What lies in a direction (n, 3): sky above, walls around, road below."""
    up = direction[:, 1:2]
    sky = _HORIZON + (_ZENITH - _HORIZON) * np.clip(up, 0, 1)
    walls = np.clip((0.35 - up) / 0.25, 0, 1)
    road = np.clip(-up / 0.15, 0, 1)
    return np.asarray((sky * (1 - walls) + _WALLS * walls) * (1 - road) + _ROAD * road)


def _patches(canvas: _Canvas, built: Model, patches: Sequence[details.Patch], distance: float) -> None:
    """The patches one over the other."""
    world = _placed(built, np.concatenate([patch.points for patch in patches]), distance)
    pixels, depth = canvas.place(world)
    fixed = np.round(pixels * 16).astype(np.int32)
    end = 0
    for patch in patches:
        start, end = end, end + len(patch.points)
        away = float(depth[start:end].min())
        if away < 0.4:
            continue
        colour = (*patch.colour, 255)
        if patch.line_m:
            thick = max(1, round(canvas.view.focal_px * patch.line_m / away * _SUPERSAMPLING))
            cv2.polylines(canvas.layer, [fixed[start:end]], False, colour, thick, cv2.LINE_8, 4)
        else:
            cv2.fillConvexPoly(canvas.layer, fixed[start:end], colour, cv2.LINE_8, 4)


def _shadow(view: View, frame: Bgr, built: Model, distance: float) -> None:
    """The vehicle's shadow on the road, in place: soft from the sun, dark below the body."""
    w, height = built.body.half_width, max(y for _, y in built.body.roof)
    foot = np.array(
        [(x, 0.0, z) for x, z in ((-w, 0.1), (w, 0.1), (w, built.body.length - 0.1), (-w, built.body.length - 0.1))]
    )
    ground = _placed(built, foot, distance)
    drift = -SUN / SUN[1] * height * np.array([1, 0, 1])
    high = (ground - ground.mean(axis=0)) * [0.85, 1, 0.55] + ground.mean(axis=0) + drift
    for points, strength, soft in ((np.concatenate([ground, high]), 0.5, 0.012), (ground, 0.6, 0.02)):
        points[:, 2] = np.maximum(points[:, 2], 1.5)
        pixels = view.project(points)[0].astype(np.float32)
        hull = cv2.convexHull(pixels)[:, 0]
        low = np.maximum(np.floor(hull.min(axis=0)).astype(int) - 20, 0)
        top = np.minimum(np.ceil(hull.max(axis=0)).astype(int) + 20, [view.width, view.height])
        if (top - low < 4).any():
            continue
        mask = np.zeros((int(top[1] - low[1]), int(top[0] - low[0])), np.uint8)
        polygon(mask, hull - low, (255 * strength,))
        size = max(3, int(np.ptp(hull[:, 0]) * soft * 2) // 2 * 2 + 1)
        shade = cv2.cvtColor(cv2.GaussianBlur(mask, (size, size), 0), cv2.COLOR_GRAY2BGR)
        patch = frame[low[1] : top[1], low[0] : top[0]]
        patch[:] = cv2.subtract(patch, cv2.multiply(patch, shade, scale=1 / 255))
