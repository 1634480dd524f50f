"""What is fuzzed: every decoder of bytes from outside, with seeds made in place and the errors that it documents."""

from __future__ import annotations

import atexit
import base64
import io
import json
import shutil
import struct
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from google.protobuf.message import DecodeError
from PIL import Image

from models.data import formats
from roadside.adapters.http.answers import entries_of
from roadside.adapters.http.options import HttpOptions, load_http_options
from roadside.adapters.models.files import load_card, load_plate_classes
from roadside.adapters.models.flatbuffer import is_tflite, is_whole
from roadside.adapters.notify.webhook import is_signed, sign
from roadside.adapters.sources.containers import container_time
from roadside.adapters.sources.exif import photograph_time
from roadside.adapters.sources.mjpeg import JpegSplitter
from roadside.adapters.sources.pictures import decode_picture as decode_photograph
from roadside.adapters.sql.finding import position_of as page_position
from roadside.adapters.voc import LabelledBox, annotation_of, read_voc, write_voc
from roadside.assembly.models import open_named_reader
from roadside.assembly.settings import Settings
from roadside.assembly.site import parse_site
from roadside.core.events import (
    CropEvent,
    EncodedPicture,
    FrameEvent,
    PictureEncoding,
    ReadEvent,
    SightingEvent,
    encode_raw,
)
from roadside.core.frames import Box, CameraId, Crop, Detection
from roadside.core.fusion import sharpness
from roadside.core.known import Action
from roadside.core.picture_header import CAMERA_LIMITS, PictureFault
from roadside.core.reads import FusedPlate, Hypothesis, PlacedRead, Read, Track
from roadside.core.showing import EvidenceRule, fuse_track
from roadside.core.sightings import Picture, PictureKind, Sighting, Verdict, VerdictKind
from roadside.errors import PoisonError, RoadsideError
from roadside.kit.toml_file import read_toml
from roadside.kit.weights import weights_folder
from roadside.notify.options import load_notify_options
from roadside.registry.known_file import read_known
from roadside.registry.validity import zone
from roadside.registry.vignette_file import read_exemptions, read_vignettes
from roadside.v1 import detector_pb2, ocr_pb2, plates_pb2
from roadside.wire import codec, convert
from roadside.wire.decoding import decode_jpeg
from roadside.wire.pictures import TravellingPicture, decode_picture
from tests import pictures_hostile as hostile
from tests.models_hostile import sharing_tables

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

PRAGUE = zone("Europe/Prague")
CAMERA = CameraId("gate")
PIXELS = np.asarray(hostile.SMALL)
MAGIC = (b"\xff\xd8\xff", b"\xff\xd9", b"\xff\xda", b"\xff\xc0", b"\xff\xc2", b"IHDR", b"acTL", b"fcTL", b"Exif\0\0")


@dataclass(frozen=True, slots=True)
class Target:
    """One decoder."""

    seeds: Sequence[bytes]
    run: Callable[[bytes], object]
    """Decodes, and may raise what is `documented`."""
    documented: tuple[type[Exception], ...] = (RoadsideError,)
    tokens: tuple[bytes, ...] = ()
    """That its format is made of."""


def pictures() -> list[bytes]:
    """One of each kind that is read, and those that nobody should read."""
    kinds = ("JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF")
    made = [hostile.saved(kind, hostile.SMALL.convert(mode)) for kind in kinds for mode in ("RGB", "L")]
    made += [hostile.saved("TIFF", compression=c) for c in ("tiff_lzw", "tiff_adobe_deflate", "jpeg", "packbits")]
    made += [hostile.saved("JPEG", progressive=True), hostile.saved("WEBP", lossless=True)]
    made += [
        hostile.saved(k, save_all=True, append_images=[hostile.SMALL]) for k in ("GIF", "PNG", "WEBP", "MPO", "TIFF")
    ]
    harmful = {**hostile.TOO_LARGE, **hostile.NOT_READ, **hostile.BROKEN}.values()
    return [*made, hostile.animated_png(4000, 4000), *(data for data in harmful if len(data) < 100_000)]


def _photograph() -> Target:
    return Target(pictures(), lambda data: decode_photograph(data, "it"), tokens=MAGIC)


def _message_picture() -> Target:
    def run(data: bytes) -> None:
        for encoding in PictureEncoding:
            picture = EncodedPicture(encoding, data, len(data) // 120, 40)
            try:
                decode_picture(picture)
            except PoisonError:
                continue

    return Target(pictures(), run, tokens=MAGIC)


def _camera() -> Target:
    def run(data: bytes) -> None:
        splitter = JpegSplitter()
        for start in range(0, len(data), 777):
            for found in splitter.feed(data[start : start + 777]):
                try:
                    decode_jpeg(found, CAMERA_LIMITS)
                except PictureFault:
                    continue

    stream = b"--frame\r\nContent-Type: image/jpeg\r\n\r\n" + hostile.saved("JPEG") + b"\r\n"
    return Target([stream * 3, hostile.saved("JPEG") * 2, hostile.jpeg_with(0xE1, b"Exif\0\0")], run, tokens=MAGIC)


def _look(text: str = "AB12CDE") -> ReadEvent:
    rows = np.full((len(text), 36), 1 / 36, np.float32)
    detection = Detection(Box(5, 5, 50, 20), 0.9, ((5, 5), (50, 5), (50, 20), (5, 20)))
    crop = Crop(CAMERA, 1_700_000_000_000_000_000, 7, detection, PIXELS, (2, 3), (1280, 720))
    read = Read(text, text, "UK", 0.9, (), rows, (Hypothesis(text, "UK", -0.1),), (("UK", 0.9),))
    return ReadEvent(crop, TravellingPicture(EncodedPicture(PictureEncoding.JPEG, hostile.saved("JPEG"))), read)


def _frames() -> Target:
    def run(data: bytes) -> None:
        event = codec.decode_frame(data)
        event.picture.pixels()
        event.picture.jpeg()

    kinds = ((PictureEncoding.JPEG, "JPEG"), (PictureEncoding.PNG, "PNG"))
    shown = [EncodedPicture(encoding, hostile.saved(name)) for encoding, name in kinds] + [encode_raw(PIXELS)]
    events = [FrameEvent(CAMERA, 1, n, TravellingPicture(picture), live=True) for n, picture in enumerate(shown)]
    return Target([codec.encode_frame(event) for event in events], run)


def _crops() -> Target:
    reader = open_named_reader(Settings())

    def run(data: bytes) -> None:
        crop = codec.decode_crop(data).crop
        sharpness(crop.image)
        reader.read(crop)

    look = _look()
    return Target([codec.encode_crop(CropEvent(look.crop, frame)) for frame in (None, look.frame)], run)


def _reads() -> Target:
    def run(data: bytes) -> None:
        event = codec.decode_read(data)
        placed = PlacedRead(event.crop, event.read)
        fuse_track(Track(event.camera_id, "t", (placed,)), EvidenceRule())

    return Target([codec.encode_read(_look(text)) for text in ("AB12CDE", "1A23456", "")], run)


def _sightings() -> Target:
    plate = FusedPlate("AB12CDE", "AB12CDE", "UK", 0.9, np.full((7, 36), 1 / 36, np.float32), looks=3)
    seen = Sighting("s", CAMERA, "t", 1, 2, plate, Verdict(VerdictKind.REVIEW, "unsure", 0.5, 0.0))
    picture = Picture(PictureKind.CROP, "image/png", hostile.saved("PNG"), Box(1, 1, 9, 9))

    def run(data: bytes) -> None:
        codec.encode_sighting(codec.decode_sighting(data))

    return Target([codec.encode_sighting(SightingEvent(seen, (picture,)))], run)


def _requests() -> Target:
    """What gRPC is asked, as the servicers take it apart."""

    def run(data: bytes) -> None:
        for kind in (ocr_pb2.PlateCrop, detector_pb2.DetectRequest):
            try:
                asked = kind.FromString(data)
                decode_picture(convert.picture_from_proto(asked.picture))
                if isinstance(asked, ocr_pb2.PlateCrop) and asked.HasField("detection"):
                    convert.detection_from_proto(asked.detection)
            except (PoisonError, DecodeError):
                continue
        try:
            plates_pb2.ListSightingsRequest.FromString(data)
        except DecodeError:
            return

    look = _look()
    picture = convert.picture_to_proto(encode_raw(look.crop.image))
    crop = ocr_pb2.PlateCrop(picture=picture, detection=convert.detection_to_proto(look.crop.detection))
    return Target([crop.SerializeToString(), detector_pb2.DetectRequest(picture=picture).SerializeToString()], run)


class _File:
    """A file of a folder of its own, written anew each time and gone with this process."""

    def __init__(self, name: str) -> None:
        folder = tempfile.mkdtemp(prefix="fuzz-")
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        self.path = Path(folder) / name

    def of(self, data: bytes) -> Path:
        self.path.write_bytes(data)
        return self.path


def _vignettes() -> Target:
    file = _File("v.csv")

    def run(data: bytes) -> None:
        read = read_exemptions if data.startswith(b"pattern") else read_vignettes
        for _ in read(file.of(data), PRAGUE):
            pass

    seeds = [
        b"plate,country,valid_from,valid_to\nAB51CDE,UK,2024-01-01,2025-01-01\n1AB2345,CZ,1.1.2024,31.12.2024 12:00\n",
        b"plate;country;valid_from;valid_to\nAB51CDE;UK;2024-01-01T10:00+01:00;20250101\n",
        b"pattern,country,reason,valid_from,valid_to\nAB*,UK,electric,2024-01-01,2025-01-01\nZ?1234,*,x,,\n",
    ]
    seeds += [seeds[0].decode().encode(encoding) for encoding in ("utf-16", "utf-32", "utf-8-sig")]
    tokens = (b'"', b"\n", b"\r", b";", b"\t", b"9999-12-31", b"0001-01-01", b"2024-10-27T02:30:00", b"\0", b"24:00")
    return Target(seeds, run, tokens=tokens)


def _answers() -> Target:
    """Of an office's registry over HTTP."""
    entry = {"plate": "AB51CDE", "country": "UK", "valid_from": "2024-01-01", "valid_to": "2025-01-01T10:00+01:00"}
    answer = {"vignettes": [entry, {"plate": "AB51CDE", "exempt": "bus", "country": None}]}
    options = HttpOptions(url="https://registry.example/{plate}")

    def run(data: bytes) -> None:
        entries_of(json.loads(data), ["AB51CDE"], options, PRAGUE)

    tokens = (b"null", b"[]", b"{}", b"NaN", b"1e999", b"9999-12-31", b"0001-01-01", b"\\ud800", b"true", b"-14:00")
    # What is no JSON is refused before: these are the parser's own errors.
    documented = (RoadsideError, ValueError, RecursionError)
    return Target([json.dumps(answer).encode()], run, documented, tokens)


def _toml() -> Target:
    file = _File("a.toml")
    readers = (read_toml, load_http_options, load_notify_options)

    def run(data: bytes) -> None:
        path = file.of(data)
        for read in readers:
            try:
                read(path)
            except RoadsideError:
                continue

    seeds = [
        b'url = "https://r.example/{plate}"\nkeys = 16\ntimeout_s = 2.0\n[headers]\nAuthorization = "Bearer ${X}"\n',
        b'attempts = 3\n[[webhook]]\nname = "a"\nurl = "https://x.example/h"\nsecret_env = "S"\n',
        b'[[mqtt]]\nname = "b"\nhost = "h"\nport = 1883\n',
    ]
    return Target(
        seeds, run, tokens=(b"nan", b"inf", b"[", b"]", b"= ", b'"', b"1979-05-27", b"{a=1}", b"[[a]]", b"'''")
    )


def _site() -> Target:
    """The file of settings: cameras, what is drawn on their pictures, relays and sections."""
    seeds = [
        (
            b'[camera.gate]\nsource = "rtsp://192.0.2.7"\nrotation = 90\nzones = [[[0.1, 0.1], [0.6, 0.1], [0.6, 1]]]\n'
            b"[camera.gate.line]\nstart = [0.0, 0.5]\nend = [1.0, 0.5]\ninwards = [0.5, 0.9]\n"
            b'[camera.gate.schedule]\nhours = ["06:00-22:00"]\n'
        ),
        b'[camera.a]\n[camera.b]\n[section.hill]\nfrom = "a"\nto = "b"\ndistance_m = 1200.0\nclock_error_s = 0.5\n',
    ]
    tokens = (b"nan", b"inf", b"-1", b"1e308", b"[", b"]", b'"', b"[camera.", b"true", b"{}", b"25:00-26:00", b"[[]]")
    return Target(seeds, lambda data: parse_site(data.decode("utf-8", "replace"), Path("site.toml")), tokens=tokens)


def _known() -> Target:
    """Lists of known plates."""
    file = _File("known.csv")
    seeds = [
        b"plate,country,name,group,valid_from,valid_to\nAB51CDE,UK,Ann,flat 3,2026-01-01,2026-12-31\n",
        b"SPZ;Name\n1AB 2345;Jan\n",
    ]
    tokens = (b'"', b"\n", b"\r", b";", b"\t", b"9999-12-31", b"0001-01-01", b"\0", b"24:00", b"sep=;", b"\xef\xbb\xbf")
    return Target(seeds, lambda data: read_known(file.of(data), "list", Action.ALERT, "Europe/Prague"), tokens=tokens)


def _voc() -> Target:
    file = _File("a.xml")
    box = LabelledBox("plate", Box(1, 2, 30, 20))
    write_voc(annotation_of(Path("a.jpg"), 60, 40, [box]), file.path, Path("a.jpg"))
    tokens = (b'<!DOCTYPE a [<!ENTITY b "c">]>', b"&b;", b"inf", b"<object>", b"</object>", b'encoding="utf-16"')
    return Target([file.path.read_bytes()], lambda data: read_voc(file.of(data)), tokens=tokens)


def _yolo() -> Target:
    file = _File("a.txt")
    folder = file.path.parent
    (folder / "a.jpg").write_bytes(hostile.saved("JPEG"))
    (folder / formats.YOLO_CLASSES).write_text("plate\ncar\n", encoding="utf-8")
    image = {"id": 1, "file_name": "a.jpg", "width": 60, "height": 40}
    box = {"id": 1, "image_id": 1, "category_id": 1, "bbox": [1, 2, 30, 20], "area": 600}
    coco = {"images": [image], "annotations": [box], "categories": [{"id": 1, "name": "plate"}]}

    def run(data: bytes) -> None:
        if data[:1] == b"{":
            (folder / formats.COCO_FILE).write_bytes(data)
            formats.read_folder(folder, formats.Format.COCO)
        else:
            file.of(data)
            formats.read_folder(folder, formats.Format.YOLO)

    return Target([b"0 0.5 0.5 0.2 0.1\n1 0.1 0.2 0.3 0.4\n", json.dumps(coco).encode()], run)


def _tokens() -> Target:
    """Of pages of sightings."""
    seeds = [base64.urlsafe_b64encode(text) for text in (b"1700000000000000000.12", b"-1.0", b"9" * 30 + b".1")]
    return Target(seeds, lambda data: page_position(data.decode("utf-8", "replace")))


def _signatures() -> Target:
    """Of webhooks: anything at all is one or is none."""
    good = sign("key", 1_700_000_000, "{}")

    def run(data: bytes) -> None:
        given = data.decode("latin-1")
        if is_signed("key", given, "{}", 1_700_000_000) and given.strip() != good:
            raise AssertionError(f"forged: {given!r}")

    return Target([good.encode()], run, (), (b"t=", b"v1=", b",", b"=", b"\xb2"))


def _times() -> Target:
    """When films and photographs were taken, as they say."""

    def run(data: bytes) -> None:
        container_time(io.BytesIO(data))
        photograph_time(data)

    def box(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", 8 + len(content)) + name + content

    head = box(b"mvhd", struct.pack(">IIIII", 0, 3_800_000_000, 3_800_000_000, 1000, 5000) + bytes(80))
    mp4 = box(b"ftyp", b"isom\0\0\2\0isom") + box(b"moov", head + box(b"meta", bytes(12)))
    matroska = bytes.fromhex("1a45dfa3 8442868101 18538067 94 1549a966 8f 4461 88 0000000000000001 2ad7b1 81 01")
    exif = Image.Exif()
    exif[0x9003], exif[0x0112], exif[0x8825] = "2025:01:02 03:04:05", 6, {7: (1.0, 2.0, 3.0), 29: "2025:01:02"}
    return Target([mp4, matroska, hostile.saved("JPEG", exif=exif)], run, (), (b"moov", b"mvhd", b"meta", b"keys"))


def _model_files() -> Target:
    """The parts of a model that are read before any interpreter sees it."""
    weights = weights_folder()
    nets = sorted(p for p in weights.rglob("*.tflite") if p.stat().st_size < 1_000_000)
    card, labels = next(weights.rglob("reader.json")), next(weights.rglob("labelmap.txt"))
    files = {b"J": _File("reader.json"), b"L": _File("labelmap.txt")}

    def run(data: bytes) -> None:
        if data[:1] == b"J":
            load_card(files[b"J"].of(data[1:]))
        elif data[:1] == b"L":
            load_plate_classes(files[b"L"].of(data[1:]))
        else:
            is_tflite(data)
            is_whole(data)

    texts = [b"J" + card.read_bytes(), b"L" + labels.read_bytes()]
    return Target([*texts, *(net.read_bytes() for net in nets[:2]), sharing_tables(300)], run)


TARGETS: dict[str, Callable[[], Target]] = {
    "photograph": _photograph,
    "message-picture": _message_picture,
    "camera": _camera,
    "frames": _frames,
    "crops": _crops,
    "reads": _reads,
    "sightings": _sightings,
    "requests": _requests,
    "vignettes": _vignettes,
    "answers": _answers,
    "toml": _toml,
    "site": _site,
    "known": _known,
    "voc": _voc,
    "yolo-coco": _yolo,
    "page-tokens": _tokens,
    "signatures": _signatures,
    "times": _times,
    "model-files": _model_files,
}
