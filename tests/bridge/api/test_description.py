"""The API is what its description says: schemathesis makes requests of every kind, and judges each answer by it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from bridge.api.contract import Role, described
from bridge.api.operations import OPERATIONS
from tests.bridge.api.conftest import ADMIN, with_api

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.bridge.api.conftest import Api

CHECKS = (content_type_conformance, response_schema_conformance, status_code_conformance)
HEADERS = {"Authorization": f"Bearer {ADMIN}"}


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def shared(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Api]:
    """One bridge for all operations: whatever requests leave behind, each answer is to be as described."""
    async with with_api(f"sqlite:///{tmp_path_factory.mktemp('description') / 'causeway.db'}") as api:
        yield api


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("name", [one.name for one in OPERATIONS])
async def test_every_answer_is_as_the_description_says(name: str, shared: Api) -> None:
    failures: list[str] = []
    await asyncio.to_thread(_explore, shared.url, name, failures)
    assert failures == []


def _explore(url: str, name: str, failures: list[str]) -> None:
    schema = schemathesis.openapi.from_url(f"{url}/openapi.json")
    operation = schema.find_operation_by_id(name)

    @settings(
        max_examples=12,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy())
    def explore(case: Any) -> None:  # Any: schemathesis' own
        response = case.call(base_url=url, headers=HEADERS)
        assert response.status_code < 500 or response.status_code == 503
        case.validate_response(response, checks=CHECKS, headers=HEADERS)

    try:
        explore()
    except AssertionError as failure:
        failures.append(str(failure))


def test_the_description_tells_of_every_operation_its_role_and_its_types() -> None:
    told = described(OPERATIONS, "1.0")
    operations = [one for path in told["paths"].values() for one in path.values()]
    assert sorted(one["operationId"] for one in operations) == sorted(one.name for one in OPERATIONS)
    assert told["openapi"] == "3.1.0"
    for one in OPERATIONS:
        here = told["paths"][one.path][one.method.lower()]
        assert f"`{one.role}`" in here["description"]
        assert {each["name"] for each in here["parameters"] if each["in"] == "path"} == one.in_path


def test_whatever_changes_something_is_for_admins() -> None:
    assert [one.name for one in OPERATIONS if one.method != "GET" and one.role is not Role.ADMIN] == []
