from roadside.v1 import options_pb2 as _options_pb2
from roadside.v1 import types_pb2 as _types_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class PlateCrop(_message.Message):
    __slots__ = ("picture", "detection")
    PICTURE_FIELD_NUMBER: _ClassVar[int]
    DETECTION_FIELD_NUMBER: _ClassVar[int]
    picture: _types_pb2.Picture
    detection: _types_pb2.Detection
    def __init__(self, picture: _Optional[_Union[_types_pb2.Picture, _Mapping]] = ..., detection: _Optional[_Union[_types_pb2.Detection, _Mapping]] = ...) -> None: ...

class ReadRequest(_message.Message):
    __slots__ = ("crops", "second_reader")
    CROPS_FIELD_NUMBER: _ClassVar[int]
    SECOND_READER_FIELD_NUMBER: _ClassVar[int]
    crops: _containers.RepeatedCompositeFieldContainer[PlateCrop]
    second_reader: bool
    def __init__(self, crops: _Optional[_Iterable[_Union[PlateCrop, _Mapping]]] = ..., second_reader: _Optional[bool] = ...) -> None: ...

class ReadResponse(_message.Message):
    __slots__ = ("reads", "reader", "sha256")
    READS_FIELD_NUMBER: _ClassVar[int]
    READER_FIELD_NUMBER: _ClassVar[int]
    SHA256_FIELD_NUMBER: _ClassVar[int]
    reads: _containers.RepeatedCompositeFieldContainer[_types_pb2.Read]
    reader: str
    sha256: str
    def __init__(self, reads: _Optional[_Iterable[_Union[_types_pb2.Read, _Mapping]]] = ..., reader: _Optional[str] = ..., sha256: _Optional[str] = ...) -> None: ...
