"""Pictures out of a stream that PyAV decodes: upright, whole, in OpenCV's colour order, with their places in time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import av
import av.error
import av.filter
import cv2
import numpy as np
from av.video.reformatter import VideoReformatter

from roadside.adapters.sources.cameras import check_pixels, is_too_large
from roadside.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from av.container import InputContainer
    from av.packet import Packet
    from av.video.codeccontext import VideoCodecContext
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream
    from numpy.typing import NDArray

TURNS = {90: cv2.ROTATE_90_COUNTERCLOCKWISE, 180: cv2.ROTATE_180, 270: cv2.ROTATE_90_CLOCKWISE}
"""What shows a picture upright whose display matrix turns it by so many degrees anticlockwise."""
MOST_BROKEN = 500
"""Packets in a row that cannot be decoded before a stream counts as over: OpenCV gives up as soon."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A decoded picture."""

    image: NDArray[np.uint8]
    """(H, W, 3), blue green red; rows need not follow one another directly."""
    place_s: float | None
    """Where in the stream it is shown, from the stream's own origin; None where it does not say."""
    wall_ns: int | None = None
    """When the camera's own clock says that it was taken: UTC, nanoseconds since 1970; None where it does not say."""
    turn: int = 0
    """Degrees by which it was turned."""


class PictureDecoder:
    """The pictures of one video stream of an open container, in the order in which they are shown."""

    def __init__(self, container: InputContainer, stream: VideoStream, decoder: VideoCodecContext) -> None:
        self._container = container
        self._stream = stream
        self._decoder = decoder
        self._reformatter = VideoReformatter()
        self._deinterlacer: Deinterlacer | None = None
        self._wall_ahead_ns: int | None = None

    def pictures(self) -> Iterator[Picture]:
        """Those from where the container stands, until it ends; what cannot be decoded is passed over.

        Raises av.error.FFmpegError where the stream breaks off.
        """
        broken = 0
        for packet in self._container.demux(self._stream):
            self._note_clock(packet)
            try:
                frames = self._decoder.decode(packet)
            except av.error.FFmpegError as error:
                broken += not isinstance(error, av.error.EOFError)
                if broken > MOST_BROKEN:
                    return
                continue
            broken = 0 if frames else broken
            for frame in frames:
                if is_too_large(frame.width, frame.height):
                    broken += 1  # of a stream whose first pictures were smaller
                else:
                    yield from self._shown(frame)
        if self._deinterlacer is not None:
            yield from map(self._picture, self._deinterlacer.rest())

    def _shown(self, frame: VideoFrame) -> Iterator[Picture]:
        if frame.interlaced_frame and (self._deinterlacer is None or not self._deinterlacer.fits(frame)):
            self._deinterlacer = Deinterlacer(frame, self._stream)
        if self._deinterlacer is None or not self._deinterlacer.fits(frame):
            yield self._picture(frame)
        else:
            yield from map(self._picture, self._deinterlacer.feed(frame))

    def _picture(self, frame: VideoFrame) -> Picture:
        pts = frame.dts if frame.pts is None else frame.pts
        place_s = None if pts is None or frame.time_base is None else float(pts * frame.time_base)
        known = place_s is not None and self._wall_ahead_ns is not None
        wall_ns = round((place_s or 0) * 1e9) + (self._wall_ahead_ns or 0) if known else None
        turn = frame.rotation % 360
        image = pixels_of(frame, self._reformatter)
        if turn in TURNS:
            image = np.asarray(cv2.rotate(image, TURNS[turn]), np.uint8)
        return Picture(image, place_s, wall_ns, turn if turn in TURNS else 0)

    def _note_clock(self, packet: Packet[VideoStream]) -> None:
        """Remember how far the camera's own clock is ahead of places in the stream, where it tells."""
        if packet.pts is None or packet.time_base is None or not packet.has_sidedata("prft"):
            return
        wall_us = int.from_bytes(bytes(packet.get_sidedata("prft"))[:8], "little", signed=True)
        self._wall_ahead_ns = wall_us * 1000 - round(float(packet.pts * packet.time_base) * 1e9)


class Deinterlacer:
    """Makes whole pictures of fields that were taken one after the other."""

    def __init__(self, frame: VideoFrame, stream: VideoStream) -> None:
        self._shape = (frame.width, frame.height, frame.format.name)
        graph = av.filter.Graph()
        source = graph.add_buffer(template=stream, width=frame.width, height=frame.height, format=frame.format)
        yadif = graph.add("yadif", "mode=send_frame:deint=interlaced")
        sink = graph.add("buffersink")
        source.link_to(yadif)
        yadif.link_to(sink)
        graph.configure()
        self._graph = graph

    def fits(self, frame: VideoFrame) -> bool:
        """Whether it can take this frame: size and format are as it was made for."""
        return (frame.width, frame.height, frame.format.name) == self._shape

    def feed(self, frame: VideoFrame) -> Iterator[VideoFrame]:
        """The frames that are whole now that `frame` is known."""
        self._graph.vpush(frame)
        yield from self._ready()

    def rest(self) -> Iterator[VideoFrame]:
        """What is left once there are no more."""
        self._graph.vpush(None)
        yield from self._ready()

    def _ready(self) -> Iterator[VideoFrame]:
        while True:
            try:
                yield self._graph.vpull()
            except (av.error.BlockingIOError, av.error.EOFError):
                return


def pixels_of(frame: VideoFrame, reformatter: VideoReformatter) -> NDArray[np.uint8]:
    """The frame's pixels, (H, W, 3) uint8, blue green red, as a view of memory that FFmpeg's scaler has filled."""
    plane = reformatter.reformat(frame, format="bgr24").planes[0]
    rows = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)  # type: ignore[call-overload]  # a buffer, too
    pixels: NDArray[np.uint8] = rows[: frame.height, : frame.width * 3].reshape(frame.height, frame.width, 3)
    return pixels


def open_decoder(stream: VideoStream, hardware: str, threads: int) -> tuple[VideoCodecContext, str]:
    """What decodes a stream, and why it is not the hardware that was asked for; empty where it is.

    `hardware` is the end of the decoders' names, such as "v4l2m2m"; empty for none.
    """
    if hardware:
        name = f"{stream.codec_context.name}_{hardware}"
        try:
            return _hardware_decoder(stream, name), ""
        except (av.error.FFmpegError, ValueError) as error:
            software, _ = open_decoder(stream, "", threads)
            said = getattr(error, "strerror", None) or "this FFmpeg has none of that name"
            return software, f"hardware decoder {name} cannot be used ({said}); decoding in software"
    context = stream.codec_context
    context.thread_type = "AUTO"
    context.thread_count = threads
    return context, ""


def _hardware_decoder(stream: VideoStream, name: str) -> VideoCodecContext:
    context: VideoCodecContext = av.CodecContext.create(name, "r")  # type: ignore[assignment]  # a video decoder's name
    described = stream.codec_context
    context.extradata = described.extradata
    context.width, context.height = described.width, described.height
    context.pix_fmt = described.pix_fmt
    context.open()
    return context


def video_of(container: InputContainer, name: str) -> VideoStream:
    """The stream of pictures. Raises SourceError where there is none, and where its pictures are too large."""
    best = container.streams.best("video")
    if best is None:
        raise SourceError(f"{name}: holds no video, or none that can be read")
    stream = container.streams.video[[each.index for each in container.streams.video].index(best.index)]
    check_pixels(stream.codec_context.width, stream.codec_context.height, name)
    return stream
