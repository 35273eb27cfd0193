"""Download links: they work without a token, most for some days, for the one file that they name."""

from __future__ import annotations

import hmac
import time
from hashlib import sha256
from urllib.parse import quote, urlencode

from fastapi import Request

from refinebio_assets.api.answers import public_base
from refinebio_assets.api.holdings.holdings import Index
from refinebio_assets.api.problems import ApiProblemError
from refinebio_assets.api.services import services

DAYS = 7
_DAY = 86_400
_REFUSED = "This download link is not valid, or has expired. Ask for a new one."


def download_link(request: Request, kind: str, identity: str | int, name: str) -> str:
    """Return the address under which an object's file is downloaded, valid for seven days."""
    expires = int(time.time()) + DAYS * _DAY
    signature = _signature(services(request).link_key, kind, str(identity), expires)
    query = urlencode({"expires": expires, "signature": signature})
    return f"{public_base(request)}/v1/download/{kind}/{quote(str(identity))}/{quote(name)}?{query}"


def index_link(request: Request, index: Index) -> str:
    """Return the address of a Salmon index, which is for everybody and as long as the lake has it."""
    return f"{public_base(request)}/v1/download/transcriptome_index/{index.served['id']}/{index.name}.tar"


def require_valid(request: Request, kind: str, identity: str) -> None:
    """Raise ApiProblemError unless a request's link was made here for this object and has not expired."""
    given = request.query_params.get("expires", "")
    expires = int(given) if given.isascii() and given.isdigit() and len(given) <= 12 else 0
    expected = _signature(services(request).link_key, kind, identity, expires)
    signature = request.query_params.get("signature", "")
    sound = signature.isascii() and hmac.compare_digest(signature, expected)
    if not sound or expires < time.time():
        raise ApiProblemError(403, {"detail": _REFUSED})


def _signature(key: bytes, kind: str, identity: str, expires: int) -> str:
    return hmac.new(key, f"{kind}\n{identity}\n{expires}".encode(), sha256).hexdigest()
