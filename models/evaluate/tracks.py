"""Whether the reads of a vehicle fused are better than its best frame, a vote of its frames and its last frame."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from models.evaluate import approaches, calibration, streets, weather
from models.evaluate.approaches import Pipeline
from models.evaluate.end_to_end import LEAST_CONFIDENCE
from models.evaluate.fusion_methods import METHODS, KnownTrack, compare, right
from models.evaluate.report import Section, Table, share
from roadside.core.fusion import fuse
from roadside.core.plates import fold
from roadside.errors import ModelError
from roadside.vision import open_corner_finder, open_detector, open_reader

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from models.evaluate.settings import Sources
    from roadside.core.reads import FusedPlate

STREETS = {7: weather.FAR, 11: weather.NIGHT, 12: weather.RAIN, 13: weather.FAR}
"""Seeds of rendered clips; each is seen by day and in this weather."""
CLIP, CLIP_PLATE, CLIP_FPS, CLIP_STEP = "uk_ls15ebc.mp4", "LS15EBC", 25.0, 4
LEAST_READS = 2
"""Tracks of clips with fewer reads leave nothing to decide."""


def evaluate(sources: Sources) -> Section:
    """The same reads decided by every method."""
    if not sources.detectors or not sources.readers:
        raise ModelError("no detector or no reader to evaluate")
    pipeline = Pipeline(
        open_detector(sources.detectors[0]),
        open_corner_finder(sources.detectors[0]),
        open_reader(sources.readers[0]),
        LEAST_CONFIDENCE,
    )
    sets = {**photographed(sources, pipeline), **streets_driven(sources, pipeline), **clip_parts(sources, pipeline)}
    return section(sets)


def section(sets: Mapping[str, Sequence[KnownTrack]]) -> Section:
    """The report of the named `sets` of tracks."""
    rows = [_row(name, members) for name, members in sets.items() if members]
    columns = ("tracks of", "tracks", "reads", *METHODS, *(f"against {method}" for method in list(METHODS)[1:]))
    tables = (Table("Folded exact", columns, tuple(rows), NOTE), trusted(sets))
    return Section("tracks", "Reads of a passage together", tables)


def trusted(sets: Mapping[str, Sequence[KnownTrack]]) -> Table:
    """Whether the fused plate is right as often as its confidence says."""
    rows = []
    for name, members in sets.items():
        fused = [(fuse(track.reads).plate, track.truth) for track in members if track.reads]
        confidences = [folded_confidence(plate) for plate, _ in fused]
        true = [fold(plate.text) == fold(truth) for plate, truth in fused]
        sure = [one for confidence, one in zip(confidences, true, strict=True) if confidence > calibration.SURE]
        if fused:
            error = share(calibration.expected_error(calibration.bins(confidences, true)))
            rows.append((name, str(len(fused)), error, f"{sure.count(False)} of {len(sure)}"))
    columns = ("tracks of", "tracks with a read", "calibration error", f"wrong over {calibration.SURE}")
    return Table("Can the fused confidence be trusted", columns, tuple(rows), TRUSTED_NOTE)


NOTE = (
    "Every way decides on the same reads of the product's corner net and reader. Best frame: the read with the highest "
    "confidence. Majority: the text of most reads, of equally many the surest. Unweighed: the fusion without regard to "
    "sharpness and size. Against: tracks that only the fusion "
    "has right - only the other (chance of so uneven a result were they equally good: two-sided sign test). "
    f"Photographs: held-out plates, each as {approaches.FRAMES} frames that approach (30 to 80 px wide, far 24 to 52), "
    "shifted, turned, blurred, noisy, compressed, the box inexact; "
    "left out are pictures that end at the plate's sides. Rendered: "
    f"{len(STREETS)} streets of six vehicles through detector and tracks at {streets.FPS} frames a second. Clip: "
    f"{CLIP}, its car's track in parts of {streets.WINDOW} reads, which are one car and so not independent."
)


def folded_confidence(plate: FusedPlate) -> float:
    """The probability, 0 to 1, of the plate's text and of those that differ from it in O and 0, I and 1 alone."""
    alike = (math.exp(one.log_p) for one in plate.alternatives if fold(one.text) == fold(plate.text))
    return min(1.0, max(plate.confidence, sum(alike)))


TRUSTED_NOTE = (
    "Right is folded exact, and the confidence that of all texts that are the plate's when folded. "
    f"{calibration.BINS} bins of equal width."
)


def photographed(sources: Sources, pipeline: Pipeline) -> dict[str, list[KnownTrack]]:
    """Photographs that approach, by group and by weather."""
    by_group: dict[str, list[KnownTrack]] = {}
    by_weather: dict[str, list[KnownTrack]] = {f"photographs, {each.name}": [] for each in weather.ALL}
    for plate in approaches.plates(sources.data, pipeline.finder):
        seen_in = approaches.weather_of(plate)
        found = approaches.track(plate, seen_in, pipeline)
        by_group.setdefault(f"photographs, {plate.group}", []).append(found)
        by_weather[f"photographs, {seen_in.name}"].append(found)
    everything = [track for members in by_group.values() for track in members]
    return {**by_group, **by_weather, "photographs, all": everything}


def streets_driven(sources: Sources, pipeline: Pipeline) -> dict[str, list[KnownTrack]]:
    """Rendered streets, by day and worse."""
    folder = sources.out.parents[1] / "var" / "evaluate"
    day: list[KnownTrack] = []
    worse: list[KnownTrack] = []
    for seed, conditions in STREETS.items():
        made = streets.rendered(folder, seed)
        for members, seen_in in ((day, weather.DAY), (worse, conditions)):
            found = streets.street_tracks(made, seen_in, pipeline)
            members += [track for track in found if len(track.reads) >= LEAST_READS]
    return {"rendered, day": day, "rendered, far, night, rain": worse, "rendered, all": day + worse}


def clip_parts(sources: Sources, pipeline: Pipeline) -> dict[str, list[KnownTrack]]:
    """The car of the clip is the one whose plate is seen largest for longest; a distant other one passes too."""
    path = sources.data / "clips" / CLIP
    parts: list[KnownTrack] = []
    for seen_in in weather.ALL:
        frames = streets.pictures(path, CLIP_STEP)
        found = streets.tracks(frames, seen_in, CLIP_FPS / CLIP_STEP, pipeline)
        car = max(found, key=lambda track: sum(placed.crop.detection.box.width for placed in track.reads))
        parts += streets.windows(KnownTrack("clip", CLIP_PLATE, car.reads))
    return {"clip, in parts": parts}


def _row(name: str, members: Sequence[KnownTrack]) -> tuple[str, ...]:
    results = {method: [right(track, decide) for track in members] for method, decide in METHODS.items()}
    (_, mine), *others = results.items()
    compared = [compare(mine, other) for _, other in others]
    return (
        name,
        str(len(members)),
        f"{sum(len(track.reads) for track in members) / len(members):.1f}",
        *(share(sum(found) / len(found)) for found in results.values()),
        *(f"{d.won} - {d.lost} ({d.chance:.2g})" for d in compared),
    )
