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
    __slots__ = ("csv_chunk", "replace_all", "force", "dry_run", "exemptions", "date_order", "source", "look", "encoding", "separator", "columns", "country")
    CSV_CHUNK_FIELD_NUMBER: _ClassVar[int]
    REPLACE_ALL_FIELD_NUMBER: _ClassVar[int]
    FORCE_FIELD_NUMBER: _ClassVar[int]
    DRY_RUN_FIELD_NUMBER: _ClassVar[int]
    EXEMPTIONS_FIELD_NUMBER: _ClassVar[int]
    DATE_ORDER_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    LOOK_FIELD_NUMBER: _ClassVar[int]
    ENCODING_FIELD_NUMBER: _ClassVar[int]
    SEPARATOR_FIELD_NUMBER: _ClassVar[int]
    COLUMNS_FIELD_NUMBER: _ClassVar[int]
    COUNTRY_FIELD_NUMBER: _ClassVar[int]
    csv_chunk: bytes
    replace_all: bool
    force: bool
    dry_run: bool
    exemptions: bool
    date_order: str
    source: str
    look: bool
    encoding: str
    separator: str
    columns: _containers.RepeatedScalarFieldContainer[str]
    country: str
    def __init__(self, csv_chunk: _Optional[bytes] = ..., replace_all: _Optional[bool] = ..., force: _Optional[bool] = ..., dry_run: _Optional[bool] = ..., exemptions: _Optional[bool] = ..., date_order: _Optional[str] = ..., source: _Optional[str] = ..., look: _Optional[bool] = ..., encoding: _Optional[str] = ..., separator: _Optional[str] = ..., columns: _Optional[_Iterable[str]] = ..., country: _Optional[str] = ...) -> None: ...

class RejectedRow(_message.Message):
    __slots__ = ("line", "reason")
    LINE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    line: int
    reason: str
    def __init__(self, line: _Optional[int] = ..., reason: _Optional[str] = ...) -> None: ...

class ImportVignettesResponse(_message.Message):
    __slots__ = ("imported_count", "rejected_count", "rejected_rows", "read_as", "forced_reasons", "added_count", "removed_count", "doubted_count", "unsure_count", "objections", "column_names", "column_meanings")
    IMPORTED_COUNT_FIELD_NUMBER: _ClassVar[int]
    REJECTED_COUNT_FIELD_NUMBER: _ClassVar[int]
    REJECTED_ROWS_FIELD_NUMBER: _ClassVar[int]
    READ_AS_FIELD_NUMBER: _ClassVar[int]
    FORCED_REASONS_FIELD_NUMBER: _ClassVar[int]
    ADDED_COUNT_FIELD_NUMBER: _ClassVar[int]
    REMOVED_COUNT_FIELD_NUMBER: _ClassVar[int]
    DOUBTED_COUNT_FIELD_NUMBER: _ClassVar[int]
    UNSURE_COUNT_FIELD_NUMBER: _ClassVar[int]
    OBJECTIONS_FIELD_NUMBER: _ClassVar[int]
    COLUMN_NAMES_FIELD_NUMBER: _ClassVar[int]
    COLUMN_MEANINGS_FIELD_NUMBER: _ClassVar[int]
    imported_count: int
    rejected_count: int
    rejected_rows: _containers.RepeatedCompositeFieldContainer[RejectedRow]
    read_as: str
    forced_reasons: _containers.RepeatedScalarFieldContainer[str]
    added_count: int
    removed_count: int
    doubted_count: int
    unsure_count: int
    objections: _containers.RepeatedScalarFieldContainer[str]
    column_names: _containers.RepeatedScalarFieldContainer[str]
    column_meanings: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, imported_count: _Optional[int] = ..., rejected_count: _Optional[int] = ..., rejected_rows: _Optional[_Iterable[_Union[RejectedRow, _Mapping]]] = ..., read_as: _Optional[str] = ..., forced_reasons: _Optional[_Iterable[str]] = ..., added_count: _Optional[int] = ..., removed_count: _Optional[int] = ..., doubted_count: _Optional[int] = ..., unsure_count: _Optional[int] = ..., objections: _Optional[_Iterable[str]] = ..., column_names: _Optional[_Iterable[str]] = ..., column_meanings: _Optional[_Iterable[str]] = ...) -> None: ...

class GetStateRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListImport(_message.Message):
    __slots__ = ("import_time", "content", "source", "added_count", "removed_count", "kept_count", "rejected_count")
    IMPORT_TIME_FIELD_NUMBER: _ClassVar[int]
    CONTENT_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    ADDED_COUNT_FIELD_NUMBER: _ClassVar[int]
    REMOVED_COUNT_FIELD_NUMBER: _ClassVar[int]
    KEPT_COUNT_FIELD_NUMBER: _ClassVar[int]
    REJECTED_COUNT_FIELD_NUMBER: _ClassVar[int]
    import_time: _timestamp_pb2.Timestamp
    content: str
    source: str
    added_count: int
    removed_count: int
    kept_count: int
    rejected_count: int
    def __init__(self, import_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., content: _Optional[str] = ..., source: _Optional[str] = ..., added_count: _Optional[int] = ..., removed_count: _Optional[int] = ..., kept_count: _Optional[int] = ..., rejected_count: _Optional[int] = ...) -> None: ...

class GetStateResponse(_message.Message):
    __slots__ = ("vignette_count", "exemption_count", "import_time", "max_age_days", "imports")
    VIGNETTE_COUNT_FIELD_NUMBER: _ClassVar[int]
    EXEMPTION_COUNT_FIELD_NUMBER: _ClassVar[int]
    IMPORT_TIME_FIELD_NUMBER: _ClassVar[int]
    MAX_AGE_DAYS_FIELD_NUMBER: _ClassVar[int]
    IMPORTS_FIELD_NUMBER: _ClassVar[int]
    vignette_count: int
    exemption_count: int
    import_time: _timestamp_pb2.Timestamp
    max_age_days: float
    imports: _containers.RepeatedCompositeFieldContainer[ListImport]
    def __init__(self, vignette_count: _Optional[int] = ..., exemption_count: _Optional[int] = ..., import_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., max_age_days: _Optional[float] = ..., imports: _Optional[_Iterable[_Union[ListImport, _Mapping]]] = ...) -> None: ...
