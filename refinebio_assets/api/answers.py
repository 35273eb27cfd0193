"""Answers as JSON, and routes with and without a slash at the end."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from inspect import cleandoc
from typing import Any

import orjson
from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import BaseModel

from refinebio_assets.api.models.examples import EXAMPLES
from refinebio_assets.api.models.problems import BadRequest, Detail, Message
from refinebio_assets.api.services import services

Endpoint = Callable[..., Response]
_PROBLEMS: dict[int | str, dict[str, Any]] = {
    400: {"model": BadRequest, "description": "What is wrong with the request."},
    403: {"model": Detail, "description": "The server is read-only."},
    404: {"model": Detail, "description": "There is no such object."},
    429: {"model": Detail, "description": "Too many requests; `Retry-After` says when to ask again."},
    503: {"model": Message, "description": "The catalog, Dagster or the disk is away; try again later."},
}


def answer(content: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Return content as JSON; numbers that JSON has not are null."""
    try:
        data = orjson.dumps(content)
    except TypeError:
        # A client's text with half a character comes back as it came.
        data = json.dumps(content).encode()
    return Response(data, status, headers, media_type="application/json")


def add_route(
    router: APIRouter,
    path: str,
    endpoint: Endpoint,
    model: Any,
    *,
    method: str = "GET",
    status: int = 200,
    problems: Sequence[int] = (),
    parameters: Sequence[dict[str, Any]] = (),
    body: type[BaseModel] | None = None,
    example: Any = None,
    content: Sequence[str] = (),
) -> None:
    """Serve ``path`` with a slash at its end, which the docs show, and without.

    ``content`` are the media types of an answer that is no JSON.
    """
    good = {"content": {kind: {} for kind in content}} if content else _described(model)
    responses: dict[int | str, dict[str, Any]] = {status: {"description": "The answer.", **good}}
    responses |= {code: _PROBLEMS[code] for code in (*problems, 429, 503)}
    extra: dict[str, Any] = {"parameters": list(parameters)} if parameters else {}
    if body is not None:
        schema = body.model_json_schema(ref_template="#/components/schemas/{model}")
        shown_body = {"schema": schema} | ({"example": example} if example is not None else {})
        required = bool(schema.get("required"))
        extra["requestBody"] = {"content": {"application/json": shown_body}, "required": required}
    summary, _, more = (endpoint.__doc__ or "").replace("``", "`").partition("\n")
    shown: dict[str, Any] = {"responses": responses, "openapi_extra": extra or None}
    shown |= {"summary": summary.strip().removesuffix("."), "description": cleandoc(more)}
    route: dict[str, Any] = {"status_code": status, "response_model": None, "response_class": Response}
    router.add_api_route(f"{path}/", endpoint, methods=[method], **route, **shown)
    hidden = ["GET", "HEAD"] if method == "GET" else [method]
    for place, methods in ((path, hidden), (f"{path}/", hidden[1:])):
        if methods:
            router.add_api_route(place, endpoint, methods=methods, **route, include_in_schema=False)


def _described(model: Any) -> dict[str, Any]:
    example = EXAMPLES.get(model)
    shown = {"content": {"application/json": {"example": example}}} if example is not None else {}
    return {"model": model, **shown}


def query_parameter(
    name: str, description: str, schema: Mapping[str, Any] | None = None, *, required: bool = False
) -> dict[str, Any]:
    """Return the OpenAPI parameter of a query; any text, where there is no other schema."""
    found = {"name": name, "in": "query", "required": required, "description": description}
    return found | {"schema": dict(schema or {"type": "string"})}


def path_parameter(name: str, description: str, example: str) -> dict[str, Any]:
    """Return the OpenAPI parameter of a part of the path."""
    return {
        "name": name,
        "in": "path",
        "required": True,
        "description": description,
        "example": example,
        "schema": {"type": "string"},
    }


def public_base(request: Request) -> str:
    """Return the address that this server has for the client, without a slash at the end."""
    return services(request).settings.public_url or str(request.base_url).rstrip("/")
