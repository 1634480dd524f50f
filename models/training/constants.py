"""The constants of a TFLite file, each at its place in the graph, and which weights of a net stand there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from roadside.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    Array = NDArray[np.float32]
    Place = tuple[int, int]

DTYPES: Mapping[int, Any] = {0: np.float32, 1: np.float16}
"""By TensorType of tensorflow/lite/schema/schema.fbs; other constants are no weights."""
TO_FILE = ((0, 2, 3, 1), (1, 2, 3, 0))
"""How PyTorch's kernels (outputs, inputs, height, width) stand in a file: a convolution's, a channel-wise one's."""
TOLERANCE = 2e-3
"""Of a weight in 16 bits, relative."""


def constants(content: bytes) -> dict[Place, Array]:
    """The weights of a TFLite file, float32, by operator and input of the operator.

    Operators are numbered as a walk from the outputs back to the input meets them: their order in the file, where two
    may go side by side, differs from one conversion of a net to the next.

    Raises:
        ModelError: it is no TFLite file.

    """
    from tensorflow.lite.tools import flatbuffer_utils  # noqa: PLC0415  # slow to load

    try:
        graph = flatbuffer_utils.convert_bytearray_to_object(bytearray(content))
        main = graph.subgraphs[0]
    except Exception as fault:  # the reader is generated and raises whatever comes of it
        raise ModelError("the file is no TFLite model") from fault
    of_tensor = {number: value for number in range(len(main.tensors)) if (value := _value(graph, number)) is not None}
    found: dict[Place, Array] = {}
    for operator, one in enumerate(_in_order(main)):
        inputs = [int(number) for number in one.inputs]
        if len(inputs) == 1 and inputs[0] in of_tensor and len(one.outputs) == 1:
            of_tensor[int(one.outputs[0])] = of_tensor[inputs[0]]  # 16 bits made 32
            continue
        found.update({(operator, place): of_tensor[n] for place, n in enumerate(inputs) if n in of_tensor})
    return found


def _in_order(main: Any) -> list[Any]:  # noqa: ANN401  # TF is untyped here
    """The operators of a graph, each after those that it needs."""
    makers = {int(output): one for one in main.operators for output in one.outputs}
    ordered: list[Any] = []
    waiting = sorted((int(n) for n in main.outputs), key=lambda n: [int(s) for s in main.tensors[n].shape])
    while waiting:
        maker = makers.get(waiting[-1])
        missing = [] if maker is None else [int(n) for n in maker.inputs if int(n) in makers]
        missing = [n for n in missing if not any(makers[n] is one for one in ordered)]
        if missing:
            waiting.append(missing[0])
            continue
        waiting.pop()
        if maker is not None and not any(maker is one for one in ordered):
            ordered.append(maker)
    return ordered


def recovered(
    shipped: Mapping[Place, Array], probe: Mapping[Place, Array], weights: Mapping[str, Array]
) -> Mapping[str, Array]:
    """What stands in `shipped` where the known `weights` stand in `probe`, a file of a net of the same shape.

    Raises:
        ModelError: the files are of different nets, or one of the weights stands nowhere or twice.

    """
    if {place: value.shape for place, value in shipped.items()} != {p: value.shape for p, value in probe.items()}:
        raise ModelError("the file is of another net, or was written by another converter, than the settings describe")
    found = {}
    for name, value in weights.items():
        places = [(place, axes) for place, stored in probe.items() for axes in _arrangements(value, stored)]
        if len({place for place, _ in places}) != 1:
            raise ModelError(f"{name} stands at {len(places)} places of the file, not at one")
        place, axes = places[0]
        found[name] = shipped[place].transpose(np.argsort(axes)) if axes else shipped[place]
    return found


def _arrangements(value: Array, stored: Array) -> Iterator[tuple[int, ...]]:
    """The orders of axes in which `value` is what is `stored`; none for values without an order of their own."""
    for axes in TO_FILE if value.ndim == 4 else ((),):
        turned = value.transpose(axes) if axes else value
        if turned.shape == stored.shape and np.allclose(turned, stored, rtol=TOLERANCE, atol=1e-4):
            yield axes


def _value(graph: Any, number: int) -> Array | None:  # noqa: ANN401  # TF is untyped here
    tensor = graph.subgraphs[0].tensors[number]
    data = graph.buffers[tensor.buffer].data
    if data is None or not len(data) or tensor.type not in DTYPES:
        return None
    values: Array = np.frombuffer(np.asarray(data, np.uint8).tobytes(), DTYPES[tensor.type]).astype(np.float32)
    return values.reshape([int(n) for n in tensor.shape])
