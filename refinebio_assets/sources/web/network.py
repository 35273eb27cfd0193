"""The transport to the real network: rate limits, what NCBI wants to be told, proxies.

It is below redirects, so that each of their steps keeps the limits, and it alone knows the user's key and
e-mail address: no URL, message, log, cache or recorded answer above it can show them.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from urllib.request import proxy_bypass_environment  # type: ignore[attr-defined]  # not in typeshed

import httpx

from refinebio_assets.errors import PermanentError
from refinebio_assets.sources.web.rate_limit import RateLimit
from refinebio_assets.sources.web.urls import (
    ASKER_PARAMETERS,
    EMAIL_PARAMETER,
    EUTILS_HOST,
    KEY_PARAMETER,
    TOOL_PARAMETER,
    without_params,
)

TOOL = "refinebio-assets"
"""NCBI asks every program to say what it is and, where that is known, whom to write to (NBK25497)."""
CONNECTIONS = httpx.Limits(max_connections=64, max_keepalive_connections=16)


class LimitedTransport(httpx.BaseTransport):
    """Passes requests on when their host may be asked again.

    The E-utilities, by HTTPS, are told who asks: the program, and the user's key and e-mail if given.
    """

    def __init__(
        self, inner: httpx.BaseTransport, limit: RateLimit, *, ncbi_key: str = "", email: str = ""
    ) -> None:
        self._inner = inner
        self._limit = limit
        asker = {TOOL_PARAMETER: TOOL, EMAIL_PARAMETER: email, KEY_PARAMETER: ncbi_key}
        self._asker = {name: value for name, value in asker.items() if value}

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request; the answer's Location is without the asker, whom a server may repeat."""
        self._limit.wait(request.url.host)
        if (request.url.scheme, request.url.host) != ("https", EUTILS_HOST):
            return self._inner.handle_request(request)
        introduced = httpx.Request(
            request.method,
            request.url.copy_merge_params(self._asker),
            headers=request.headers,
            stream=request.stream,
            extensions=request.extensions,
        )
        response = self._inner.handle_request(introduced)
        if "location" in response.headers:
            response.headers["location"] = without_params(response.headers["location"], ASKER_PARAMETERS)
        return response

    def close(self) -> None:
        """Close the connections."""
        self._inner.close()


class ProxyTransport(httpx.BaseTransport):
    """Sends requests directly, or by the proxy that the environment names for their protocol.

    Reads HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY, in either case, as curl does.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._no_proxy = {"no": _variable(environment, "no_proxy")}
        fallback = _variable(environment, "all_proxy")
        self._proxies = {
            scheme: _variable(environment, f"{scheme}_proxy") or fallback for scheme in ("http", "https")
        }
        self._transports: dict[str, httpx.HTTPTransport] = {}
        self._lock = threading.Lock()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request."""
        proxy = self._proxies.get(request.url.scheme, "")
        if proxy and proxy_bypass_environment(request.url.host, self._no_proxy):
            proxy = ""
        return self._transport(proxy).handle_request(request)

    def close(self) -> None:
        """Close the connections."""
        with self._lock:
            for transport in self._transports.values():
                transport.close()
            self._transports.clear()

    def _transport(self, proxy: str) -> httpx.HTTPTransport:
        with self._lock:
            if proxy not in self._transports:
                self._transports[proxy] = _open_transport(proxy)
            return self._transports[proxy]


def _open_transport(proxy: str) -> httpx.HTTPTransport:
    try:
        return httpx.HTTPTransport(limits=CONNECTIONS, proxy=proxy or None)
    except (ValueError, ImportError, httpx.InvalidURL) as error:
        raise PermanentError(f"the proxy that the environment names cannot be used: {error}") from error


def _variable(environment: Mapping[str, str], name: str) -> str:
    value = (environment.get(name) or environment.get(name.upper()) or "").strip()
    return f"http://{value}" if value and name not in {"no_proxy"} and "://" not in value else value
