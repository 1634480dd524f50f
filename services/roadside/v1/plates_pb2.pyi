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

class SightingFilter(_message.Message):
    __slots__ = ("since_time", "until_time", "camera_id", "plate_prefix", "plate_like", "country", "verdict", "direction", "known_list", "over_kmh")
    SINCE_TIME_FIELD_NUMBER: _ClassVar[int]
    UNTIL_TIME_FIELD_NUMBER: _ClassVar[int]
    CAMERA_ID_FIELD_NUMBER: _ClassVar[int]
    PLATE_PREFIX_FIELD_NUMBER: _ClassVar[int]
    PLATE_LIKE_FIELD_NUMBER: _ClassVar[int]
    COUNTRY_FIELD_NUMBER: _ClassVar[int]
    VERDICT_FIELD_NUMBER: _ClassVar[int]
    DIRECTION_FIELD_NUMBER: _ClassVar[int]
    KNOWN_LIST_FIELD_NUMBER: _ClassVar[int]
    OVER_KMH_FIELD_NUMBER: _ClassVar[int]
    since_time: _timestamp_pb2.Timestamp
    until_time: _timestamp_pb2.Timestamp
    camera_id: str
    plate_prefix: str
    plate_like: str
    country: str
    verdict: _types_pb2.VerdictKind
    direction: _types_pb2.Direction
    known_list: str
    over_kmh: float
    def __init__(self, since_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., until_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., camera_id: _Optional[str] = ..., plate_prefix: _Optional[str] = ..., plate_like: _Optional[str] = ..., country: _Optional[str] = ..., verdict: _Optional[_Union[_types_pb2.VerdictKind, str]] = ..., direction: _Optional[_Union[_types_pb2.Direction, str]] = ..., known_list: _Optional[str] = ..., over_kmh: _Optional[float] = ...) -> None: ...

class ListSightingsRequest(_message.Message):
    __slots__ = ("page_size", "page_token", "filter")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    FILTER_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    filter: SightingFilter
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., filter: _Optional[_Union[SightingFilter, _Mapping]] = ...) -> None: ...

class ListSightingsResponse(_message.Message):
    __slots__ = ("sightings", "next_page_token")
    SIGHTINGS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    sightings: _containers.RepeatedCompositeFieldContainer[_types_pb2.Sighting]
    next_page_token: str
    def __init__(self, sightings: _Optional[_Iterable[_Union[_types_pb2.Sighting, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class GetSightingRequest(_message.Message):
    __slots__ = ("sighting_id",)
    SIGHTING_ID_FIELD_NUMBER: _ClassVar[int]
    sighting_id: str
    def __init__(self, sighting_id: _Optional[str] = ...) -> None: ...

class GetSightingResponse(_message.Message):
    __slots__ = ("sighting",)
    SIGHTING_FIELD_NUMBER: _ClassVar[int]
    sighting: _types_pb2.Sighting
    def __init__(self, sighting: _Optional[_Union[_types_pb2.Sighting, _Mapping]] = ...) -> None: ...

class GetEvidenceRequest(_message.Message):
    __slots__ = ("sighting_id", "kind", "viewer")
    SIGHTING_ID_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    VIEWER_FIELD_NUMBER: _ClassVar[int]
    sighting_id: str
    kind: _types_pb2.PictureKind
    viewer: str
    def __init__(self, sighting_id: _Optional[str] = ..., kind: _Optional[_Union[_types_pb2.PictureKind, str]] = ..., viewer: _Optional[str] = ...) -> None: ...

class GetEvidenceResponse(_message.Message):
    __slots__ = ("chunk", "media_type")
    CHUNK_FIELD_NUMBER: _ClassVar[int]
    MEDIA_TYPE_FIELD_NUMBER: _ClassVar[int]
    chunk: bytes
    media_type: str
    def __init__(self, chunk: _Optional[bytes] = ..., media_type: _Optional[str] = ...) -> None: ...

class WatchSightingsRequest(_message.Message):
    __slots__ = ("after_sighting_id", "filter")
    AFTER_SIGHTING_ID_FIELD_NUMBER: _ClassVar[int]
    FILTER_FIELD_NUMBER: _ClassVar[int]
    after_sighting_id: str
    filter: SightingFilter
    def __init__(self, after_sighting_id: _Optional[str] = ..., filter: _Optional[_Union[SightingFilter, _Mapping]] = ...) -> None: ...

class WatchSightingsResponse(_message.Message):
    __slots__ = ("sighting",)
    SIGHTING_FIELD_NUMBER: _ClassVar[int]
    sighting: _types_pb2.Sighting
    def __init__(self, sighting: _Optional[_Union[_types_pb2.Sighting, _Mapping]] = ...) -> None: ...

class ListStoredRequest(_message.Message):
    __slots__ = ("after_sequence", "page_size")
    AFTER_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    after_sequence: int
    page_size: int
    def __init__(self, after_sequence: _Optional[int] = ..., page_size: _Optional[int] = ...) -> None: ...

class ListStoredResponse(_message.Message):
    __slots__ = ("sightings", "newest_sequence")
    SIGHTINGS_FIELD_NUMBER: _ClassVar[int]
    NEWEST_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    sightings: _containers.RepeatedCompositeFieldContainer[_types_pb2.Sighting]
    newest_sequence: int
    def __init__(self, sightings: _Optional[_Iterable[_Union[_types_pb2.Sighting, _Mapping]]] = ..., newest_sequence: _Optional[int] = ...) -> None: ...
