"""The class of the Python API: nets that are loaded once, for pictures, clips and cameras."""

from __future__ import annotations

import logging
import os
from contextlib import closing
from typing import TYPE_CHECKING, Any

from roadside.api.options import Options
from roadside.api.plates import plates_of
from roadside.api.sightings import sightings_of
from roadside.errors import RoadsideError

if TYPE_CHECKING:
    from collections.abc import Generator
    from typing import Unpack

    from numpy.typing import NDArray
    from PIL import Image

    from roadside.api.plates import Plates
    from roadside.api.sightings import Sighting
    from roadside.ports.sources import FrameSource

_log = logging.getLogger("roadside")


class ALPR:
    """Reads number plates: loads the nets once, then takes any number of pictures.

    Threads may share an instance: `read` takes its pictures one after the other, and each `watch` has nets of its own.
    Where pictures are to be read at the same time, give each thread an instance of its own. In asyncio,
    `await asyncio.to_thread(alpr.read, path)` keeps the loop free.
    """

    def __init__(self, **options: Unpack[Options]) -> None:
        """Load the nets and run them once, so that the first picture takes no longer than the next.

        Raises:
            TypeError: there is no option of that name.
            SettingsError: an option's value cannot be.
            ModelError: a folder of weights cannot be used.

        """
        unknown = sorted(options.keys() - Options.__annotations__.keys())
        if unknown:
            known = ", ".join(Options.__annotations__)
            raise TypeError(f"ALPR() has no option {unknown[0]!r}; there are {known}")
        from roadside.assembly.photographs import open_photograph_reader  # noqa: PLC0415 - the nets make imports slow
        from roadside.assembly.settings import load_settings  # noqa: PLC0415 - as above

        self._settings = load_settings(dict(options))
        self._photographs = open_photograph_reader(self._settings)

    def read(self, picture: NDArray[Any] | str | os.PathLike[str] | bytes | Image.Image) -> Plates:
        """The plates of one picture, best detection first.

        Args:
            picture: the path of a file (JPEG, PNG, WebP, BMP, TIFF or GIF), such a file's bytes, an array of
                (H, W, 3) uint8, blue green red, as OpenCV has them, or a picture of Pillow. Files and pictures of
                Pillow are turned upright as their EXIF orientation says.

        Raises:
            SourceError: it is not one whole picture; the message names the fault and the mend.

        """
        return plates_of(self._photographs.read(picture), picture)

    def watch(self, source: str | os.PathLike[str]) -> Generator[Sighting, None, None]:
        """The vehicles that pass, each when it has passed, until the source ends. Nothing is stored.

        Args:
            source: a clip, a picture or a folder of pictures, an `rtsp://` or `http://` (motion JPEG) address, a USB
                camera (`/dev/video0`), or `rpicam`. A camera that is lost is opened again, a folder's picture that
                cannot be read is left out; the logger `roadside` tells.

        Whoever stops early closes the generator, or lets it go: the source is let go with it. A live camera is never
        made to wait: frames that come too fast are left out. Where the source fails, the vehicles in view come first
        and the error after them.

        Raises:
            SourceError: the source cannot be used; for a camera, as soon as its frames are asked for.
            SettingsError: the registry that is named cannot be used.
            StoreUnavailableError: the file of the registry cannot be read.

        """
        from roadside.assembly.unstored import check_registry  # noqa: PLC0415 - the nets make imports slow
        from roadside.assembly.watching import open_frames  # noqa: PLC0415 - as above

        check_registry(self._settings)
        return self._sightings(open_frames(os.fsdecode(source), self._settings, _log.warning, _log.warning))

    def _sightings(self, source: FrameSource) -> Generator[Sighting, None, None]:
        from roadside.assembly.unstored import KeepNothing, open_named_judge  # noqa: PLC0415 - as above
        from roadside.assembly.watching import SourceWatch  # noqa: PLC0415 - as above
        from roadside.assembly.witness import open_second  # noqa: PLC0415 - as above

        named = not (self._settings.registry is None and self._settings.registry_http is None)
        with open_named_judge(self._settings) as judge:
            second = open_second(self._settings) if named else None  # who is never judged is never accused
            witness = None if second is None else second.witness()
            watch = SourceWatch(
                source, self._settings, judge, KeepNothing(), witness, _log.warning if named else lambda _: None
            )
            with closing(watch.reports()) as reports:
                try:
                    for report in reports:
                        yield from sightings_of(report.conclusions, judged=named)
                except RoadsideError:
                    yield from sightings_of(watch.end(), judged=named)
                    raise
                yield from sightings_of(watch.end(), judged=named)
