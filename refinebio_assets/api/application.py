"""Puts the API together: routes, limits, and how errors are told. Making it does no I/O."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp

from refinebio_assets import __version__
from refinebio_assets.api.answers import answer
from refinebio_assets.api.guard import REVISION_HEADER, Guard, shown_path
from refinebio_assets.api.problems import DOCS, NO_ROUTE, UNVERSIONED, ApiProblemError, unavailable
from refinebio_assets.api.services import Services, services
from refinebio_assets.api.v1 import (
    datasets,
    downloads,
    experiments,
    files,
    jobs,
    published,
    references,
    samples,
    search,
    stats,
    tokens,
)
from refinebio_assets.api.v2 import expression, history
from refinebio_assets.errors import RefinebioError, RequestError

_DESCRIPTION = """
What refine.bio's clients know as its API (`/v1`), answered from a lake of refinebio-assets. Lists have
`limit` and `offset`; routes work with and without a slash at the end. Ids are whole numbers that follow from
names and stay the same when the catalog is made again. `/v2` adds what `/v1` has no place for.
"""
AWAY = "The catalog, the disk or Dagster is not available now. Try again later."
_logger = logging.getLogger("refinebio_assets.api")
V1 = (search, experiments, samples, references, files, published, tokens, datasets, downloads, jobs, stats)


def create_app(found: Services, *, keep_current: bool = True) -> ASGIApp:
    """Return the application; with ``keep_current`` it follows the catalog while it runs."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        if keep_current:
            found.keeper.start()
        if not found.settings.read_only:
            found.building.resume()
        yield
        found.building.stop()
        found.keeper.stop()

    app = FastAPI(
        title="refinebio-assets",
        version=__version__,
        description=_DESCRIPTION,
        lifespan=lifespan,
        redirect_slashes=False,
        redoc_url=None,
    )
    app.state.services = found
    v1 = APIRouter(prefix="/v1")
    for module in V1:
        module.add_to(v1)
    app.include_router(v1)
    v2 = APIRouter(prefix="/v2")
    for addition in (history, expression):
        addition.add_to(v2)
    app.include_router(v2)
    app.add_api_route("/health", _health, methods=["GET"], include_in_schema=False, response_model=None)
    _add_error_handlers(app)
    app.add_middleware(
        CORSMiddleware,
        allow_origins=list(found.settings.cors_origins),
        allow_methods=["GET", "POST", "PUT", "OPTIONS", "HEAD"],
        allow_headers=["API-KEY", "Content-Type"],
        expose_headers=[REVISION_HEADER, "Content-Disposition"],
    )
    return Guard(app, found.settings)


def _health(request: Request) -> Response:
    """Say whether the API can answer, and how old its holdings are."""
    freshness = services(request).keeper.freshness()
    if not freshness.file:
        return answer({"state": "not ready"}, 503, {"Retry-After": "10"})
    state = "stale" if freshness.problem else "ok"
    return answer({"state": state, "catalog_age_seconds": round(freshness.age_seconds, 1)})


def _add_error_handlers(app: FastAPI) -> None:
    app.add_exception_handler(ApiProblemError, _tell_problem)
    app.add_exception_handler(HTTPException, _tell_http)
    app.add_exception_handler(RequestValidationError, _tell_invalid)
    app.add_exception_handler(RefinebioError, _tell_error)


def _problem_answer(problem: ApiProblemError) -> Response:
    return answer(problem.body, problem.status, problem.headers)


async def _tell_problem(_: Request, error: Exception) -> Response:
    assert isinstance(error, ApiProblemError)
    return _problem_answer(error)


async def _tell_http(request: Request, error: Exception) -> Response:
    """Answer for routes and methods that there are not."""
    status = getattr(error, "status_code", 500)
    headers = getattr(error, "headers", None)
    if status == 404:
        return answer({"message": _no_route(request), "docs": DOCS, "status_code": 404}, 404)
    if status == 405:
        return answer({"detail": f'Method "{request.method}" not allowed.'}, 405, headers)
    return answer({"detail": str(getattr(error, "detail", error))}, status, headers)


def _no_route(request: Request) -> str:
    versioned = request.url.path.startswith(("/v1/", "/v2/"))
    return NO_ROUTE if versioned else UNVERSIONED


async def _tell_invalid(_: Request, error: Exception) -> Response:
    problems: list[Any] = getattr(error, "errors", list)()
    message = "; ".join(str(problem.get("msg", "")) for problem in problems)
    return answer({"error_type": "bad_request", "message": message, "details": None}, 400)


async def _tell_error(request: Request, error: Exception) -> Response:
    """Answer for what the lake says: a wrong request, or something that is away for now."""
    if isinstance(error, RequestError):
        return answer({"error_type": "bad_request", "message": str(error), "details": None}, 400)
    _logger.warning("%s %s: %s", request.method, shown_path(request.url.path), error)
    return _problem_answer(unavailable(AWAY))
