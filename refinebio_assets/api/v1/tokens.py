"""``/v1/token/``: tokens, which allow to start datasets and show download links."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import Response

from refinebio_assets.api.answers import add_route, answer, path_parameter
from refinebio_assets.api.bodies import JsonBody
from refinebio_assets.api.models import datasets as models
from refinebio_assets.api.problems import ApiProblemError, not_found
from refinebio_assets.api.services import services
from refinebio_assets.api.state.tokens import Token
from refinebio_assets.api.v1.fields import Fields

_TERMS = "The data are public. Their submitters and archives may have terms of their own."


def require_writable(request: Request) -> None:
    """Raise ApiProblemError on a server that is read-only."""
    if services(request).settings.read_only:
        raise ApiProblemError(403, {"detail": "This server is read-only."})


def active_token(request: Request, given: str = "") -> bool:
    """Tell whether a request comes with an active token: ``given``, from its body, or its header.

    Whatever else a header says counts as no token.
    """
    token = services(request).tokens.find(given or request.headers.get("api-key", ""))
    return token is not None and token.is_activated


def create_token(request: Request, body: JsonBody) -> Response:
    """Make a token; with ``is_activated`` it may be used at once."""
    require_writable(request)
    fields = Fields(body)
    is_activated = fields.truth("is_activated", False)
    fields.require_sound()
    return answer(_shown(services(request).tokens.create(is_activated=is_activated)), 201)


def get_token(request: Request, token: str) -> Response:
    """Say whether a token is active."""
    return answer(_shown(_known(request, token)))


def update_token(request: Request, token: str, body: JsonBody) -> Response:
    """Activate a token, which is to agree with the terms."""
    require_writable(request)
    found = _known(request, token)
    fields = Fields(body)
    is_activated = fields.truth("is_activated", found.is_activated)
    fields.require_sound()
    return answer(_shown(services(request).tokens.set_activated(found, is_activated)))


def _known(request: Request, text: str) -> Token:
    token = services(request).tokens.find(text)
    if token is None:
        raise not_found()
    return token


def _shown(token: Token) -> dict[str, object]:
    return {"id": token.id, "is_activated": token.is_activated, "terms_and_conditions": _TERMS}


def add_to(router: APIRouter) -> None:
    """Add these endpoints."""
    example = {"is_activated": True}
    path = path_parameter("token", "The token.", "8d0b5c9e-5f0b-4c55-9f5a-52b0e1c0f6a1")
    body, model = models.TokenBody, models.Token
    add_route(
        router,
        "/token",
        create_token,
        model,
        method="POST",
        status=201,
        problems=(400, 403),
        body=body,
        example=example,
    )
    add_route(router, "/token/{token}", get_token, model, problems=(404,), parameters=[path])
    add_route(
        router,
        "/token/{token}",
        update_token,
        model,
        method="PUT",
        problems=(400, 403, 404),
        parameters=[path],
        body=body,
        example=example,
    )
