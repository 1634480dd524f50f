"""Checks incoming messages against the bounds that protos/ states beside each field: one validator for all doors."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.timestamp_pb2 import Timestamp

from roadside.errors import InputError
from roadside.v1 import options_pb2

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from google.protobuf.descriptor import Descriptor
    from google.protobuf.message import Message

MAX_DEPTH = 16
"""Messages inside of messages; the deepest of ours is 4 deep."""
_TIMESTAMP = Timestamp.DESCRIPTOR.full_name
_FIRST_S, _LAST_S = -62_135_596_800, 253_402_300_799
"""What protobuf allows a Timestamp: the years 1 to 9999."""
_NANOS = 1_000_000_000
_FIRST_PRINTED, _DELETE = " ", "\x7f"


@dataclass(frozen=True, slots=True)
class FieldRule:
    """What one field of a message may hold."""

    repeated: bool
    most_items: int
    """0 for any number."""
    check: Callable[[Any, str, int], None]
    """Given a value, its path and its depth; raises InputError."""


@dataclass(frozen=True, slots=True)
class _Rules:
    fields: Mapping[str, FieldRule]
    needed: Sequence[str]
    """Names of the fields that may not be empty."""


def check(message: Message) -> None:
    """Nothing where every field of `message` is within its bounds. Raises InputError with the path of one that is not.

    The text of the error holds no value, which may be a plate.
    """
    _check(message, "", 0)


def _check(message: Message, path: str, depth: int) -> None:
    if depth > MAX_DEPTH:
        raise InputError(f"{path}: is nested too deeply")
    inside = f"{path}." if path else ""
    rules = _rules(message.DESCRIPTOR)
    for name in rules.needed:
        if not getattr(message, name):
            raise InputError(f"{inside}{name}: is empty")
    for field, value in message.ListFields():
        rule, where = rules.fields[field.name], f"{inside}{field.name}"
        if not rule.repeated:
            rule.check(value, where, depth)
            continue
        if rule.most_items and len(value) > rule.most_items:
            raise InputError(f"{where}: has {len(value)} elements, at most {rule.most_items} are taken")
        for number, element in enumerate(value):
            rule.check(element, f"{where}[{number}]", depth)


@lru_cache(maxsize=256)
def _rules(descriptor: Descriptor) -> _Rules:
    stated: Any = options_pb2.bounds  # the generated types call an extension a plain descriptor
    bounds: dict[str, options_pb2.Bounds] = {f.name: f.GetOptions().Extensions[stated] for f in descriptor.fields}
    fields = {
        field.name: FieldRule(field.is_repeated, bounds[field.name].max_items, _check_of(field, bounds[field.name]))
        for field in descriptor.fields
    }
    needed = [field.name for field in descriptor.fields if bounds[field.name].min_length and not field.is_repeated]
    return _Rules(fields, needed)


def _check_of(field: FieldDescriptor, bounds: options_pb2.Bounds) -> Callable[[Any, str, int], None]:
    if field.type == FieldDescriptor.TYPE_MESSAGE:
        if field.message_type is not None and field.message_type.full_name == _TIMESTAMP:
            return lambda value, path, _depth: _time(value, path, bounds)
        return lambda value, path, depth: _check(value, path, depth + 1)
    if field.enum_type is not None:
        known = frozenset(field.enum_type.values_by_number)
        return lambda value, path, _depth: _enumerator(value, path, known)
    simple = _SIMPLE.get(field.type, _within)
    return lambda value, path, _depth: simple(value, path, bounds)


def _text(value: str, path: str, bounds: options_pb2.Bounds) -> None:
    _length(len(value), path, bounds, "characters")
    if "\0" in value or (bounds.max_length and any(c < _FIRST_PRINTED or c == _DELETE for c in value)):
        raise InputError(f"{path}: holds a control character")


def _bytes(value: bytes, path: str, bounds: options_pb2.Bounds) -> None:
    _length(len(value), path, bounds, "bytes")


def _length(length: int, path: str, bounds: options_pb2.Bounds, unit: str) -> None:
    if bounds.max_length and length > bounds.max_length:
        raise InputError(f"{path}: has {length} {unit}, at most {bounds.max_length} are taken")
    if length < bounds.min_length:
        raise InputError(f"{path}: has {length} {unit}, at least {bounds.min_length} are needed")


def _number(value: float, path: str, bounds: options_pb2.Bounds) -> None:
    if not math.isfinite(value):
        raise InputError(f"{path}: is not a finite number")
    _within(value, path, bounds)


def _within(value: float, path: str, bounds: options_pb2.Bounds) -> None:
    if bounds.HasField("min") and value < bounds.min:
        raise InputError(f"{path}: is at least {bounds.min}")
    if bounds.HasField("max") and value > bounds.max:
        raise InputError(f"{path}: is at most {bounds.max}")


def _enumerator(value: int, path: str, known: frozenset[int]) -> None:
    if value not in known:
        raise InputError(f"{path}: there is no {value}")


def _time(value: Timestamp, path: str, bounds: options_pb2.Bounds) -> None:
    if not 0 <= value.nanos < _NANOS:
        raise InputError(f"{path}: nanos are 0 to 999,999,999")
    if not _FIRST_S <= value.seconds <= _LAST_S:
        raise InputError(f"{path}: is outside of the years 1 to 9999")
    _within(value.seconds, f"{path}.seconds", bounds)


_SIMPLE: Mapping[int, Callable[[Any, str, options_pb2.Bounds], None]] = {
    FieldDescriptor.TYPE_STRING: _text,
    FieldDescriptor.TYPE_BYTES: _bytes,
    FieldDescriptor.TYPE_DOUBLE: _number,
    FieldDescriptor.TYPE_FLOAT: _number,
}
"""The other kinds are whole numbers and bools."""
