"""What every request passes: limits on rate and size, the same headers on every answer, the log.

The log has method, path and status, never a query, a header or a token's id.
"""

from __future__ import annotations

import json
import logging
import math
import re
import time
from collections import OrderedDict
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address
from threading import Lock
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from refinebio_assets import __version__
from refinebio_assets.api.problems import SERVER_ERROR, ApiProblemError
from refinebio_assets.api.settings import ApiSettings

REVISION_HEADER = "x-source-revision"
_KEPT_ADDRESSES = 10_000
_SECRET = re.compile(r"(?<=/token/)[^/]+")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_HEADERS = [
    (REVISION_HEADER.encode(), __version__.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
]
_logger = logging.getLogger("refinebio_assets.api")


class RateLimit:
    """A bucket for each address: it holds ``burst`` requests and is filled at ``rate`` a second."""

    def __init__(self, rate: float, burst: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate, self._burst, self._clock = rate, max(burst, 1), clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._lock = Lock()

    def wait(self, address: str) -> float:
        """Take one request from an address's bucket; return 0, or in how many seconds there is one."""
        if self._rate <= 0:
            return 0.0
        now = self._clock()
        with self._lock:
            filled, seen = self._buckets.pop(address, (float(self._burst), now))
            filled = min(self._burst, filled + (now - seen) * self._rate)
            allowed = filled >= 1
            self._buckets[address] = (filled - 1 if allowed else filled, now)
            if len(self._buckets) > _KEPT_ADDRESSES:
                self._buckets.popitem(last=False)
        return 0.0 if allowed else (1 - filled) / self._rate


class Guard:
    """The outermost layer of the application."""

    def __init__(self, app: ASGIApp, settings: ApiSettings) -> None:
        self._app, self._settings = app, settings
        self._limit = RateLimit(settings.requests_per_second, settings.burst)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer that it may not pass."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        answer = _Answer(send)
        began = time.monotonic()
        try:
            self._require_allowed(scope)
            await self._app(scope, _counted(receive, self._settings.max_body_bytes), answer.send)
        except ApiProblemError as problem:
            await answer.say(problem.status, problem.body, problem.headers)
        except Exception:
            _logger.exception("%s %s failed", scope["method"], shown_path(scope["path"]))
            await answer.say(500, {"message": SERVER_ERROR, "status_code": 500})
        finally:
            took = (time.monotonic() - began) * 1000
            path = shown_path(scope["path"])
            _logger.info("%s %s %s %.0f ms", scope["method"], path, answer.status, took)

    def _require_allowed(self, scope: Scope) -> None:
        headers: dict[bytes, str] = {name: value.decode("latin-1") for name, value in scope["headers"]}
        seconds = self._limit.wait(client_address(scope, headers, self._settings))
        if seconds:
            whole = math.ceil(seconds)
            detail = f"Request was throttled. Expected available in {whole} second{'s' if whole > 1 else ''}."
            raise ApiProblemError(429, {"detail": detail}, {"Retry-After": str(whole)})
        length = headers.get(b"content-length", "0")
        if not length.isascii() or not length.isdigit() or int(length) > self._settings.max_body_bytes:
            raise _too_large(self._settings.max_body_bytes)


class _Answer:
    """Sends an answer with the headers that every answer has, and knows whether it has begun."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.status = 0

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            message = {**message, "headers": [*message.get("headers", []), *_HEADERS]}
        await self._send(message)

    async def say(self, status: int, body: dict[str, Any], headers: dict[str, str] | None = None) -> None:
        """Answer with a JSON body; nothing can be said any more once an answer has begun."""
        if self.status:
            return
        data = json.dumps(body).encode()
        listed = [(b"content-type", b"application/json"), (b"content-length", str(len(data)).encode())]
        listed += [(name.lower().encode(), value.encode()) for name, value in (headers or {}).items()]
        await self.send({"type": "http.response.start", "status": status, "headers": listed})
        await self.send({"type": "http.response.body", "body": data})


def shown_path(path: str) -> str:
    """Return a path as it may be logged: without secrets and control characters."""
    return _CONTROL.sub("?", _SECRET.sub("***", path))[:300]


def client_address(scope: Scope, headers: dict[bytes, str], settings: ApiSettings) -> str:
    """Return whom a request is counted for: its address, of IPv6 the network that one customer has."""
    host = scope["client"][0] if scope.get("client") else ""
    if settings.trust_proxy and headers.get(b"x-forwarded-for"):
        host = headers[b"x-forwarded-for"].rsplit(",", 1)[-1].strip()
    try:
        address = ip_address(host)
    except ValueError:
        return host
    if isinstance(address, IPv6Address):
        return str(int(address) >> 64)
    return str(address)


def _counted(receive: Receive, most: int) -> Receive:
    taken = 0

    async def counted() -> Message:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        if taken > most:
            raise _too_large(most)
        return message

    return counted


def _too_large(most: int) -> ApiProblemError:
    return ApiProblemError(413, {"detail": f"The request's body is larger than {most:,} bytes."})
