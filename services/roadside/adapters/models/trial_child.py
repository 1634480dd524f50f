"""The process that tries a model file, started as `trial_child MODULE` with the file on its input: see `trial`."""

from __future__ import annotations

import importlib
import resource
import sys
from pathlib import Path
from typing import Any

import numpy as np

MEMORY_BYTES = 1 << 30
"""Beyond what the process has when it begins; the shipped nets take 20 MB, large detectors 300."""
PROCESSOR_S = 60
BYTES = (0, 255, 90)
"""What the inputs are filled with: a run goes over what the one before has left behind, and a file may run on zeros
alone, such as one that takes its input for places in a table."""
EXIT_REFUSED = 1


def main() -> int:
    """Run it; 0 where it ran, EXIT_REFUSED and why where its interpreter said no."""
    interpreter = importlib.import_module(sys.argv[1])
    content = sys.stdin.buffer.read()
    _limit()
    try:
        if sys.argv[1].startswith("onnxruntime"):
            _run_onnx(interpreter, content)
        else:
            run_tflite(interpreter, content)
    except Exception as error:  # noqa: BLE001 - whatever an interpreter raises of a file, it is refused
        print((str(error).strip().splitlines() or [type(error).__name__])[0])  # noqa: T201 - told to the process that asks
        return EXIT_REFUSED
    return 0


def run_tflite(module: Any, content: bytes) -> None:  # noqa: ANN401 - interpreters are not typed
    """Run a model on every kind of input. Raises what the interpreter raises."""
    interpreter = module.Interpreter(model_content=content, num_threads=1)
    interpreter.allocate_tensors()
    for byte in BYTES:
        for given in interpreter.get_input_details():
            interpreter.set_tensor(given["index"], np.full(given["shape"], byte).astype(given["dtype"]))
        interpreter.invoke()
        for output in interpreter.get_output_details():
            interpreter.get_tensor(output["index"])


def _run_onnx(module: Any, content: bytes) -> None:  # noqa: ANN401 - as above
    options = module.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    session = module.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    if any(given.type != "tensor(uint8)" for given in session.get_inputs()):
        return  # said by whoever opens it, who knows what it should be
    shapes = {i.name: [n if isinstance(n, int) else 1 for n in i.shape] for i in session.get_inputs()}
    for byte in BYTES:
        session.run(None, {name: np.full(shape, byte, np.uint8) for name, shape in shapes.items()})


def _limit() -> None:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    most = pages * resource.getpagesize() + MEMORY_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    resource.setrlimit(resource.RLIMIT_CPU, (PROCESSOR_S, PROCESSOR_S))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


if __name__ == "__main__":
    sys.exit(main())
