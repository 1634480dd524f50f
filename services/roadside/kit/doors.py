"""The methods that a server has and what the protos say of them: which role a caller needs, what goes without one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from google.protobuf import descriptor_pool

from roadside.kit.callers import Role
from roadside.kit.grpc_health import SERVICE as HEALTH
from roadside.v1 import options_pb2

if TYPE_CHECKING:
    from google.protobuf.descriptor import MethodDescriptor

_ROLES = {
    options_pb2.ROLE_READ: Role.READ,
    options_pb2.ROLE_CHECK: Role.CHECK,
    options_pb2.ROLE_REVIEW: Role.REVIEW,
    options_pb2.ROLE_ADMIN: Role.ADMIN,
}


@dataclass(frozen=True, slots=True)
class Door:
    """One method as a caller meets it."""

    name: str
    """Without its service, as metrics show it."""
    open: bool
    """Answered without a proof of who calls: it tells of the service, not of vehicles."""
    role: Role | None
    """What the caller needs; None where it is enough to be known."""
    checked: bool
    """Whether requests are held to the bounds of the protos."""


def door_of(method: str) -> Door:
    """The door of a method, named as in `/roadside.v1.Plates/GetSighting`; one of no role needs an admin."""
    service, _, name = method.strip("/").rpartition("/")
    if service == HEALTH:
        return Door(name, open=True, role=None, checked=False)
    if service.startswith("grpc.reflection."):
        return Door(name, open=False, role=None, checked=False)
    try:
        described = descriptor_pool.Default().FindServiceByName(service).FindMethodByName(name)
    except KeyError:
        return Door(name, open=False, role=Role.ADMIN, checked=False)
    return Door(name, open=False, role=role_of(described), checked=True)


def role_of(method: MethodDescriptor) -> Role:
    """The role that the proto states; an admin's where it states none."""
    stated: Any = options_pb2.role  # the generated types call an extension a plain descriptor
    return _ROLES.get(method.GetOptions().Extensions[stated], Role.ADMIN)
