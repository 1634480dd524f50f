import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from roadside.v1 import options_pb2 as _options_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class PictureEncoding(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PICTURE_ENCODING_UNSPECIFIED: _ClassVar[PictureEncoding]
    PICTURE_ENCODING_JPEG: _ClassVar[PictureEncoding]
    PICTURE_ENCODING_PNG: _ClassVar[PictureEncoding]
    PICTURE_ENCODING_BGR: _ClassVar[PictureEncoding]

class VerdictKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    VERDICT_KIND_UNSPECIFIED: _ClassVar[VerdictKind]
    VERDICT_KIND_PAID: _ClassVar[VerdictKind]
    VERDICT_KIND_EXEMPT: _ClassVar[VerdictKind]
    VERDICT_KIND_UNPAID: _ClassVar[VerdictKind]
    VERDICT_KIND_REVIEW: _ClassVar[VerdictKind]
    VERDICT_KIND_UNKNOWN: _ClassVar[VerdictKind]
    VERDICT_KIND_NONE: _ClassVar[VerdictKind]

class StatementAnswer(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    STATEMENT_ANSWER_UNSPECIFIED: _ClassVar[StatementAnswer]
    STATEMENT_ANSWER_CONFIRMED: _ClassVar[StatementAnswer]
    STATEMENT_ANSWER_DISAGREED: _ClassVar[StatementAnswer]

class PictureKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PICTURE_KIND_UNSPECIFIED: _ClassVar[PictureKind]
    PICTURE_KIND_CROP: _ClassVar[PictureKind]
    PICTURE_KIND_FRAME: _ClassVar[PictureKind]
    PICTURE_KIND_STRIP: _ClassVar[PictureKind]

class Direction(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DIRECTION_UNSPECIFIED: _ClassVar[Direction]
    DIRECTION_IN: _ClassVar[Direction]
    DIRECTION_OUT: _ClassVar[Direction]

class KnownAction(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    KNOWN_ACTION_UNSPECIFIED: _ClassVar[KnownAction]
    KNOWN_ACTION_OPEN: _ClassVar[KnownAction]
    KNOWN_ACTION_ALERT: _ClassVar[KnownAction]
    KNOWN_ACTION_IGNORE: _ClassVar[KnownAction]
PICTURE_ENCODING_UNSPECIFIED: PictureEncoding
PICTURE_ENCODING_JPEG: PictureEncoding
PICTURE_ENCODING_PNG: PictureEncoding
PICTURE_ENCODING_BGR: PictureEncoding
VERDICT_KIND_UNSPECIFIED: VerdictKind
VERDICT_KIND_PAID: VerdictKind
VERDICT_KIND_EXEMPT: VerdictKind
VERDICT_KIND_UNPAID: VerdictKind
VERDICT_KIND_REVIEW: VerdictKind
VERDICT_KIND_UNKNOWN: VerdictKind
VERDICT_KIND_NONE: VerdictKind
STATEMENT_ANSWER_UNSPECIFIED: StatementAnswer
STATEMENT_ANSWER_CONFIRMED: StatementAnswer
STATEMENT_ANSWER_DISAGREED: StatementAnswer
PICTURE_KIND_UNSPECIFIED: PictureKind
PICTURE_KIND_CROP: PictureKind
PICTURE_KIND_FRAME: PictureKind
PICTURE_KIND_STRIP: PictureKind
DIRECTION_UNSPECIFIED: Direction
DIRECTION_IN: Direction
DIRECTION_OUT: Direction
KNOWN_ACTION_UNSPECIFIED: KnownAction
KNOWN_ACTION_OPEN: KnownAction
KNOWN_ACTION_ALERT: KnownAction
KNOWN_ACTION_IGNORE: KnownAction

class Box(_message.Message):
    __slots__ = ("x1", "y1", "x2", "y2")
    X1_FIELD_NUMBER: _ClassVar[int]
    Y1_FIELD_NUMBER: _ClassVar[int]
    X2_FIELD_NUMBER: _ClassVar[int]
    Y2_FIELD_NUMBER: _ClassVar[int]
    x1: float
    y1: float
    x2: float
    y2: float
    def __init__(self, x1: _Optional[float] = ..., y1: _Optional[float] = ..., x2: _Optional[float] = ..., y2: _Optional[float] = ...) -> None: ...

class Point(_message.Message):
    __slots__ = ("x", "y")
    X_FIELD_NUMBER: _ClassVar[int]
    Y_FIELD_NUMBER: _ClassVar[int]
    x: float
    y: float
    def __init__(self, x: _Optional[float] = ..., y: _Optional[float] = ...) -> None: ...

class Detection(_message.Message):
    __slots__ = ("box", "score", "corners")
    BOX_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    CORNERS_FIELD_NUMBER: _ClassVar[int]
    box: Box
    score: float
    corners: _containers.RepeatedCompositeFieldContainer[Point]
    def __init__(self, box: _Optional[_Union[Box, _Mapping]] = ..., score: _Optional[float] = ..., corners: _Optional[_Iterable[_Union[Point, _Mapping]]] = ...) -> None: ...

class Picture(_message.Message):
    __slots__ = ("encoding", "data", "width_px", "height_px")
    ENCODING_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    WIDTH_PX_FIELD_NUMBER: _ClassVar[int]
    HEIGHT_PX_FIELD_NUMBER: _ClassVar[int]
    encoding: PictureEncoding
    data: bytes
    width_px: int
    height_px: int
    def __init__(self, encoding: _Optional[_Union[PictureEncoding, str]] = ..., data: _Optional[bytes] = ..., width_px: _Optional[int] = ..., height_px: _Optional[int] = ...) -> None: ...

class Character(_message.Message):
    __slots__ = ("text", "confidence")
    TEXT_FIELD_NUMBER: _ClassVar[int]
    CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    text: str
    confidence: float
    def __init__(self, text: _Optional[str] = ..., confidence: _Optional[float] = ...) -> None: ...

class Hypothesis(_message.Message):
    __slots__ = ("text", "country", "probability")
    TEXT_FIELD_NUMBER: _ClassVar[int]
    COUNTRY_FIELD_NUMBER: _ClassVar[int]
    PROBABILITY_FIELD_NUMBER: _ClassVar[int]
    text: str
    country: str
    probability: float
    def __init__(self, text: _Optional[str] = ..., country: _Optional[str] = ..., probability: _Optional[float] = ...) -> None: ...

class CountryProbability(_message.Message):
    __slots__ = ("country", "probability")
    COUNTRY_FIELD_NUMBER: _ClassVar[int]
    PROBABILITY_FIELD_NUMBER: _ClassVar[int]
    country: str
    probability: float
    def __init__(self, country: _Optional[str] = ..., probability: _Optional[float] = ...) -> None: ...

class Read(_message.Message):
    __slots__ = ("raw", "text", "country", "confidence", "characters", "posterior", "alternatives", "countries", "model")
    RAW_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    COUNTRY_FIELD_NUMBER: _ClassVar[int]
    CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    CHARACTERS_FIELD_NUMBER: _ClassVar[int]
    POSTERIOR_FIELD_NUMBER: _ClassVar[int]
    ALTERNATIVES_FIELD_NUMBER: _ClassVar[int]
    COUNTRIES_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    raw: str
    text: str
    country: str
    confidence: float
    characters: _containers.RepeatedCompositeFieldContainer[Character]
    posterior: bytes
    alternatives: _containers.RepeatedCompositeFieldContainer[Hypothesis]
    countries: _containers.RepeatedCompositeFieldContainer[CountryProbability]
    model: str
    def __init__(self, raw: _Optional[str] = ..., text: _Optional[str] = ..., country: _Optional[str] = ..., confidence: _Optional[float] = ..., characters: _Optional[_Iterable[_Union[Character, _Mapping]]] = ..., posterior: _Optional[bytes] = ..., alternatives: _Optional[_Iterable[_Union[Hypothesis, _Mapping]]] = ..., countries: _Optional[_Iterable[_Union[CountryProbability, _Mapping]]] = ..., model: _Optional[str] = ...) -> None: ...

class FusedPlate(_message.Message):
    __slots__ = ("text", "raw", "country", "confidence", "posterior", "alternatives", "looks", "countries", "doubts", "examined", "shown")
    TEXT_FIELD_NUMBER: _ClassVar[int]
    RAW_FIELD_NUMBER: _ClassVar[int]
    COUNTRY_FIELD_NUMBER: _ClassVar[int]
    CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    POSTERIOR_FIELD_NUMBER: _ClassVar[int]
    ALTERNATIVES_FIELD_NUMBER: _ClassVar[int]
    LOOKS_FIELD_NUMBER: _ClassVar[int]
    COUNTRIES_FIELD_NUMBER: _ClassVar[int]
    DOUBTS_FIELD_NUMBER: _ClassVar[int]
    EXAMINED_FIELD_NUMBER: _ClassVar[int]
    SHOWN_FIELD_NUMBER: _ClassVar[int]
    text: str
    raw: str
    country: str
    confidence: float
    posterior: bytes
    alternatives: _containers.RepeatedCompositeFieldContainer[Hypothesis]
    looks: int
    countries: _containers.RepeatedCompositeFieldContainer[CountryProbability]
    doubts: _containers.RepeatedScalarFieldContainer[str]
    examined: bool
    shown: _containers.RepeatedCompositeFieldContainer[ShownRead]
    def __init__(self, text: _Optional[str] = ..., raw: _Optional[str] = ..., country: _Optional[str] = ..., confidence: _Optional[float] = ..., posterior: _Optional[bytes] = ..., alternatives: _Optional[_Iterable[_Union[Hypothesis, _Mapping]]] = ..., looks: _Optional[int] = ..., countries: _Optional[_Iterable[_Union[CountryProbability, _Mapping]]] = ..., doubts: _Optional[_Iterable[str]] = ..., examined: _Optional[bool] = ..., shown: _Optional[_Iterable[_Union[ShownRead, _Mapping]]] = ...) -> None: ...

class ShownRead(_message.Message):
    __slots__ = ("text", "confidence", "capture_time")
    TEXT_FIELD_NUMBER: _ClassVar[int]
    CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    CAPTURE_TIME_FIELD_NUMBER: _ClassVar[int]
    text: str
    confidence: float
    capture_time: _timestamp_pb2.Timestamp
    def __init__(self, text: _Optional[str] = ..., confidence: _Optional[float] = ..., capture_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class Vignette(_message.Message):
    __slots__ = ("plate", "country", "category", "valid_from_time", "valid_to_time")
    PLATE_FIELD_NUMBER: _ClassVar[int]
    COUNTRY_FIELD_NUMBER: _ClassVar[int]
    CATEGORY_FIELD_NUMBER: _ClassVar[int]
    VALID_FROM_TIME_FIELD_NUMBER: _ClassVar[int]
    VALID_TO_TIME_FIELD_NUMBER: _ClassVar[int]
    plate: str
    country: str
    category: str
    valid_from_time: _timestamp_pb2.Timestamp
    valid_to_time: _timestamp_pb2.Timestamp
    def __init__(self, plate: _Optional[str] = ..., country: _Optional[str] = ..., category: _Optional[str] = ..., valid_from_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., valid_to_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class Exemption(_message.Message):
    __slots__ = ("pattern", "country", "reason", "valid_from_time", "valid_to_time")
    PATTERN_FIELD_NUMBER: _ClassVar[int]
    COUNTRY_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    VALID_FROM_TIME_FIELD_NUMBER: _ClassVar[int]
    VALID_TO_TIME_FIELD_NUMBER: _ClassVar[int]
    pattern: str
    country: str
    reason: str
    valid_from_time: _timestamp_pb2.Timestamp
    valid_to_time: _timestamp_pb2.Timestamp
    def __init__(self, pattern: _Optional[str] = ..., country: _Optional[str] = ..., reason: _Optional[str] = ..., valid_from_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., valid_to_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class Reading(_message.Message):
    __slots__ = ("plate", "probability", "paid", "exempt")
    PLATE_FIELD_NUMBER: _ClassVar[int]
    PROBABILITY_FIELD_NUMBER: _ClassVar[int]
    PAID_FIELD_NUMBER: _ClassVar[int]
    EXEMPT_FIELD_NUMBER: _ClassVar[int]
    plate: str
    probability: float
    paid: bool
    exempt: bool
    def __init__(self, plate: _Optional[str] = ..., probability: _Optional[float] = ..., paid: _Optional[bool] = ..., exempt: _Optional[bool] = ...) -> None: ...

class Statement(_message.Message):
    __slots__ = ("answer", "reader", "sha256", "text")
    ANSWER_FIELD_NUMBER: _ClassVar[int]
    READER_FIELD_NUMBER: _ClassVar[int]
    SHA256_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    answer: StatementAnswer
    reader: str
    sha256: str
    text: str
    def __init__(self, answer: _Optional[_Union[StatementAnswer, str]] = ..., reader: _Optional[str] = ..., sha256: _Optional[str] = ..., text: _Optional[str] = ...) -> None: ...

class Verdict(_message.Message):
    __slots__ = ("kind", "rule", "paid_probability", "exempt_probability", "readings", "vignettes", "exemptions", "lapsed_vignettes", "earliest_time", "latest_time", "time_doubt", "statement", "basis")
    KIND_FIELD_NUMBER: _ClassVar[int]
    RULE_FIELD_NUMBER: _ClassVar[int]
    PAID_PROBABILITY_FIELD_NUMBER: _ClassVar[int]
    EXEMPT_PROBABILITY_FIELD_NUMBER: _ClassVar[int]
    READINGS_FIELD_NUMBER: _ClassVar[int]
    VIGNETTES_FIELD_NUMBER: _ClassVar[int]
    EXEMPTIONS_FIELD_NUMBER: _ClassVar[int]
    LAPSED_VIGNETTES_FIELD_NUMBER: _ClassVar[int]
    EARLIEST_TIME_FIELD_NUMBER: _ClassVar[int]
    LATEST_TIME_FIELD_NUMBER: _ClassVar[int]
    TIME_DOUBT_FIELD_NUMBER: _ClassVar[int]
    STATEMENT_FIELD_NUMBER: _ClassVar[int]
    BASIS_FIELD_NUMBER: _ClassVar[int]
    kind: VerdictKind
    rule: str
    paid_probability: float
    exempt_probability: float
    readings: _containers.RepeatedCompositeFieldContainer[Reading]
    vignettes: _containers.RepeatedCompositeFieldContainer[Vignette]
    exemptions: _containers.RepeatedCompositeFieldContainer[Exemption]
    lapsed_vignettes: _containers.RepeatedCompositeFieldContainer[Vignette]
    earliest_time: _timestamp_pb2.Timestamp
    latest_time: _timestamp_pb2.Timestamp
    time_doubt: str
    statement: Statement
    basis: _containers.RepeatedCompositeFieldContainer[Fact]
    def __init__(self, kind: _Optional[_Union[VerdictKind, str]] = ..., rule: _Optional[str] = ..., paid_probability: _Optional[float] = ..., exempt_probability: _Optional[float] = ..., readings: _Optional[_Iterable[_Union[Reading, _Mapping]]] = ..., vignettes: _Optional[_Iterable[_Union[Vignette, _Mapping]]] = ..., exemptions: _Optional[_Iterable[_Union[Exemption, _Mapping]]] = ..., lapsed_vignettes: _Optional[_Iterable[_Union[Vignette, _Mapping]]] = ..., earliest_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., latest_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., time_doubt: _Optional[str] = ..., statement: _Optional[_Union[Statement, _Mapping]] = ..., basis: _Optional[_Iterable[_Union[Fact, _Mapping]]] = ...) -> None: ...

class Fact(_message.Message):
    __slots__ = ("name", "value")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    name: str
    value: str
    def __init__(self, name: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...

class Evidence(_message.Message):
    __slots__ = ("kind", "sha256", "media_type", "size_bytes", "box")
    KIND_FIELD_NUMBER: _ClassVar[int]
    SHA256_FIELD_NUMBER: _ClassVar[int]
    MEDIA_TYPE_FIELD_NUMBER: _ClassVar[int]
    SIZE_BYTES_FIELD_NUMBER: _ClassVar[int]
    BOX_FIELD_NUMBER: _ClassVar[int]
    kind: PictureKind
    sha256: str
    media_type: str
    size_bytes: int
    box: Box
    def __init__(self, kind: _Optional[_Union[PictureKind, str]] = ..., sha256: _Optional[str] = ..., media_type: _Optional[str] = ..., size_bytes: _Optional[int] = ..., box: _Optional[_Union[Box, _Mapping]] = ...) -> None: ...

class Sighting(_message.Message):
    __slots__ = ("sighting_id", "camera_id", "track_id", "first_seen_time", "last_seen_time", "plate", "verdict", "plate_hash", "evidence", "sequence", "provenance", "direction", "known", "speed")
    SIGHTING_ID_FIELD_NUMBER: _ClassVar[int]
    CAMERA_ID_FIELD_NUMBER: _ClassVar[int]
    TRACK_ID_FIELD_NUMBER: _ClassVar[int]
    FIRST_SEEN_TIME_FIELD_NUMBER: _ClassVar[int]
    LAST_SEEN_TIME_FIELD_NUMBER: _ClassVar[int]
    PLATE_FIELD_NUMBER: _ClassVar[int]
    VERDICT_FIELD_NUMBER: _ClassVar[int]
    PLATE_HASH_FIELD_NUMBER: _ClassVar[int]
    EVIDENCE_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    PROVENANCE_FIELD_NUMBER: _ClassVar[int]
    DIRECTION_FIELD_NUMBER: _ClassVar[int]
    KNOWN_FIELD_NUMBER: _ClassVar[int]
    SPEED_FIELD_NUMBER: _ClassVar[int]
    sighting_id: str
    camera_id: str
    track_id: str
    first_seen_time: _timestamp_pb2.Timestamp
    last_seen_time: _timestamp_pb2.Timestamp
    plate: FusedPlate
    verdict: Verdict
    plate_hash: str
    evidence: _containers.RepeatedCompositeFieldContainer[Evidence]
    sequence: int
    provenance: _containers.RepeatedCompositeFieldContainer[Fact]
    direction: Direction
    known: _containers.RepeatedCompositeFieldContainer[KnownMatch]
    speed: AverageSpeed
    def __init__(self, sighting_id: _Optional[str] = ..., camera_id: _Optional[str] = ..., track_id: _Optional[str] = ..., first_seen_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., last_seen_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., plate: _Optional[_Union[FusedPlate, _Mapping]] = ..., verdict: _Optional[_Union[Verdict, _Mapping]] = ..., plate_hash: _Optional[str] = ..., evidence: _Optional[_Iterable[_Union[Evidence, _Mapping]]] = ..., sequence: _Optional[int] = ..., provenance: _Optional[_Iterable[_Union[Fact, _Mapping]]] = ..., direction: _Optional[_Union[Direction, str]] = ..., known: _Optional[_Iterable[_Union[KnownMatch, _Mapping]]] = ..., speed: _Optional[_Union[AverageSpeed, _Mapping]] = ...) -> None: ...

class AverageSpeed(_message.Message):
    __slots__ = ("kmh", "lowest_kmh", "highest_kmh")
    KMH_FIELD_NUMBER: _ClassVar[int]
    LOWEST_KMH_FIELD_NUMBER: _ClassVar[int]
    HIGHEST_KMH_FIELD_NUMBER: _ClassVar[int]
    kmh: float
    lowest_kmh: float
    highest_kmh: float
    def __init__(self, kmh: _Optional[float] = ..., lowest_kmh: _Optional[float] = ..., highest_kmh: _Optional[float] = ...) -> None: ...

class KnownMatch(_message.Message):
    __slots__ = ("list", "action", "name", "group", "plate", "probability", "opens")
    LIST_FIELD_NUMBER: _ClassVar[int]
    ACTION_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    GROUP_FIELD_NUMBER: _ClassVar[int]
    PLATE_FIELD_NUMBER: _ClassVar[int]
    PROBABILITY_FIELD_NUMBER: _ClassVar[int]
    OPENS_FIELD_NUMBER: _ClassVar[int]
    list: str
    action: KnownAction
    name: str
    group: str
    plate: str
    probability: float
    opens: bool
    def __init__(self, list: _Optional[str] = ..., action: _Optional[_Union[KnownAction, str]] = ..., name: _Optional[str] = ..., group: _Optional[str] = ..., plate: _Optional[str] = ..., probability: _Optional[float] = ..., opens: _Optional[bool] = ...) -> None: ...
