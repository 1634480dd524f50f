import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from roadside.v1 import options_pb2 as _options_pb2
from roadside.v1 import review_pb2 as _review_pb2
from roadside.v1 import types_pb2 as _types_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class NoteActionRequest(_message.Message):
    __slots__ = ("actor", "action", "subject", "detail", "plate")
    ACTOR_FIELD_NUMBER: _ClassVar[int]
    ACTION_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    PLATE_FIELD_NUMBER: _ClassVar[int]
    actor: str
    action: str
    subject: str
    detail: str
    plate: str
    def __init__(self, actor: _Optional[str] = ..., action: _Optional[str] = ..., subject: _Optional[str] = ..., detail: _Optional[str] = ..., plate: _Optional[str] = ...) -> None: ...

class NoteActionResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListAuditRequest(_message.Message):
    __slots__ = ("subject", "page_size")
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    subject: str
    page_size: int
    def __init__(self, subject: _Optional[str] = ..., page_size: _Optional[int] = ...) -> None: ...

class AuditEntry(_message.Message):
    __slots__ = ("entry_time", "actor", "action", "subject", "detail")
    ENTRY_TIME_FIELD_NUMBER: _ClassVar[int]
    ACTOR_FIELD_NUMBER: _ClassVar[int]
    ACTION_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    entry_time: _timestamp_pb2.Timestamp
    actor: str
    action: str
    subject: str
    detail: str
    def __init__(self, entry_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., actor: _Optional[str] = ..., action: _Optional[str] = ..., subject: _Optional[str] = ..., detail: _Optional[str] = ...) -> None: ...

class ListAuditResponse(_message.Message):
    __slots__ = ("entries",)
    ENTRIES_FIELD_NUMBER: _ClassVar[int]
    entries: _containers.RepeatedCompositeFieldContainer[AuditEntry]
    def __init__(self, entries: _Optional[_Iterable[_Union[AuditEntry, _Mapping]]] = ...) -> None: ...

class ListAnswersRequest(_message.Message):
    __slots__ = ("sighting_id",)
    SIGHTING_ID_FIELD_NUMBER: _ClassVar[int]
    sighting_id: str
    def __init__(self, sighting_id: _Optional[str] = ...) -> None: ...

class Answer(_message.Message):
    __slots__ = ("answer_time", "author", "action", "plate", "country", "read_text", "sighting_id")
    ANSWER_TIME_FIELD_NUMBER: _ClassVar[int]
    AUTHOR_FIELD_NUMBER: _ClassVar[int]
    ACTION_FIELD_NUMBER: _ClassVar[int]
    PLATE_FIELD_NUMBER: _ClassVar[int]
    COUNTRY_FIELD_NUMBER: _ClassVar[int]
    READ_TEXT_FIELD_NUMBER: _ClassVar[int]
    SIGHTING_ID_FIELD_NUMBER: _ClassVar[int]
    answer_time: _timestamp_pb2.Timestamp
    author: str
    action: _review_pb2.ReviewAction
    plate: str
    country: str
    read_text: str
    sighting_id: str
    def __init__(self, answer_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., author: _Optional[str] = ..., action: _Optional[_Union[_review_pb2.ReviewAction, str]] = ..., plate: _Optional[str] = ..., country: _Optional[str] = ..., read_text: _Optional[str] = ..., sighting_id: _Optional[str] = ...) -> None: ...

class ListAnswersResponse(_message.Message):
    __slots__ = ("answers",)
    ANSWERS_FIELD_NUMBER: _ClassVar[int]
    answers: _containers.RepeatedCompositeFieldContainer[Answer]
    def __init__(self, answers: _Optional[_Iterable[_Union[Answer, _Mapping]]] = ...) -> None: ...

class CountSightingsRequest(_message.Message):
    __slots__ = ("since_time",)
    SINCE_TIME_FIELD_NUMBER: _ClassVar[int]
    since_time: _timestamp_pb2.Timestamp
    def __init__(self, since_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class PassageCount(_message.Message):
    __slots__ = ("hour_time", "camera_id", "verdict", "count")
    HOUR_TIME_FIELD_NUMBER: _ClassVar[int]
    CAMERA_ID_FIELD_NUMBER: _ClassVar[int]
    VERDICT_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    hour_time: _timestamp_pb2.Timestamp
    camera_id: str
    verdict: _types_pb2.VerdictKind
    count: int
    def __init__(self, hour_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., camera_id: _Optional[str] = ..., verdict: _Optional[_Union[_types_pb2.VerdictKind, str]] = ..., count: _Optional[int] = ...) -> None: ...

class RuleCount(_message.Message):
    __slots__ = ("verdict", "rule", "count")
    VERDICT_FIELD_NUMBER: _ClassVar[int]
    RULE_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    verdict: _types_pb2.VerdictKind
    rule: str
    count: int
    def __init__(self, verdict: _Optional[_Union[_types_pb2.VerdictKind, str]] = ..., rule: _Optional[str] = ..., count: _Optional[int] = ...) -> None: ...

class CountSightingsResponse(_message.Message):
    __slots__ = ("passages", "rules")
    PASSAGES_FIELD_NUMBER: _ClassVar[int]
    RULES_FIELD_NUMBER: _ClassVar[int]
    passages: _containers.RepeatedCompositeFieldContainer[PassageCount]
    rules: _containers.RepeatedCompositeFieldContainer[RuleCount]
    def __init__(self, passages: _Optional[_Iterable[_Union[PassageCount, _Mapping]]] = ..., rules: _Optional[_Iterable[_Union[RuleCount, _Mapping]]] = ...) -> None: ...

class ForgetPlateRequest(_message.Message):
    __slots__ = ("plate", "actor")
    PLATE_FIELD_NUMBER: _ClassVar[int]
    ACTOR_FIELD_NUMBER: _ClassVar[int]
    plate: str
    actor: str
    def __init__(self, plate: _Optional[str] = ..., actor: _Optional[str] = ...) -> None: ...

class ForgetPlateResponse(_message.Message):
    __slots__ = ("sighting_count", "receipt")
    SIGHTING_COUNT_FIELD_NUMBER: _ClassVar[int]
    RECEIPT_FIELD_NUMBER: _ClassVar[int]
    sighting_count: int
    receipt: str
    def __init__(self, sighting_count: _Optional[int] = ..., receipt: _Optional[str] = ...) -> None: ...

class CountTrainingRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class CountTrainingResponse(_message.Message):
    __slots__ = ("ready_count",)
    READY_COUNT_FIELD_NUMBER: _ClassVar[int]
    ready_count: int
    def __init__(self, ready_count: _Optional[int] = ...) -> None: ...

class ListTrainingRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListTrainingResponse(_message.Message):
    __slots__ = ("answers",)
    ANSWERS_FIELD_NUMBER: _ClassVar[int]
    answers: _containers.RepeatedCompositeFieldContainer[Answer]
    def __init__(self, answers: _Optional[_Iterable[_Union[Answer, _Mapping]]] = ...) -> None: ...

class GetSealRequest(_message.Message):
    __slots__ = ("sighting_id",)
    SIGHTING_ID_FIELD_NUMBER: _ClassVar[int]
    sighting_id: str
    def __init__(self, sighting_id: _Optional[str] = ...) -> None: ...

class GetSealResponse(_message.Message):
    __slots__ = ("entry", "entry_time", "event", "faults")
    ENTRY_FIELD_NUMBER: _ClassVar[int]
    ENTRY_TIME_FIELD_NUMBER: _ClassVar[int]
    EVENT_FIELD_NUMBER: _ClassVar[int]
    FAULTS_FIELD_NUMBER: _ClassVar[int]
    entry: int
    entry_time: _timestamp_pb2.Timestamp
    event: str
    faults: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, entry: _Optional[int] = ..., entry_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., event: _Optional[str] = ..., faults: _Optional[_Iterable[str]] = ...) -> None: ...
