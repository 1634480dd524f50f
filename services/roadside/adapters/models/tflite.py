"""The detector and the reader that run TFLite models, on whichever interpreter is installed."""

from __future__ import annotations

import importlib
import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import cv2
import numpy as np

from roadside.adapters.models.flatbuffer import is_tflite, is_whole
from roadside.core.ctc import COLUMN, EMPTY, compose, decode, softmax
from roadside.core.detect import (
    SearchPolicy,
    halves,
    merge,
    order_outputs,
    parse_labelmap,
    plate_classes,
    second_look,
    to_detections,
)
from roadside.core.frames import Box
from roadside.core.plates import fold
from roadside.core.reads import ALPHABET
from roadside.core.rectify import STRIP_HEIGHT_PX, STRIP_WIDTH_PX, box_corners, grow, strip, two_line_strip
from roadside.errors import ModelError, SettingsError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from roadside.core.frames import Crop, Detection
    from roadside.core.reads import Read

RUNTIMES = {"litert": "ai_edge_litert.interpreter", "tflite-runtime": "tflite_runtime.interpreter"}
"""By the value of ROADSIDE_RUNTIME, the faster one first (4-7 times for int8 on x86-64)."""
READ_MARGIN = 0.03
"""Around the plate, of its width, on every side: measured best."""
OTHER_MARGINS = ((0.1, 0.05), (0.0, 0.0))
"""Of a plate's width, left and right, above and below: what a second and a third attempt cut."""
HOPELESS = 0.03
"""Confidence under which not even a patient reader tries again: it is no plate."""
SURELY_READ = 0.98
"""Confidence under which a patient reader tries other cuts of the plate, and takes the surest: of 893 plates
859 were read right so, 852 at the first attempt."""
WORTH_PATIENCE = 0.5
"""Score of a detection from which a patient reader takes that trouble: of 80 below it one was a plate that counted."""
HALVED_FROM = 2.8
"""Times as large as the detector's input, in the direction where it is less."""
SURELY_TWO_LINES = 1.8
SURELY_ONE_LINE = 2.8
"""Width over height; between the two both are read and the surer one counts."""


class Interpreter(Protocol):
    """What both runtimes offer, as far as it is used."""

    def allocate_tensors(self) -> None: ...  # noqa: D102
    def invoke(self) -> None: ...  # noqa: D102
    def get_input_details(self) -> list[dict[str, Any]]: ...  # noqa: D102
    def get_output_details(self) -> list[dict[str, Any]]: ...  # noqa: D102
    def set_tensor(self, index: int, value: NDArray[Any]) -> None: ...  # noqa: D102
    def get_tensor(self, index: int) -> NDArray[Any]: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class Quantisation:
    """How the whole numbers of a tensor stand for real ones: (number - zero) * scale."""

    dtype: np.dtype[Any]
    scale: float
    """0 where the tensor holds real numbers."""
    zero: int

    @staticmethod
    def of(details: dict[str, Any]) -> Quantisation:
        """As the interpreter tells of a tensor."""
        scale, zero = details["quantization"]
        return Quantisation(np.dtype(details["dtype"]), float(scale), int(zero))

    def to_real(self, tensor: NDArray[Any]) -> NDArray[np.float32]:
        """A tensor's values, float32."""
        real = tensor.astype(np.float32)
        return (real - np.float32(self.zero)) * np.float32(self.scale) if self.scale else real


def as_numbers(grey: NDArray[np.uint8], dtype: np.dtype[Any]) -> NDArray[Any]:
    """Pixels 0..255 as a model's input takes them: uint8 and real inputs as they are, int8 less 128.

    Whatever range of real numbers a quantised model was trained on, its scale and zero map the 256 numbers of
    the input to it: they are the pixels.
    """
    return (grey ^ np.uint8(128)).view(np.int8) if dtype == np.int8 else grey


def load_interpreter(path: Path, threads: int, runtime: str | None = None) -> Interpreter:
    """An interpreter of the model at `path`, its tensors allocated.

    `runtime` is a key of RUNTIMES, as ROADSIDE_RUNTIME gives it; None takes the first that is installed.

    Raises SettingsError for a runtime that is not known or not installed, ModelError for a file that is
    no TFLite model.
    """
    module = _runtime_module(runtime)
    content = _model_bytes(path)
    try:
        interpreter: Interpreter = module.Interpreter(model_content=content, num_threads=threads)
        interpreter.allocate_tensors()
    except (ValueError, RuntimeError) as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else "no reason given"
        raise ModelError(f"{path} cannot be run by {module.__name__.split('.')[0]}: {reason}") from error
    return interpreter


def squash(image: NDArray[np.uint8], size: tuple[int, int], out: NDArray[np.uint8]) -> None:
    """`image` ((H, W, 3) uint8) resized to `size` (width, height) into `out`, without regard to its shape.

    It is halved by averaging until it is less than three times as large as wanted, then sampled bilinearly: the
    detector finds as much in it as in a picture averaged in one go, which takes ten times as long.
    """
    while min(image.shape[1] / size[0], image.shape[0] / size[1]) >= HALVED_FROM:
        height, width = image.shape[0] // 2, image.shape[1] // 2
        even = image[: 2 * height, : 2 * width]
        image = np.asarray(cv2.resize(even, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
    cv2.resize(image, size, dst=out, interpolation=cv2.INTER_LINEAR)


class TfliteDetector:
    """Finds plates with `detect.tflite` and `labelmap.txt` of a folder, as the TF Object Detection API exports them."""

    def __init__(
        self,
        modeldir: Path,
        threads: int = 2,
        score_threshold: float = 0.3,
        policy: SearchPolicy | None = None,
        runtime: str | None = None,
    ) -> None:
        """Raises ModelError where the folder holds no detection model with a class that is a plate."""
        path = modeldir / "detect.tflite"
        self._classes = _load_plate_classes(modeldir / "labelmap.txt")
        self._interpreter = load_interpreter(path, threads, runtime)
        self._policy = policy or SearchPolicy()
        self._threshold = score_threshold
        inputs, self._outputs = self._interpreter.get_input_details(), self._interpreter.get_output_details()
        shape = [int(n) for n in inputs[0]["shape"]]
        if len(inputs) != 1 or len(shape) != 4 or shape[0] != 1 or shape[3] != 3 or len(self._outputs) != 4:
            raise ModelError(
                f"{path} is no detection model: it takes {shape} and gives {len(self._outputs)} output(s), not"
                " [1, height, width, 3] and 4 (boxes, classes, scores, count)"
            )
        self._input = inputs[0]["index"]
        self._quantisation = Quantisation.of(inputs[0])
        self._size = (shape[2], shape[1])
        self._resized = np.empty((shape[1], shape[2], 3), np.uint8)
        self._tensor = np.empty(shape, self._quantisation.dtype)
        self._prove(path, shape)

    @property
    def input_size(self) -> tuple[int, int]:
        """Width and height of the model's input in pixels."""
        return self._size

    def detect(
        self,
        image: NDArray[np.uint8],
        policy: SearchPolicy | None = None,
        first: Sequence[Detection] | None = None,
    ) -> Sequence[Detection]:
        """The plates of `image` ((H, W, 3) uint8, blue green red), best score first, boxes in its pixels.

        `policy` takes the place of the detector's own for this picture, `first` that of the first look.
        """
        policy = policy or self._policy
        height, width = image.shape[:2]
        if first is None:
            first = self.look(image, Box(0, 0, width, height))
            if regions := halves(first, width, height, policy):
                first = merge(first, [(region, self.look(image, region)) for region in regions], width, height, policy)
        regions = second_look(first, width, height, policy)
        return merge(first, [(region, self.look(image, region)) for region in regions], width, height, policy)

    def look(self, image: NDArray[np.uint8], region: Box) -> tuple[Detection, ...]:
        """One run of the model on a part of `image` in whole pixels, boxes in pixels of the image."""
        part = image[int(region.y1) : int(region.y2), int(region.x1) : int(region.x2)]
        squash(part, self._size, self._resized)
        self._fill()
        self._interpreter.set_tensor(self._input, self._tensor)
        self._interpreter.invoke()
        return to_detections(order_outputs(self._tensors()), region, self._classes, self._threshold)

    def _fill(self) -> None:
        """The resized picture as the model wants it: red green blue, real or quantised."""
        cv2.cvtColor(self._resized, cv2.COLOR_BGR2RGB, dst=self._resized)
        if self._quantisation.dtype == np.float32:
            np.multiply(self._resized, np.float32(1 / 127.5), out=self._tensor[0])
            self._tensor -= np.float32(1)
        else:
            self._tensor[0] = as_numbers(self._resized, self._quantisation.dtype)

    def _tensors(self) -> list[NDArray[np.float32]]:
        return [Quantisation.of(o).to_real(self._interpreter.get_tensor(o["index"])) for o in self._outputs]

    def _prove(self, path: Path, shape: list[int]) -> None:
        """A run on a grey picture: a model whose outputs make no sense is told of now, not at the first frame."""
        try:
            self.look(np.full((shape[1], shape[2], 3), 127, np.uint8), Box(0, 0, shape[2], shape[1]))
        except (ValueError, RuntimeError) as error:
            raise ModelError(f"{path} is no detection model: {str(error).splitlines()[0]}") from error


class TfliteReader:
    """Reads plates with `read.tflite` and `reader.json` of a folder."""

    def __init__(self, folder: Path, threads: int = 1, runtime: str | None = None, *, patient: bool = False) -> None:
        """A `patient` reader cuts a plate anew that it did not read for sure: for stills, which have no next frame.

        Raises ModelError where the folder holds no such reader.
        """
        self._patient = patient
        path = folder / "read.tflite"
        card = _load_card(folder / "reader.json")
        self._interpreter = load_interpreter(path, threads, runtime)
        self._temperature, self._countries = card.temperature, card.countries
        inputs, outputs = self._interpreter.get_input_details(), self._interpreter.get_output_details()
        shape = [int(n) for n in inputs[0]["shape"]]
        characters = [o for o in outputs if len(o["shape"]) == 3 and o["shape"][2] == len(card.characters) + 1]
        countries = [o for o in outputs if len(o["shape"]) == 2 and o["shape"][1] == len(card.countries)]
        if shape != [1, STRIP_HEIGHT_PX, STRIP_WIDTH_PX, 1] or len(characters) != 1 or len(countries) != 1:
            given = [[int(n) for n in o["shape"]] for o in outputs]
            raise ModelError(
                f"{path} is no reader: it takes {shape} and gives {given}, not"
                f" [1, {STRIP_HEIGHT_PX}, {STRIP_WIDTH_PX}, 1] and [1, T, {len(card.characters) + 1}],"
                f" [1, {len(card.countries)}]"
            )
        self._characters, self._country = characters[0], countries[0]
        self._columns = np.array([0, *(card.characters.index(c) + 1 for c in ALPHABET)])
        self._input, self._quantisation = inputs[0]["index"], Quantisation.of(inputs[0])
        self._tensor = np.empty(shape, self._quantisation.dtype)

    def read(self, crop: Crop) -> Read:
        """What stands on the plate; an empty text with confidence 0 where nothing can be read."""
        if min(crop.image.shape[:2]) < 2:
            return EMPTY
        grey = np.asarray(cv2.cvtColor(crop.image, cv2.COLOR_BGR2GRAY), np.uint8)
        corners = _corners_in(crop)
        width = float(np.linalg.norm(corners[1] - corners[0]))
        aspect = width / max(1.0, float(np.linalg.norm(corners[3] - corners[0])))
        layouts = [strip] if aspect >= SURELY_TWO_LINES else []
        if aspect <= SURELY_ONE_LINE:
            layouts.append(two_line_strip)
        placed = grow(corners, READ_MARGIN, READ_MARGIN * aspect)
        best, layout = max(
            ((self.read_strip(cut(grey, placed)), cut) for cut in layouts), key=lambda one: one[0].confidence
        )
        if not self._patient or crop.detection.score < WORTH_PATIENCE:
            return best
        for across, down in OTHER_MARGINS:
            if not HOPELESS < _sureness(best) < SURELY_READ:
                break
            again = self.read_strip(layout(grey, grow(corners, across, down * aspect)))
            best = max(best, again, key=_sureness)
        return best

    def read_strip(self, grey: NDArray[np.uint8]) -> Read:
        """The read of a strip of `roadside.core.rectify`, (STRIP_HEIGHT_PX, STRIP_WIDTH_PX) uint8."""
        characters, countries = self.logits(grey)
        shares = softmax(countries)
        told = sorted(zip(self._countries, shares.tolist(), strict=True), key=lambda entry: -entry[1])
        return compose(decode(characters, self._temperature), told)

    def logits(self, grey: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """What the net says of a strip: characters (T, 37), blank first, then ALPHABET; countries (C,)."""
        self._tensor[0, :, :, 0] = as_numbers(grey, self._quantisation.dtype)
        self._interpreter.set_tensor(self._input, self._tensor)
        self._interpreter.invoke()
        characters = self._real(self._characters)[0][:, self._columns]
        return characters, self._real(self._country)[0]

    @property
    def countries(self) -> tuple[str, ...]:
        """The countries that the net tells apart, in the order of its output."""
        return self._countries

    def _real(self, details: dict[str, Any]) -> NDArray[np.float32]:
        return Quantisation.of(details).to_real(self._interpreter.get_tensor(details["index"]))


@dataclass(frozen=True, slots=True)
class _Card:
    characters: str
    countries: tuple[str, ...]
    temperature: float


def _runtime_module(runtime: str | None) -> Any:  # noqa: ANN401 - neither runtime is typed
    if runtime is not None and runtime not in RUNTIMES:
        raise SettingsError(f"runtime {runtime!r} is not known: ROADSIDE_RUNTIME is one of {', '.join(RUNTIMES)}")
    for name in [runtime] if runtime else list(RUNTIMES):
        try:
            return importlib.import_module(RUNTIMES[name])
        except ImportError:
            continue
    raise SettingsError(f"no interpreter of TFLite models is installed: pip install {runtime or 'ai-edge-litert'}")


def _model_bytes(path: Path) -> bytes:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ModelError(f"no model at {path}: {error.strerror}") from error
    if not content:
        raise ModelError(f"{path} is empty (0 bytes)")
    if not is_tflite(content):
        raise ModelError(f"{path} is no TFLite model: its first bytes lack the mark TFL3")
    if not is_whole(content):
        raise ModelError(f"{path} is broken: parts of the model lie outside of its {len(content)} bytes")
    return content


def _load_plate_classes(path: Path) -> frozenset[int]:
    try:
        labels = parse_labelmap(path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError) as error:
        raise ModelError(f"no label map at {path}: {getattr(error, 'strerror', None) or error}") from error
    classes = plate_classes(labels)
    if not classes:
        named = ", ".join(labels[:8]) or "nothing"
        raise ModelError(f"{path} names no plate: it lists {named}")
    return classes


def _load_card(path: Path) -> _Card:
    try:
        card = json.loads(path.read_text(encoding="utf-8"))
        loaded = _Card(str(card["characters"]), tuple(map(str, card["countries"])), float(card["temperature"]))
    except OSError as error:
        raise ModelError(f"no description of the reader at {path}: {error.strerror}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise ModelError(f"{path} lacks or garbles characters, countries or temperature: {error}") from error
    if sorted(loaded.characters) != sorted(COLUMN) or not math.isfinite(loaded.temperature) or loaded.temperature <= 0:
        raise ModelError(f"{path} must list each of {ALPHABET} once and a temperature over 0")
    return loaded


def _sureness(read: Read) -> float:
    """The probability of the text and of those that differ from it in characters of one glyph, O and 0, I and 1.

    No other cut of the plate tells these apart.
    """
    alike = [a.log_p for a in read.alternatives if fold(a.text) == fold(read.text)]
    return max(read.confidence, min(1.0, sum(map(math.exp, alike))))


def _corners_in(crop: Crop) -> NDArray[np.float32]:
    """The plate's corners in pixels of the crop, (4, 2) float32."""
    detection = crop.detection
    if detection.corners is not None:
        corners = np.array(detection.corners, np.float32)
    else:
        corners = box_corners(detection.box.x1, detection.box.y1, detection.box.x2, detection.box.y2)
    return corners - np.array(crop.origin, np.float32)
