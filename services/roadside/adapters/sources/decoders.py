"""Which decoder serves a source."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

from roadside.adapters.sources.opening import Decoder
from roadside.errors import SourceError
from roadside.kit.extras import install_command

if TYPE_CHECKING:
    from roadside.adapters.sources.live import DecoderChoice

EXTRA = "video"
"""What PyAV is among the optional dependencies."""


def decoder_of(choice: DecoderChoice = "auto", *, needed: bool = False, name: str = "decoder") -> Decoder:
    """What decodes a source for which `choice` is set; `needed`: OpenCV cannot. `name` is how errors call the source.

    Raises SourceError where PyAV is asked for or needed, and not installed.
    """
    there = find_spec("av") is not None
    if choice == "opencv" or (choice == "auto" and not there):
        if not needed:
            return Decoder.OPENCV
        raise SourceError(f"{name}: is read through PyAV: {install_command(EXTRA)}, and no ROADSIDE_DECODER=opencv")
    if not there:
        raise SourceError(f"{name}: PyAV is not installed: {install_command(EXTRA)}, or ROADSIDE_DECODER=opencv")
    return Decoder.PYAV if choice == "auto" else Decoder(choice)
