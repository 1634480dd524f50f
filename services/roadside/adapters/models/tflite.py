"""The nets as TFLite files, on whichever interpreter is installed: LiteRT or tflite-runtime."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from roadside.adapters.models.files import check_corner_net, load_card, load_plate_classes, model_bytes
from roadside.adapters.models.flatbuffer import is_tflite, is_whole
from roadside.adapters.models.quantisation import Quantisation, as_numbers
from roadside.adapters.models.trial import try_apart
from roadside.core.detect import order_outputs
from roadside.core.rectify import STRIP_HEIGHT_PX, STRIP_WIDTH_PX
from roadside.errors import ModelError, SettingsError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from roadside.core.detect import Candidates

RUNTIMES = {"litert": "ai_edge_litert.interpreter", "tflite-runtime": "tflite_runtime.interpreter"}
"""By the value of ROADSIDE_RUNTIME, the faster one first (4-7 times for int8 on x86-64)."""


class Interpreter(Protocol):
    """What both runtimes offer, as far as it is used."""

    def allocate_tensors(self) -> None: ...  # noqa: D102
    def invoke(self) -> None: ...  # noqa: D102
    def get_input_details(self) -> list[dict[str, Any]]: ...  # noqa: D102
    def get_output_details(self) -> list[dict[str, Any]]: ...  # noqa: D102
    def set_tensor(self, index: int, value: NDArray[Any]) -> None: ...  # noqa: D102
    def get_tensor(self, index: int) -> NDArray[Any]: ...  # noqa: D102


class TfliteNets:
    """Opens the `.tflite` files of a model folder."""

    def __init__(self, runtime: str | None = None) -> None:
        """`runtime` is a key of RUNTIMES; None takes the first that is installed."""
        self._runtime = runtime

    def file(self, folder: Path, name: str) -> Path:
        """See `Nets.file`."""
        return folder / f"{name}.tflite"

    def detector(self, folder: Path, threads: int) -> TfliteDetectorNet:
        """See `Nets.detector`."""
        classes = load_plate_classes(folder / "labelmap.txt")
        return TfliteDetectorNet(self.file(folder, "detect"), classes, threads, self._runtime)

    def corners(self, folder: Path, threads: int) -> TfliteCornerNet:
        """See `Nets.corners`."""
        return TfliteCornerNet(self.file(folder, "corners"), threads, self._runtime)

    def reader(self, folder: Path, threads: int) -> TfliteReaderNet:
        """See `Nets.reader`."""
        return TfliteReaderNet(folder, threads, self._runtime)


class TfliteDetectorNet:
    """A detection model as the TF Object Detection API exports it, TFLite_Detection_PostProcess included."""

    def __init__(self, path: Path, plate_classes: frozenset[int], threads: int = 1, runtime: str | None = None) -> None:
        """Raises ModelError where `path` holds no detection model."""
        self._classes = plate_classes
        self._interpreter = load_interpreter(path, threads, runtime)
        inputs, self._outputs = self._interpreter.get_input_details(), self._interpreter.get_output_details()
        shape = _shape(inputs[0])
        if len(inputs) != 1 or len(shape) != 4 or shape[0] != 1 or shape[3] != 3 or len(self._outputs) != 4:
            raise ModelError(
                f"{path} is no detection model: it takes {shape} and gives {len(self._outputs)} output(s), not"
                " [1, height, width, 3] and 4 (boxes, classes, scores, count)"
            )
        self._input, self._size = inputs[0]["index"], (shape[2], shape[1])
        self._quantisation = Quantisation.of(inputs[0])
        self._tensor = np.empty(shape, self._quantisation.dtype)
        self._prove(path)

    @property
    def input_size(self) -> tuple[int, int]:
        """See `DetectorNet.input_size`."""
        return self._size

    @property
    def plate_classes(self) -> frozenset[int]:
        """See `DetectorNet.plate_classes`."""
        return self._classes

    def look(self, picture: NDArray[np.uint8]) -> Candidates:
        """See `DetectorNet.look`."""
        if self._quantisation.dtype == np.float32:
            np.multiply(picture, np.float32(1 / 127.5), out=self._tensor[0])
            self._tensor -= np.float32(1)
        else:
            self._tensor[0] = as_numbers(picture, self._quantisation.dtype)
        self._interpreter.set_tensor(self._input, self._tensor)
        self._interpreter.invoke()
        return order_outputs([_real(self._interpreter, output) for output in self._outputs])

    def _prove(self, path: Path) -> None:
        """A run on a grey picture: a model whose outputs make no sense is told of now, not at the first frame."""
        try:
            self.look(np.full(self._tensor.shape[1:], 127, np.uint8))
        except (ValueError, RuntimeError) as error:
            raise ModelError(f"{path} is no detection model: {str(error).splitlines()[0]}") from error


class TfliteCornerNet:
    """A corner net, a `corners.tflite`."""

    def __init__(self, path: Path, threads: int = 1, runtime: str | None = None) -> None:
        """Raises ModelError where `path` holds no corner net."""
        self._interpreter = load_interpreter(path, threads, runtime)
        inputs, outputs = self._interpreter.get_input_details(), self._interpreter.get_output_details()
        shape = _shape(inputs[0])
        check_corner_net(path, shape, [_shape(output) for output in outputs])
        self._input, self._output = inputs[0]["index"], outputs[0]
        self._tensor = np.empty(shape, np.dtype(inputs[0]["dtype"]))

    def offsets(self, picture: NDArray[np.uint8]) -> NDArray[np.float32]:
        """See `CornerNet.offsets`."""
        self._tensor[0, :, :, 0] = as_numbers(picture, self._tensor.dtype)
        self._interpreter.set_tensor(self._input, self._tensor)
        self._interpreter.invoke()
        answer: NDArray[np.float32] = _real(self._interpreter, self._output)[0]
        return answer


class TfliteReaderNet:
    """A reader net, `read.tflite` and `reader.json` of a folder."""

    def __init__(self, folder: Path, threads: int = 1, runtime: str | None = None) -> None:
        """Raises ModelError where the folder holds no such reader."""
        path = folder / "read.tflite"
        card = load_card(folder / "reader.json")
        self._interpreter = load_interpreter(path, threads, runtime)
        self._temperature, self._countries, self._columns = card.temperature, card.countries, card.columns
        inputs, outputs = self._interpreter.get_input_details(), self._interpreter.get_output_details()
        shape = _shape(inputs[0])
        characters = [o for o in outputs if len(o["shape"]) == 3 and o["shape"][2] == len(card.columns)]
        countries = [o for o in outputs if len(o["shape"]) == 2 and o["shape"][1] == len(card.countries)]
        if shape != [1, STRIP_HEIGHT_PX, STRIP_WIDTH_PX, 1] or len(characters) != 1 or len(countries) != 1:
            raise ModelError(
                f"{path} is no reader: it takes {shape} and gives {[_shape(o) for o in outputs]}, not"
                f" [1, {STRIP_HEIGHT_PX}, {STRIP_WIDTH_PX}, 1] and [1, T, {len(card.columns)}],"
                f" [1, {len(card.countries)}]"
            )
        self._characters, self._country = characters[0], countries[0]
        self._input = inputs[0]["index"]
        self._tensor = np.empty(shape, np.dtype(inputs[0]["dtype"]))

    @property
    def countries(self) -> tuple[str, ...]:
        """See `ReaderNet.countries`."""
        return self._countries

    @property
    def temperature(self) -> float:
        """See `ReaderNet.temperature`."""
        return self._temperature

    def logits(self, strip: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """See `ReaderNet.logits`."""
        self._tensor[0, :, :, 0] = as_numbers(strip, self._tensor.dtype)
        self._interpreter.set_tensor(self._input, self._tensor)
        self._interpreter.invoke()
        characters = _real(self._interpreter, self._characters)[0][:, self._columns]
        return characters, _real(self._interpreter, self._country)[0]


def load_interpreter(path: Path, threads: int, runtime: str | None = None) -> Interpreter:
    """An interpreter of the model at `path`, its tensors allocated.

    `runtime` is a key of RUNTIMES, as ROADSIDE_RUNTIME gives it; None takes the first that is installed.

    A model that is not one of Roadside's own runs once in a process of its own before.

    Raises SettingsError for a runtime that is not known or not installed, ModelError for a file that is no TFLite
    model or does not stand its trial.
    """
    module = _runtime_module(runtime)
    content = model_bytes(path)
    if not is_tflite(content):
        raise ModelError(f"{path} is no TFLite model: its first bytes lack the mark TFL3")
    if not is_whole(content):
        raise ModelError(f"{path} is broken: parts of the model lie outside of its {len(content)} bytes")
    try_apart(path, content, module.__name__)
    try:
        interpreter: Interpreter = module.Interpreter(model_content=content, num_threads=threads)
        interpreter.allocate_tensors()
    except (ValueError, RuntimeError) as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else "no reason given"
        raise ModelError(f"{path} cannot be run by {module.__name__.split('.')[0]}: {reason}") from error
    return interpreter


def _runtime_module(runtime: str | None) -> Any:  # noqa: ANN401 - neither runtime is typed
    if runtime is not None and runtime not in RUNTIMES:
        raise SettingsError(f"runtime {runtime!r} runs no TFLite models: {', '.join(RUNTIMES)} do")
    for name in [runtime] if runtime else list(RUNTIMES):
        try:
            return importlib.import_module(RUNTIMES[name])
        except ImportError:
            continue
    raise SettingsError(f"no interpreter of TFLite models is installed: pip install {runtime or 'ai-edge-litert'}")


def _shape(details: dict[str, Any]) -> list[int]:
    return [int(n) for n in details["shape"]]


def _real(interpreter: Interpreter, details: dict[str, Any]) -> NDArray[np.float32]:
    return Quantisation.of(details).to_real(interpreter.get_tensor(details["index"]))
