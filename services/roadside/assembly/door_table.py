"""docs/doors.md: who may call what of the services and the console, from what protos and endpoints state."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from roadside.console.doors import console_doors
from roadside.console.ports import Role as Account
from roadside.kit.callers import Role, includes
from roadside.kit.doors import door_of
from roadside.v1 import (
    capture_pb2,
    detector_pb2,
    lists_pb2,
    ocr_pb2,
    plates_pb2,
    records_pb2,
    registry_pb2,
    review_pb2,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

_PROTOS = (capture_pb2, detector_pb2, lists_pb2, ocr_pb2, plates_pb2, records_pb2, registry_pb2, review_pb2)
_ROLES = (Role.READ, Role.CHECK, Role.REVIEW, Role.ADMIN)
_HEAD = """# Who may call what

Each method of the services, and who may call it: made by `make docs` from the protos, which every server obeys. A test
calls each method over gRPC with a token of each role, with a wrong one and with none, and compares what comes with this
page. Roles are given in the file of `clients` ([services.md](services.md#who-may-ask)); without a token and without
that file only this machine is answered.

"""
_CONSOLE = """
## The console

Each route, and which accounts may open it; the same in the console of one machine and in the service. API tokens are
for `/api/v1` alone and may what their scope says; an account does not need one there, its session is enough. What
changes something also needs the secret of the session that sends it ([console.md](console.md)). A test opens each
route as each of them, with a wrong session or token and with none, and compares what comes with this page.

"""
_TAIL = """
## Others

| door | who | held to |
| --- | --- | --- |
| gRPC health | everybody | it says that a service works, and nothing else |
| gRPC reflection | known callers; off in the k3s manifests | |
| `/live`, `/ready`, `/metrics` | who reaches the port (`host`: by default this machine) | 64 connections; no plate |
| Redis | who has its password or certificate | what comes is checked as requests are, or is a dead letter |
"""


def methods() -> Iterator[str]:
    """Every method, as `Plates.GetSighting`."""
    for proto in _PROTOS:
        services: Any = proto.DESCRIPTOR.services_by_name
        for service in services.values():
            for method in service.methods:
                yield f"{service.name}.{method.name}"


def doors_page() -> str:
    """The page."""
    names = " | ".join(f"`{role.value}`" for role in _ROLES)
    lines = [f"| method | {names} | none, or a wrong token |", "| --- |" + " --- |" * (len(_ROLES) + 1)]
    for name in methods():
        needed = door_of("/roadside.v1." + name.replace(".", "/")).role
        may = ("yes" if needed is not None and includes(role, needed) else "-" for role in _ROLES)
        lines.append(f"| {name} | {' | '.join(may)} | - |")
    return _HEAD + "\n".join(lines) + "\n" + _CONSOLE + "\n".join(_console_lines()) + "\n" + _TAIL


def _console_lines() -> Iterator[str]:
    yield f"| route | {' | '.join(f'`{account.value}`' for account in Account)} | none, or a wrong one |"
    yield "| --- |" + " --- |" * (len(Account) + 1)
    for route, needed in console_doors():
        may = ["yes" if needed is None or account.may(needed) else "-" for account in Account]
        yield f"| {route} | {' | '.join(may)} | {'yes' if needed is None else '-'} |"
