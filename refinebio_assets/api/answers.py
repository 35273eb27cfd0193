"""Answers as JSON, lists with links to the pages beside, and routes with and without a slash at the end."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

import orjson
from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import BaseModel

from refinebio_assets.api.holdings.holdings import Holdings, Row
from refinebio_assets.api.holdings.making import DOCUMENTS
from refinebio_assets.api.models.problems import BadRequest, Detail, Message
from refinebio_assets.api.parameters import Filter, Page, Selection
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
    good = {"content": {kind: {} for kind in content}} if content else {"model": model}
    responses: dict[int | str, dict[str, Any]] = {status: {"description": "The answer.", **good}}
    responses |= {code: _PROBLEMS[code] for code in (*problems, 429, 503)}
    extra: dict[str, Any] = {"parameters": list(parameters)} if parameters else {}
    if body is not None:
        schema = body.model_json_schema(ref_template="#/components/schemas/{model}")
        shown_body = {"schema": schema} | ({"example": example} if example is not None else {})
        required = bool(schema.get("required"))
        extra["requestBody"] = {"content": {"application/json": shown_body}, "required": required}
    for shown in (True, False):
        router.add_api_route(
            f"{path}/" if shown else path,
            endpoint,
            methods=[method],
            status_code=status,
            response_model=None,
            responses=responses,
            openapi_extra=extra or None,
            include_in_schema=shown,
            response_class=Response,
        )


def list_parameters(
    filters: Sequence[Filter], *others: tuple[str, str], ordering: Sequence[str] = ()
) -> list[dict[str, Any]]:
    """Return the OpenAPI parameters of a list: its filters, others (name, description), order and paging."""
    found = [_parameter(item.name, item.kind.value.split(",")[0], item.description) for item in filters]
    found += [_parameter(name, "string", description) for name, description in others]
    if ordering:
        columns = ", ".join(ordering)
        found.append(_parameter("ordering", "string", f"`name` or `-name` (descending) of {columns}."))
    found.append(_parameter("limit", "integer", "Rows a page: 25, at most 1000."))
    found.append(_parameter("offset", "integer", "Rows to leave out first."))
    return found


def _parameter(name: str, kind: str, description: str) -> dict[str, Any]:
    return {
        "name": name,
        "in": "query",
        "required": False,
        "description": description,
        # Any text is taken, as existing clients send it; what cannot be read gets an error in words.
        "schema": {"type": "string"} if kind == "string" else {"type": ["string", kind]},
    }


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


def envelope(request: Request, page: Page, count: int, results: Sequence[Any], **more: Any) -> Response:
    """Return one page of a list, with links to those beside it."""
    after, before = page.offset + page.limit, page.offset - page.limit
    return answer(
        {
            "count": count,
            "next": _link(request, page.limit, after) if after < count else None,
            "previous": _link(request, page.limit, before) if page.offset > 0 else None,
            **more,
            "results": list(results),
        }
    )


def public_base(request: Request) -> str:
    """Return the address that this server has for the client, without a slash at the end."""
    return services(request).settings.public_url or str(request.base_url).rstrip("/")


def _link(request: Request, limit: int, offset: int) -> str:
    kept = [pair for pair in request.query_params.multi_items() if pair[0] not in ("limit", "offset")]
    paging = [("limit", str(limit)), *([("offset", str(offset))] if offset > 0 else [])]
    return f"{public_base(request)}{request.url.path}?{urlencode([*kept, *paging])}"


def count_rows(holdings: Holdings, table: str, selection: Selection) -> int:
    """Return how many rows of a table are selected."""

    def count() -> int:
        row = holdings.row(f"SELECT count(*) AS n FROM {table} {selection.where}", selection.values)
        return int(row["n"]) if row else 0

    return holdings.remember(("count", table, *selection.key), count)


def page_rows(holdings: Holdings, table: str, selection: Selection, order: str, page: Page) -> list[Row]:
    """Return the rows of one page; the wide columns are read for these rows only."""
    key = "rowid" if table in DOCUMENTS else "id"
    places = _places(holdings, table, key, selection, order, page)
    if table in DOCUMENTS:
        return holdings.documents(table, places)
    listed = ", ".join(str(int(place)) for place in places) or "NULL"
    found = holdings.rows(f"SELECT * FROM {table} WHERE id IN ({listed})")
    by_id = {row["id"]: row for row in found}
    return [by_id[place] for place in places]


def _places(
    holdings: Holdings, table: str, key: str, selection: Selection, order: str, page: Page
) -> Sequence[int]:
    """Return the keys of a page's rows. Rows lie in the order of ``ORDER BY rowid``: nothing is sorted."""
    if order == "ORDER BY rowid":
        if not selection.conditions:
            last = min(page.offset + page.limit, count_rows(holdings, table, selection))
            return range(page.offset, last)
        order = ""
    sql = f"SELECT {key} AS place FROM {table} {selection.where} {order} LIMIT ? OFFSET ?"
    return [row["place"] for row in holdings.rows(sql, [*selection.values, page.limit, page.offset])]
