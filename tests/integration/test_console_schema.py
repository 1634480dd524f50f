"""The REST interface against its own description: schemathesis makes requests, and compares what comes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import schemathesis
from fastapi.routing import APIRoute
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from starlette.testclient import TestClient

from roadside.console.app import make_app
from roadside.console.ports import ListChoices, Role
from roadside.console.rest.operations import router
from roadside.core.known import Action
from roadside.core.sightings import VerdictKind
from tests.consoles import Console, console

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from schemathesis import APIOperation, BaseSchema

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
WITHOUT_END = "watchSightings"
"""Its answer never ends."""
EXAMPLES = 20
OPERATIONS = [
    route.operation_id
    for route in router.routes
    if isinstance(route, APIRoute) and route.operation_id not in (None, WITHOUT_END)
]
_token: dict[str, str] = {}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    folder = tmp_path_factory.mktemp("schema")
    listed = folder / "list.csv"
    listed.write_text("plate,country,valid_from,valid_to\nAB12CDE,UK,2026-01-01,2026-12-31\n", encoding="utf-8")
    with console(folder) as there:
        there.desk.registry.load(listed, "list.csv", ListChoices(), "admin")
        there.account("admin", Role.ADMIN)
        there.see("AB12CDE", VerdictKind.REVIEW, reads=["AB12CDE", "AB12COE"])
        there.see("XY34FGH", VerdictKind.UNPAID, ago=1)
        there.desk.known.put_list("a", Action.ALERT)
        yield there


@pytest.fixture(scope="module")
def described(made: Console) -> Iterator[BaseSchema]:
    app = make_app(made.desk)
    _token["authorization"] = f"Bearer {made.token('admin', Role.ADMIN)}"
    with TestClient(app):
        yield schemathesis.openapi.from_asgi("/api/v1/openapi.json", app)


def operation_of(schema: BaseSchema, name: str) -> APIOperation:
    found = (each.ok() for each in schema.get_all_operations())
    return next(each for each in found if each.definition.raw["operationId"] == name)


def ask(operation: APIOperation, examples: int, check: Callable[[schemathesis.Case], None]) -> None:
    """Make requests of an operation, the same at each run."""
    asking = given(case=operation.as_strategy())(check)
    settings(
        max_examples=examples,
        deadline=None,
        derandomize=True,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )(asking)()


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_operation_answers_as_it_is_described(described: BaseSchema, name: str) -> None:
    def check(case: schemathesis.Case) -> None:
        response = case.call(headers={**(case.headers or {}), **_token})
        case.validate_response(response, checks=CHECKS)

    ask(operation_of(described, name), EXAMPLES, check)


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_operation_refuses_a_stranger_as_it_is_described(described: BaseSchema, name: str) -> None:
    def check(case: schemathesis.Case) -> None:
        response = case.call(headers={n: v for n, v in (case.headers or {}).items() if n.lower() != "authorization"})
        case.validate_response(response, checks=CHECKS)
        assert response.status_code in {401, 422}

    ask(operation_of(described, name), 2, check)
