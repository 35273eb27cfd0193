"""``/v1/search/``: experiments by words and filters, with facets; by GET, or by POST as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from refinebio_assets.api.answers import add_route
from refinebio_assets.api.bodies import JsonBody
from refinebio_assets.api.lists import envelope, list_parameters
from refinebio_assets.api.models import experiments as models
from refinebio_assets.api.parameters import page, texts
from refinebio_assets.api.problems import Invalid, bad_request
from refinebio_assets.api.search.filters import NAMES
from refinebio_assets.api.search.hits import ORDERINGS, find_experiments
from refinebio_assets.api.services import holdings_of
from refinebio_assets.api.v1.shaping import pick

_FIELDS = tuple(models.SearchRow.model_fields)
_OTHERS = (
    ("search", "Words, or `field:words`; may come again, any of them finds."),
    ("facet", "`technology_global` and its like: a facet over everything."),
    ("num_downloadable_samples__gt", "Lookups follow a name: `__gt`, `__in=a__b`, `__range=1__9`."),
)
_EXAMPLE = {"search": ["medulloblastoma"], "organism": ["HOMO_SAPIENS"], "num_downloadable_samples__gt": 0}


def search(request: Request) -> Response:
    """Find experiments."""
    return _found(request, _given(request))


def search_by_body(request: Request, body: JsonBody) -> Response:
    """Find experiments; the filters are in the body."""
    if not isinstance(body, dict):
        raise bad_request(Invalid("invalid_filters", "The body must be an object of filters.", None))
    given = _given(request)
    for name, value in body.items():
        given.setdefault(name, []).extend(_texts_of(item) for item in _listed(value))
    return _found(request, given)


def _given(request: Request) -> dict[str, list[str]]:
    given: dict[str, list[str]] = {}
    for name, value in request.query_params.multi_items():
        given.setdefault(name, []).append(value)
    return given


def _found(request: Request, given: Mapping[str, list[str]]) -> Response:
    holdings = holdings_of(request)
    hits = find_experiments(holdings, given)
    wanted = page({name: given[name][-1] for name in ("limit", "offset") if given.get(name)}, maximum=None)
    places = hits.positions[wanted.offset : wanted.offset + wanted.limit]
    rows = holdings.documents("experiments", places.tolist())
    results = [pick(row, _FIELDS) for row in rows]
    return envelope(request, wanted, len(hits.positions), results, facets=hits.facets)


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _texts_of(value: Any) -> str:
    """Return a filter's value as text. Raises ApiProblemError for what is no value."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str | int):
        return str(value)
    message = f"Invalid type {type(value)} for filter value {value}"
    raise bad_request(Invalid("invalid_filters", message[:500], None))


def add_to(router: APIRouter) -> None:
    """Add these endpoints."""
    parameters = list_parameters(texts(" ".join(NAMES)), *_OTHERS, ordering=ORDERINGS)
    add_route(router, "/search", search, models.SearchPage, problems=(400,), parameters=parameters)
    add_route(
        router,
        "/search",
        search_by_body,
        models.SearchPage,
        method="POST",
        problems=(400,),
        body=models.SearchBody,
        example=_EXAMPLE,
    )
