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

class CheckRequest(_message.Message):
    __slots__ = ("plate", "country", "passage_time", "passage_end_time")
    PLATE_FIELD_NUMBER: _ClassVar[int]
    COUNTRY_FIELD_NUMBER: _ClassVar[int]
    PASSAGE_TIME_FIELD_NUMBER: _ClassVar[int]
    PASSAGE_END_TIME_FIELD_NUMBER: _ClassVar[int]
    plate: str
    country: str
    passage_time: _timestamp_pb2.Timestamp
    passage_end_time: _timestamp_pb2.Timestamp
    def __init__(self, plate: _Optional[str] = ..., country: _Optional[str] = ..., passage_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., passage_end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class CheckResponse(_message.Message):
    __slots__ = ("verdict", "vignettes", "exemptions", "lapsed_vignettes")
    VERDICT_FIELD_NUMBER: _ClassVar[int]
    VIGNETTES_FIELD_NUMBER: _ClassVar[int]
    EXEMPTIONS_FIELD_NUMBER: _ClassVar[int]
    LAPSED_VIGNETTES_FIELD_NUMBER: _ClassVar[int]
    verdict: _types_pb2.VerdictKind
    vignettes: _containers.RepeatedCompositeFieldContainer[_types_pb2.Vignette]
    exemptions: _containers.RepeatedCompositeFieldContainer[_types_pb2.Exemption]
    lapsed_vignettes: _containers.RepeatedCompositeFieldContainer[_types_pb2.Vignette]
    def __init__(self, verdict: _Optional[_Union[_types_pb2.VerdictKind, str]] = ..., vignettes: _Optional[_Iterable[_Union[_types_pb2.Vignette, _Mapping]]] = ..., exemptions: _Optional[_Iterable[_Union[_types_pb2.Exemption, _Mapping]]] = ..., lapsed_vignettes: _Optional[_Iterable[_Union[_types_pb2.Vignette, _Mapping]]] = ...) -> None: ...

class BatchCheckRequest(_message.Message):
    __slots__ = ("requests",)
    REQUESTS_FIELD_NUMBER: _ClassVar[int]
    requests: _containers.RepeatedCompositeFieldContainer[CheckRequest]
    def __init__(self, requests: _Optional[_Iterable[_Union[CheckRequest, _Mapping]]] = ...) -> None: ...

class BatchCheckResponse(_message.Message):
    __slots__ = ("responses",)
    RESPONSES_FIELD_NUMBER: _ClassVar[int]
    responses: _containers.RepeatedCompositeFieldContainer[CheckResponse]
    def __init__(self, responses: _Optional[_Iterable[_Union[CheckResponse, _Mapping]]] = ...) -> None: ...

class ImportVignettesRequest(_message.Message):
    __slots__ = ("csv_chunk", "replace_all", "force")
    CSV_CHUNK_FIELD_NUMBER: _ClassVar[int]
    REPLACE_ALL_FIELD_NUMBER: _ClassVar[int]
    FORCE_FIELD_NUMBER: _ClassVar[int]
    csv_chunk: bytes
    replace_all: bool
    force: bool
    def __init__(self, csv_chunk: _Optional[bytes] = ..., replace_all: _Optional[bool] = ..., force: _Optional[bool] = ...) -> None: ...

class RejectedRow(_message.Message):
    __slots__ = ("line", "reason")
    LINE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    line: int
    reason: str
    def __init__(self, line: _Optional[int] = ..., reason: _Optional[str] = ...) -> None: ...

class ImportVignettesResponse(_message.Message):
    __slots__ = ("imported_count", "rejected_count", "rejected_rows", "read_as", "forced_reasons")
    IMPORTED_COUNT_FIELD_NUMBER: _ClassVar[int]
    REJECTED_COUNT_FIELD_NUMBER: _ClassVar[int]
    REJECTED_ROWS_FIELD_NUMBER: _ClassVar[int]
    READ_AS_FIELD_NUMBER: _ClassVar[int]
    FORCED_REASONS_FIELD_NUMBER: _ClassVar[int]
    imported_count: int
    rejected_count: int
    rejected_rows: _containers.RepeatedCompositeFieldContainer[RejectedRow]
    read_as: str
    forced_reasons: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, imported_count: _Optional[int] = ..., rejected_count: _Optional[int] = ..., rejected_rows: _Optional[_Iterable[_Union[RejectedRow, _Mapping]]] = ..., read_as: _Optional[str] = ..., forced_reasons: _Optional[_Iterable[str]] = ...) -> None: ...
