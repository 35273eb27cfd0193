"""Puts the API together: routes, limits, and how errors are told. Making it does no I/O."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from threading import Thread
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from fastapi_offline import FastAPIOffline
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import ClientDisconnect
from starlette.routing import Match, Route
from starlette.types import ASGIApp

from refinebio_assets import __version__
from refinebio_assets.api.answers import answer, public_base
from refinebio_assets.api.datasets.starting import BUILD_JOBS
from refinebio_assets.api.documentation import PAGE, module_tag, say_once
from refinebio_assets.api.guard import REVISION_HEADER, Guard, shown_path
from refinebio_assets.api.problems import NO_ROUTE, UNVERSIONED, ApiProblemError, unavailable
from refinebio_assets.api.services import Services, services
from refinebio_assets.api.v1 import (
    computational_results,
    computed_files,
    datasets,
    downloads,
    experiments,
    jobs,
    original_files,
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
_FILES = (computed_files, original_files, computational_results)
_V1 = (search, experiments, samples, references, *_FILES, published, tokens, datasets, downloads, jobs, stats)
VERSIONS = {"v1": _V1, "v2": (history, expression)}


def create_app(found: Services, *, keep_current: bool = True) -> ASGIApp:
    """Return the application; with ``keep_current`` it follows the catalog while it runs."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        if keep_current:
            found.keeper.start()
        Thread(target=_open_dagster, args=[found], name="dagster", daemon=True).start()
        if not found.settings.read_only:
            found.building.resume()
        yield
        found.building.stop()
        found.keeper.stop()

    # FastAPI's own page loads its script from another server.
    app = FastAPIOffline(
        title="refinebio-assets",
        version=__version__,
        description=_DESCRIPTION,
        lifespan=lifespan,
        redirect_slashes=False,
        redoc_url=None,
        swagger_ui_parameters=PAGE,
        openapi_tags=[
            module_tag(version, module) for version, modules in VERSIONS.items() for module in modules
        ],
    )
    app.state.services = found
    app.state.routes = []
    for version, modules in VERSIONS.items():
        for module in modules:
            router = APIRouter(prefix=f"/{version}", tags=[module_tag(version, module)["name"]])
            module.add_to(router)
            app.include_router(router)
            app.state.routes += router.routes
    app.add_api_route("/health", _health, methods=["GET"], include_in_schema=False, response_model=None)
    app.state.routes += _with_head(app)
    say_once(app)
    _add_error_handlers(app)
    guarded = Guard(app, found.settings)
    # Browsers show pages of others no answer without its headers, refusals not either.
    return CORSMiddleware(
        guarded,
        allow_origins=list(found.settings.cors_origins),
        allow_methods=["GET", "POST", "PUT", "OPTIONS", "HEAD"],
        allow_headers=["API-KEY", "Content-Type"],
        expose_headers=[REVISION_HEADER, "Content-Disposition", "Retry-After"],
    )


def _with_head(app: FastAPI) -> list[Route]:
    """Have the routes that no version has answer HEAD where they answer GET; return them."""
    routes = [route for route in app.routes if isinstance(route, Route)]
    for route in routes:
        if route.methods and "GET" in route.methods:
            route.methods.add("HEAD")
    return routes


def _open_dagster(found: Services) -> None:
    """Look up runs once, as the first look takes seconds."""
    with suppress(RefinebioError):
        found.jobs.runs(BUILD_JOBS)


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
    app.add_exception_handler(ClientDisconnect, _tell_nobody)


async def _tell_nobody(_: Request, __: Exception) -> Response:
    """Answer, for the log, a client that went away before its request was whole."""
    return answer({"error_type": "bad_request", "message": "The request is not whole.", "details": None}, 400)


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
        return answer(
            {"message": _no_route(request), "docs": f"{public_base(request)}/docs", "status_code": 404}, 404
        )
    if status == 405:
        allowed = {"Allow": ", ".join(sorted(_methods(request)))}
        return answer({"detail": f'Method "{request.method}" not allowed.'}, 405, allowed)
    return answer({"detail": str(getattr(error, "detail", error))}, status, headers)


def _methods(request: Request) -> set[str]:
    """Return the methods of all routes with the path of a request."""
    routes: list[Route] = request.app.state.routes
    found = [route.methods or set() for route in routes if route.matches(request.scope)[0] is not Match.NONE]
    return {method for methods in found for method in methods}


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
