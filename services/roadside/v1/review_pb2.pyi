from roadside.v1 import options_pb2 as _options_pb2
from roadside.v1 import types_pb2 as _types_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ReviewAction(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    REVIEW_ACTION_UNSPECIFIED: _ClassVar[ReviewAction]
    REVIEW_ACTION_CONFIRM: _ClassVar[ReviewAction]
    REVIEW_ACTION_CORRECT: _ClassVar[ReviewAction]
    REVIEW_ACTION_UNREADABLE: _ClassVar[ReviewAction]
REVIEW_ACTION_UNSPECIFIED: ReviewAction
REVIEW_ACTION_CONFIRM: ReviewAction
REVIEW_ACTION_CORRECT: ReviewAction
REVIEW_ACTION_UNREADABLE: ReviewAction

class NextSightingRequest(_message.Message):
    __slots__ = ("skip_sighting_ids", "author")
    SKIP_SIGHTING_IDS_FIELD_NUMBER: _ClassVar[int]
    AUTHOR_FIELD_NUMBER: _ClassVar[int]
    skip_sighting_ids: _containers.RepeatedScalarFieldContainer[str]
    author: str
    def __init__(self, skip_sighting_ids: _Optional[_Iterable[str]] = ..., author: _Optional[str] = ...) -> None: ...

class NextSightingResponse(_message.Message):
    __slots__ = ("sighting", "waiting_count")
    SIGHTING_FIELD_NUMBER: _ClassVar[int]
    WAITING_COUNT_FIELD_NUMBER: _ClassVar[int]
    sighting: _types_pb2.Sighting
    waiting_count: int
    def __init__(self, sighting: _Optional[_Union[_types_pb2.Sighting, _Mapping]] = ..., waiting_count: _Optional[int] = ...) -> None: ...

class AnswerSightingRequest(_message.Message):
    __slots__ = ("sighting_id", "action", "plate", "country", "author")
    SIGHTING_ID_FIELD_NUMBER: _ClassVar[int]
    ACTION_FIELD_NUMBER: _ClassVar[int]
    PLATE_FIELD_NUMBER: _ClassVar[int]
    COUNTRY_FIELD_NUMBER: _ClassVar[int]
    AUTHOR_FIELD_NUMBER: _ClassVar[int]
    sighting_id: str
    action: ReviewAction
    plate: str
    country: str
    author: str
    def __init__(self, sighting_id: _Optional[str] = ..., action: _Optional[_Union[ReviewAction, str]] = ..., plate: _Optional[str] = ..., country: _Optional[str] = ..., author: _Optional[str] = ...) -> None: ...

class AnswerSightingResponse(_message.Message):
    __slots__ = ("sighting",)
    SIGHTING_FIELD_NUMBER: _ClassVar[int]
    sighting: _types_pb2.Sighting
    def __init__(self, sighting: _Optional[_Union[_types_pb2.Sighting, _Mapping]] = ...) -> None: ...
