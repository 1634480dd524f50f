"""`make film`: the annotated demonstration clip as the short moving picture of the README."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import cv2
from PIL import Image

WIDTH_PX = 640
FRAMES_PER_S = 8
QUALITY = 55


def frames(clip: Path, first_s: float, last_s: float) -> list[Image.Image]:
    """Frames of `clip` from `first_s` to `last_s`, FRAMES_PER_S a second, WIDTH_PX wide.

    Raises ValueError where there are none: no video, or a shorter one.
    """
    capture = cv2.VideoCapture(str(clip))
    rate, count = capture.get(cv2.CAP_PROP_FPS), int(capture.get(cv2.CAP_PROP_FRAME_COUNT))
    if not rate or not count:
        raise ValueError(f"{clip} is no video: `make run` writes it")
    wanted = {round(s / FRAMES_PER_S * rate) for s in range(int(first_s * FRAMES_PER_S), int(last_s * FRAMES_PER_S))}
    pictures = []
    for number in range(count):
        read, image = capture.read()
        if read and number in wanted:
            height = round(image.shape[0] * WIDTH_PX / image.shape[1])
            small = cv2.resize(image, (WIDTH_PX, height), interpolation=cv2.INTER_AREA)
            pictures.append(Image.fromarray(cv2.cvtColor(small, cv2.COLOR_BGR2RGB)))
    if not pictures:
        raise ValueError(f"{clip} ends before {first_s:g} s")
    return pictures


def main() -> None:
    """Write the film and say where."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clip", type=Path, default=Path("var/demo/annotated.mp4"))
    parser.add_argument("--out", type=Path, default=Path("docs/images/street.webp"))
    parser.add_argument("--first-s", type=float, default=2.0)
    parser.add_argument("--last-s", type=float, default=12.0)
    chosen = parser.parse_args()
    try:
        pictures = frames(chosen.clip, chosen.first_s, chosen.last_s)
    except ValueError as error:
        sys.exit(f"film: {error}")
    first, *others = pictures
    first.save(
        chosen.out,
        save_all=True,
        append_images=others,
        duration=1000 // FRAMES_PER_S,
        loop=0,
        quality=QUALITY,
        method=6,
    )
    sys.stdout.write(f"{chosen.out}: {len(pictures)} frames, {chosen.out.stat().st_size / 1000:.0f} kB\n")


if __name__ == "__main__":
    main()
