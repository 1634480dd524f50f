"""What FFmpeg may open of each kind of source: protocols, formats and options, and nothing that they do not name.

A playlist or a container that comes from elsewhere may name other addresses and files; without these lists FFmpeg would
open files of this computer for it.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

THREADS = min(os.cpu_count() or 1, 4)
"""Each of FFmpeg's threads holds frames of its own, and four decode faster than anything is detected."""
RECORDED = (".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi")
"""Ends of addresses of recordings, which have an end and all of whose frames are looked at."""
_CONTAINERS = "mov,matroska,avi,mpegts,mpeg,flv,asf,ogg,mxf,ivf,m4v,mpegvideo,h264,hevc,mjpeg,dv,rm,nut,wtv,gif"
_WEB = "http,https,tls,tcp,crypto"
_QUICK: Mapping[str, str] = MappingProxyType({"analyzeduration": "1000000"})
"""Microseconds of a live stream that are looked at before its first picture; FFmpeg's five seconds are for sound."""


@dataclass(frozen=True, slots=True)
class Access:
    """What may be opened."""

    protocols: str
    formats: str
    options: Mapping[str, str] = field(default_factory=dict)
    paced: bool = False
    """Whether what is live comes in bursts."""
    hint: str = "look for another stream in the camera's settings"


CLIPS = Access("file", _CONTAINERS)
_WEB_CLIPS = Access(_WEB, _CONTAINERS)
_PIPED = Access(
    "pipe",
    _CONTAINERS,
    hint="an MP4 is read from its end: give it as a file, or pipe MPEG-TS or Matroska (ffmpeg -f mpegts -)",
)
_LIVE = {
    "rtsp": Access("rtsp,rtp,udp,tcp,crypto", "rtsp,mpegts", _QUICK),
    "rtsps": Access("rtsp,rtp,udp,tcp,tls,crypto", "rtsp,mpegts", _QUICK),
    "rtmp": Access("rtmp,tcp", "flv,live_flv", _QUICK),
    "rtmps": Access("rtmps,tls,tcp", "flv,live_flv", _QUICK),
    "http": Access(_WEB, "mpegts,flv,live_flv,matroska,mjpeg,h264,hevc", _QUICK),
    "https": Access(_WEB, "mpegts,flv,live_flv,matroska,mjpeg,h264,hevc", _QUICK),
    "udp": Access("udp", "mpegts", _QUICK),
    "pipe": Access("pipe", "mpegts", _QUICK),
}
HLS = Access(_WEB, "hls,mpegts,mov,aac,mp3,webvtt", paced=True, hint="look whether the playlist has H.264 or H.265")
SCHEMES = ("rtsp", "rtsps", "rtmp", "rtmps", "srt", "udp")
"""Of addresses of cameras and servers beside http and https."""
TRANSPORTS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "auto": MappingProxyType({"rtsp_flags": "prefer_tcp"}),
        "tcp": MappingProxyType({"rtsp_transport": "tcp"}),
        "udp": MappingProxyType({"rtsp_transport": "udp"}),
    }
)


def access_of(source: str, transport: str = "auto", *, recorded: bool = False) -> Access:
    """What may be opened for a live address or a pipe, or with `recorded` for a recording at one."""
    scheme = source.partition(":")[0].lower()
    if recorded:
        return _PIPED if scheme == "pipe" else _WEB_CLIPS
    access = _LIVE[scheme]
    if not scheme.startswith("rtsp"):
        return access
    options = {**access.options, **TRANSPORTS[transport]}
    return Access(access.protocols, access.formats, options, hint=access.hint)


def is_playlist(source: str) -> bool:
    """Whether an address is that of an HLS playlist."""
    return _path_of(source).endswith((".m3u8", ".m3u"))


def is_stream(source: str) -> bool:
    """Whether an address is that of a stream without an end, as its own end says."""
    return _path_of(source).endswith((".ts", ".flv", ".mpegts"))


def is_recorded(source: str) -> bool:
    """Whether an address is that of a recording."""
    return source.startswith(("http://", "https://")) and _path_of(source).endswith(RECORDED)


def _path_of(source: str) -> str:
    return source.partition("?")[0].partition("#")[0].lower()
