import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from roadside.v1 import options_pb2 as _options_pb2
from roadside.v1 import types_pb2 as _types_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class FrameEvent(_message.Message):
    __slots__ = ("camera_id", "capture_time", "sequence", "picture", "live", "stamp", "background")
    CAMERA_ID_FIELD_NUMBER: _ClassVar[int]
    CAPTURE_TIME_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    PICTURE_FIELD_NUMBER: _ClassVar[int]
    LIVE_FIELD_NUMBER: _ClassVar[int]
    STAMP_FIELD_NUMBER: _ClassVar[int]
    BACKGROUND_FIELD_NUMBER: _ClassVar[int]
    camera_id: str
    capture_time: _timestamp_pb2.Timestamp
    sequence: int
    picture: _types_pb2.Picture
    live: bool
    stamp: Stamp
    background: Background
    def __init__(self, camera_id: _Optional[str] = ..., capture_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., sequence: _Optional[int] = ..., picture: _Optional[_Union[_types_pb2.Picture, _Mapping]] = ..., live: _Optional[bool] = ..., stamp: _Optional[_Union[Stamp, _Mapping]] = ..., background: _Optional[_Union[Background, _Mapping]] = ...) -> None: ...

class Background(_message.Message):
    __slots__ = ("x", "y", "since_time", "untold")
    X_FIELD_NUMBER: _ClassVar[int]
    Y_FIELD_NUMBER: _ClassVar[int]
    SINCE_TIME_FIELD_NUMBER: _ClassVar[int]
    UNTOLD_FIELD_NUMBER: _ClassVar[int]
    x: float
    y: float
    since_time: _timestamp_pb2.Timestamp
    untold: bool
    def __init__(self, x: _Optional[float] = ..., y: _Optional[float] = ..., since_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., untold: _Optional[bool] = ...) -> None: ...

class Stamp(_message.Message):
    __slots__ = ("time", "slack_ns", "doubt")
    TIME_FIELD_NUMBER: _ClassVar[int]
    SLACK_NS_FIELD_NUMBER: _ClassVar[int]
    DOUBT_FIELD_NUMBER: _ClassVar[int]
    time: _timestamp_pb2.Timestamp
    slack_ns: int
    doubt: str
    def __init__(self, time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., slack_ns: _Optional[int] = ..., doubt: _Optional[str] = ...) -> None: ...

class CropEvent(_message.Message):
    __slots__ = ("camera_id", "capture_time", "sequence", "detection", "picture", "origin_x", "origin_y", "frame", "frame_width_px", "frame_height_px", "stamp", "detector_model", "others", "background")
    CAMERA_ID_FIELD_NUMBER: _ClassVar[int]
    CAPTURE_TIME_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    DETECTION_FIELD_NUMBER: _ClassVar[int]
    PICTURE_FIELD_NUMBER: _ClassVar[int]
    ORIGIN_X_FIELD_NUMBER: _ClassVar[int]
    ORIGIN_Y_FIELD_NUMBER: _ClassVar[int]
    FRAME_FIELD_NUMBER: _ClassVar[int]
    FRAME_WIDTH_PX_FIELD_NUMBER: _ClassVar[int]
    FRAME_HEIGHT_PX_FIELD_NUMBER: _ClassVar[int]
    STAMP_FIELD_NUMBER: _ClassVar[int]
    DETECTOR_MODEL_FIELD_NUMBER: _ClassVar[int]
    OTHERS_FIELD_NUMBER: _ClassVar[int]
    BACKGROUND_FIELD_NUMBER: _ClassVar[int]
    camera_id: str
    capture_time: _timestamp_pb2.Timestamp
    sequence: int
    detection: _types_pb2.Detection
    picture: _types_pb2.Picture
    origin_x: int
    origin_y: int
    frame: _types_pb2.Picture
    frame_width_px: int
    frame_height_px: int
    stamp: Stamp
    detector_model: str
    others: _containers.RepeatedCompositeFieldContainer[_types_pb2.Box]
    background: Background
    def __init__(self, camera_id: _Optional[str] = ..., capture_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., sequence: _Optional[int] = ..., detection: _Optional[_Union[_types_pb2.Detection, _Mapping]] = ..., picture: _Optional[_Union[_types_pb2.Picture, _Mapping]] = ..., origin_x: _Optional[int] = ..., origin_y: _Optional[int] = ..., frame: _Optional[_Union[_types_pb2.Picture, _Mapping]] = ..., frame_width_px: _Optional[int] = ..., frame_height_px: _Optional[int] = ..., stamp: _Optional[_Union[Stamp, _Mapping]] = ..., detector_model: _Optional[str] = ..., others: _Optional[_Iterable[_Union[_types_pb2.Box, _Mapping]]] = ..., background: _Optional[_Union[Background, _Mapping]] = ...) -> None: ...

class ReadEvent(_message.Message):
    __slots__ = ("crop", "read")
    CROP_FIELD_NUMBER: _ClassVar[int]
    READ_FIELD_NUMBER: _ClassVar[int]
    crop: CropEvent
    read: _types_pb2.Read
    def __init__(self, crop: _Optional[_Union[CropEvent, _Mapping]] = ..., read: _Optional[_Union[_types_pb2.Read, _Mapping]] = ...) -> None: ...

class SightingEvent(_message.Message):
    __slots__ = ("sighting", "pictures")
    SIGHTING_FIELD_NUMBER: _ClassVar[int]
    PICTURES_FIELD_NUMBER: _ClassVar[int]
    sighting: _types_pb2.Sighting
    pictures: _containers.RepeatedCompositeFieldContainer[EvidencePicture]
    def __init__(self, sighting: _Optional[_Union[_types_pb2.Sighting, _Mapping]] = ..., pictures: _Optional[_Iterable[_Union[EvidencePicture, _Mapping]]] = ...) -> None: ...

class EvidencePicture(_message.Message):
    __slots__ = ("kind", "media_type", "data", "box")
    KIND_FIELD_NUMBER: _ClassVar[int]
    MEDIA_TYPE_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    BOX_FIELD_NUMBER: _ClassVar[int]
    kind: _types_pb2.PictureKind
    media_type: str
    data: bytes
    box: _types_pb2.Box
    def __init__(self, kind: _Optional[_Union[_types_pb2.PictureKind, str]] = ..., media_type: _Optional[str] = ..., data: _Optional[bytes] = ..., box: _Optional[_Union[_types_pb2.Box, _Mapping]] = ...) -> None: ...
