"""Operations: what the API offers, each declared once, and the description that is made of the declarations.

An operation names the types of what it asks and answers. The server reads requests by them and writes answers by them,
and the OpenAPI description is made of them, so none of the three can say anything else than the others.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, TypeAdapter
from pydantic.json_schema import models_json_schema

from bridge.api.problems import CONTENT_TYPE, Problem

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from bridge.administration.acting import Actor
    from bridge.administration.office import Office

    Handler = Callable[[Office, Actor, Any, Any], Awaitable[Any]]  # Any: of the types that the operation names

PREFIX = "/api/v1"
_REF = "#/components/schemas/{model}"


class Role(StrEnum):
    """Who may call an operation: a user reads, an admin changes as well."""

    USER = "user"
    ADMIN = "admin"

    def allows(self, needed: Role) -> bool:
        """Tell whether this role is enough."""
        return self is Role.ADMIN or needed is Role.USER


class Asked(BaseModel):
    """What stands in the path and the query of a request; unknown fields are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing that the API does: `handler(office, actor, asked, body)` answers with an `answer`."""

    name: str
    method: str
    path: str
    summary: str
    handler: Handler
    answer: Any  # Any: a type, of which there is no type that pydantic and mypy agree on
    asked: type[Asked] = Asked
    body: type[BaseModel] | None = None
    role: Role = Role.USER
    status: int = 200

    @property
    def in_path(self) -> frozenset[str]:
        """The fields of `asked` that stand in the path."""
        return frozenset(re.findall(r"{(\w+)}", self.path))


def described(operations: Sequence[Operation], version: str) -> dict[str, Any]:
    """Return the OpenAPI 3.1 description of these operations."""
    schemas: dict[str, Any] = {}
    paths: dict[str, dict[str, Any]] = {}
    for one in operations:
        paths.setdefault(one.path, {})[one.method.lower()] = _operation(one, schemas)
    _, made = models_json_schema([(Problem, "serialization")], ref_template=_REF)
    schemas.update(made["$defs"])
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Causeway",
            "version": version,
            "description": "Administration of a running bridge. A page's `next` is the `after` of the next one.",
        },
        "servers": [{"url": PREFIX}],
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer", "description": "A token of console.tokens."}
            },
        },
    }


def _operation(one: Operation, schemas: dict[str, Any]) -> dict[str, Any]:
    told: dict[str, Any] = {
        "operationId": one.name,
        "summary": one.summary,
        "description": f"For the role `{one.role}`.",
        "parameters": _parameters(one, schemas),
        "responses": {
            str(one.status): {
                "description": HTTPStatus(one.status).phrase,
                "content": {"application/json": {"schema": _schema(one.answer, "serialization", schemas)}},
            },
            "default": {
                "description": "It was not done.",
                "content": {CONTENT_TYPE: {"schema": {"$ref": _REF.format(model="Problem")}}},
            },
        },
    }
    if one.body is not None:
        schema = _schema(one.body, "validation", schemas)
        told["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema}}}
    return told


def _parameters(one: Operation, schemas: dict[str, Any]) -> list[dict[str, Any]]:
    schema = TypeAdapter(one.asked).json_schema(ref_template=_REF)
    schemas.update(schema.get("$defs", {}))
    needed = set(schema.get("required", ()))
    return [
        {
            "name": name,
            "in": "path" if name in one.in_path else "query",
            "required": name in needed,
            "schema": {key: value for key, value in of.items() if key not in ("title", "description")},
            **({"description": of["description"]} if "description" in of else {}),
        }
        for name, of in schema.get("properties", {}).items()
    ]


def _schema(kind: Any, mode: Any, schemas: dict[str, Any]) -> dict[str, Any]:  # Any: a type; pydantic's own literal
    schema = TypeAdapter(kind).json_schema(ref_template=_REF, mode=mode)
    schemas.update(schema.pop("$defs", {}))
    return dict(schema)
