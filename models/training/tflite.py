"""The interpreters of TFLite files, for checking and timing what has been exported."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

RUNTIMES = ("litert", "tflite-runtime")


def interpreter_class(runtime: str) -> Callable[..., Any]:
    """The interpreter of `litert` or `tflite-runtime`."""
    if runtime == "litert":
        from ai_edge_litert.interpreter import Interpreter  # noqa: PLC0415
    else:
        from tflite_runtime.interpreter import Interpreter  # noqa: PLC0415
    chosen: Callable[..., Any] = Interpreter
    return chosen
