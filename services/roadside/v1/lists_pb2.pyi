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

class KnownList(_message.Message):
    __slots__ = ("name", "action", "plate_count")
    NAME_FIELD_NUMBER: _ClassVar[int]
    ACTION_FIELD_NUMBER: _ClassVar[int]
    PLATE_COUNT_FIELD_NUMBER: _ClassVar[int]
    name: str
    action: _types_pb2.KnownAction
    plate_count: int
    def __init__(self, name: _Optional[str] = ..., action: _Optional[_Union[_types_pb2.KnownAction, str]] = ..., plate_count: _Optional[int] = ...) -> None: ...

class ListListsRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListListsResponse(_message.Message):
    __slots__ = ("lists",)
    LISTS_FIELD_NUMBER: _ClassVar[int]
    lists: _containers.RepeatedCompositeFieldContainer[KnownList]
    def __init__(self, lists: _Optional[_Iterable[_Union[KnownList, _Mapping]]] = ...) -> None: ...

class KnownPlate(_message.Message):
    __slots__ = ("plate", "country", "name", "group", "valid_from_time", "valid_to_time")
    PLATE_FIELD_NUMBER: _ClassVar[int]
    COUNTRY_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    GROUP_FIELD_NUMBER: _ClassVar[int]
    VALID_FROM_TIME_FIELD_NUMBER: _ClassVar[int]
    VALID_TO_TIME_FIELD_NUMBER: _ClassVar[int]
    plate: str
    country: str
    name: str
    group: str
    valid_from_time: _timestamp_pb2.Timestamp
    valid_to_time: _timestamp_pb2.Timestamp
    def __init__(self, plate: _Optional[str] = ..., country: _Optional[str] = ..., name: _Optional[str] = ..., group: _Optional[str] = ..., valid_from_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., valid_to_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ListKnownPlatesRequest(_message.Message):
    __slots__ = ("list",)
    LIST_FIELD_NUMBER: _ClassVar[int]
    list: str
    def __init__(self, list: _Optional[str] = ...) -> None: ...

class ListKnownPlatesResponse(_message.Message):
    __slots__ = ("plates",)
    PLATES_FIELD_NUMBER: _ClassVar[int]
    plates: _containers.RepeatedCompositeFieldContainer[KnownPlate]
    def __init__(self, plates: _Optional[_Iterable[_Union[KnownPlate, _Mapping]]] = ...) -> None: ...

class PutListRequest(_message.Message):
    __slots__ = ("name", "action")
    NAME_FIELD_NUMBER: _ClassVar[int]
    ACTION_FIELD_NUMBER: _ClassVar[int]
    name: str
    action: _types_pb2.KnownAction
    def __init__(self, name: _Optional[str] = ..., action: _Optional[_Union[_types_pb2.KnownAction, str]] = ...) -> None: ...

class PutListResponse(_message.Message):
    __slots__ = ("made",)
    MADE_FIELD_NUMBER: _ClassVar[int]
    made: bool
    def __init__(self, made: _Optional[bool] = ...) -> None: ...

class PutKnownPlatesRequest(_message.Message):
    __slots__ = ("list", "plates", "replace")
    LIST_FIELD_NUMBER: _ClassVar[int]
    PLATES_FIELD_NUMBER: _ClassVar[int]
    REPLACE_FIELD_NUMBER: _ClassVar[int]
    list: str
    plates: _containers.RepeatedCompositeFieldContainer[KnownPlate]
    replace: bool
    def __init__(self, list: _Optional[str] = ..., plates: _Optional[_Iterable[_Union[KnownPlate, _Mapping]]] = ..., replace: _Optional[bool] = ...) -> None: ...

class PutKnownPlatesResponse(_message.Message):
    __slots__ = ("removed_count",)
    REMOVED_COUNT_FIELD_NUMBER: _ClassVar[int]
    removed_count: int
    def __init__(self, removed_count: _Optional[int] = ...) -> None: ...

class RemoveKnownRequest(_message.Message):
    __slots__ = ("list", "plate")
    LIST_FIELD_NUMBER: _ClassVar[int]
    PLATE_FIELD_NUMBER: _ClassVar[int]
    list: str
    plate: str
    def __init__(self, list: _Optional[str] = ..., plate: _Optional[str] = ...) -> None: ...

class RemoveKnownResponse(_message.Message):
    __slots__ = ("removed_count",)
    REMOVED_COUNT_FIELD_NUMBER: _ClassVar[int]
    removed_count: int
    def __init__(self, removed_count: _Optional[int] = ...) -> None: ...
