"""The nets as ONNX files, run by ONNX Runtime on the CPU.

The files take pixels: uint8 with the channels last, as `roadside.ports.nets` describes them. The detector's ends before
the non-maximum suppression, whose attributes stand in its metadata.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, cast

from roadside.adapters.models.files import check_corner_net, load_card, load_plate_classes, model_bytes
from roadside.adapters.models.post_process import PostProcess
from roadside.adapters.models.trial import try_apart
from roadside.core.rectify import STRIP_HEIGHT_PX, STRIP_WIDTH_PX
from roadside.errors import ModelError, SettingsError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from roadside.core.detect import Candidates

RUNTIME = "onnx"
"""The value of ROADSIDE_RUNTIME."""
PIXELS = "tensor(uint8)"
LEAST_SEVERE = 3
"""Errors: what ONNX Runtime only warns of is no user's business."""


class OnnxNets:
    """Opens the `.onnx` files of a model folder."""

    def file(self, folder: Path, name: str) -> Path:
        """See `Nets.file`."""
        return folder / f"{name}.onnx"

    def detector(self, folder: Path, threads: int) -> OnnxDetectorNet:
        """See `Nets.detector`."""
        return OnnxDetectorNet(self.file(folder, "detect"), load_plate_classes(folder / "labelmap.txt"), threads)

    def corners(self, folder: Path, threads: int) -> OnnxCornerNet:
        """See `Nets.corners`."""
        return OnnxCornerNet(self.file(folder, "corners"), threads)

    def reader(self, folder: Path, threads: int) -> OnnxReaderNet:
        """See `Nets.reader`."""
        return OnnxReaderNet(folder, threads)


class OnnxDetectorNet:
    """A detector of one class whose file gives every box and its score."""

    def __init__(self, path: Path, plate_classes: frozenset[int], threads: int = 1) -> None:
        """Raises ModelError where `path` holds no such detector."""
        self._classes = plate_classes
        self._session = Session(path, threads)
        shape, given = self._session.input_shape, self._session.output_shapes
        fits = len(shape) == 4 and shape[0] == 1 and shape[3] == 3 and all(isinstance(n, int) for n in shape)
        if not fits or [len(s) for s in given] != [3, 2] or given[0][2] != 4:
            raise ModelError(
                f"{path} is no detector: it takes {shape} and gives {given}, not [1, height, width, 3] and"
                " [1, N, 4], [1, N]"
            )
        self._size = (shape[2], shape[1])
        self._post_process = _post_process(self._session.metadata, path)

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
        boxes, scores = self._session.run(picture[None])
        return self._post_process.select(boxes[0], scores[0])


class OnnxCornerNet:
    """A corner net, a `corners.onnx`."""

    def __init__(self, path: Path, threads: int = 1) -> None:
        """Raises ModelError where `path` holds no corner net."""
        self._session = Session(path, threads)
        check_corner_net(path, self._session.input_shape, self._session.output_shapes)

    def offsets(self, picture: NDArray[np.uint8]) -> NDArray[np.float32]:
        """See `CornerNet.offsets`."""
        (answer,) = self._session.run(picture[None, :, :, None])
        return cast("NDArray[np.float32]", answer[0])


class OnnxReaderNet:
    """A reader net, `read.onnx` and `reader.json` of a folder."""

    def __init__(self, folder: Path, threads: int = 1) -> None:
        """Raises ModelError where the folder holds no such reader."""
        path = folder / "read.onnx"
        card = load_card(folder / "reader.json")
        self._session = Session(path, threads)
        self._temperature, self._countries, self._columns = card.temperature, card.countries, card.columns
        shape, given = self._session.input_shape, self._session.output_shapes
        fits = len(given) == 2 and given[0][2:] == [len(card.columns)] and given[1] == [1, len(card.countries)]
        if shape != [1, STRIP_HEIGHT_PX, STRIP_WIDTH_PX, 1] or not fits:
            raise ModelError(
                f"{path} is no reader: it takes {shape} and gives {given}, not"
                f" [1, {STRIP_HEIGHT_PX}, {STRIP_WIDTH_PX}, 1] and [1, T, {len(card.columns)}],"
                f" [1, {len(card.countries)}]"
            )

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
        characters, countries = self._session.run(strip[None, :, :, None])
        return characters[0][:, self._columns], countries[0]


class Session:
    """One ONNX file, loaded, with one input of pixels."""

    def __init__(self, path: Path, threads: int) -> None:
        """Raises SettingsError without ONNX Runtime, ModelError for a file that it cannot run or takes no pixels."""
        runtime, faults = _onnx_runtime()
        content = model_bytes(path)
        try_apart(path, content, runtime.__name__)
        options = runtime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
        options.log_severity_level = LEAST_SEVERE
        try:
            self._session = runtime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        except faults as error:
            reason = (str(error).strip().splitlines() or ["no reason given"])[0]
            raise ModelError(f"{path} cannot be run by ONNX Runtime: {reason[:200]}") from error
        inputs = self._session.get_inputs()
        if len(inputs) != 1 or inputs[0].type != PIXELS:
            taken = ", ".join(f"{i.name}: {i.type}" for i in inputs)
            raise ModelError(f"{path} takes {taken}, not one picture of uint8 pixels; export it anew")
        self._input = inputs[0].name

    @property
    def input_shape(self) -> list[Any]:
        """Of the picture; a size that is not fixed is a name."""
        return list(self._session.get_inputs()[0].shape)

    @property
    def output_shapes(self) -> list[list[Any]]:
        """Of the outputs, in their order."""
        return [list(output.shape) for output in self._session.get_outputs()]

    @property
    def metadata(self) -> Mapping[str, str]:
        """What the exporter noted in the file."""
        noted: Mapping[str, str] = self._session.get_modelmeta().custom_metadata_map
        return noted

    def run(self, pixels: NDArray[np.uint8]) -> Sequence[NDArray[np.float32]]:
        """The outputs for `pixels`, uint8 of `input_shape`."""
        given: Sequence[NDArray[np.float32]] = self._session.run(None, {self._input: pixels})
        return given


def _onnx_runtime() -> tuple[Any, tuple[type[Exception], ...]]:
    """ONNX Runtime and the exceptions that it raises for files. Raises SettingsError where it is not installed."""
    try:
        runtime = importlib.import_module("onnxruntime")
        state = importlib.import_module("onnxruntime.capi.onnxruntime_pybind11_state")
    except ImportError:
        raise SettingsError("ONNX Runtime is not installed: pip install onnxruntime (or leave runtime unset)") from None
    names = ("Fail", "InvalidArgument", "InvalidGraph", "InvalidProtobuf", "NotImplemented", "RuntimeException")
    return runtime, tuple(getattr(state, name) for name in names)


def _post_process(metadata: Mapping[str, str], path: Path) -> PostProcess:
    try:
        return PostProcess(int(metadata["detections"]), float(metadata["lowest_score"]), float(metadata["overlap"]))
    except (KeyError, ValueError) as error:
        raise ModelError(
            f"{path} lacks or garbles detections, lowest_score or overlap in its metadata: {error};"
            " export it with models.detector.export"
        ) from None
