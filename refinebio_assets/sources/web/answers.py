"""Tells good answers from bad ones: by status, length, and whether a web page came instead of data.

Every method raises or returns; what is tried again is PassingError, and ``retry`` sees to it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import TypeVar

import httpx

from refinebio_assets.errors import NotFoundError, PermanentError
from refinebio_assets.sources.web import pages
from refinebio_assets.sources.web.refused_key import KeyRefusedError, says_key_refused
from refinebio_assets.sources.web.replies import Reply, declared_length
from refinebio_assets.sources.web.retry import PassingError, failed_try, is_passing_status, retry_after
from refinebio_assets.sources.web.urls import shown_url

T = TypeVar("T")

GONE = frozenset({404, 410})
HIDDEN = "[api key]"
"""Stands in messages where a server quoted the key."""
UNREADABLE = (ValueError, SyntaxError, EOFError, RecursionError)
"""What parsers raise for half a document, or one that no program would send: XML's ParseError is a
SyntaxError; JSON raises ValueError also for a number of 5,000 digits, RecursionError for deep nesting."""


@dataclass(frozen=True, slots=True)
class Judge:
    """Judges answers. No message contains ``secret``, not even when the server quotes it.

    ``now`` gives seconds since 1970.
    """

    secret: str = ""
    now: Callable[[], float] = time.time

    def check_status(self, url: str, status: int, headers: Mapping[str, str], body: bytes) -> None:
        """Return for a status that comes with data (200 to 299, but not a part); raise for any other."""
        if 200 <= status < 300 and status != HTTPStatus.PARTIAL_CONTENT:
            return
        if is_passing_status(status):
            raise PassingError(
                f"the server answered {self._described(status, body)}",
                status=status,
                wait=retry_after(headers, self.now()),
            )
        if says_key_refused(body[: pages.HEAD_BYTES].decode("utf-8", errors="replace")):
            raise KeyRefusedError(f"{shown_url(url)}: the server answered {self._described(status, body)}")
        kind = NotFoundError if status in GONE else PermanentError
        raise kind(f"{shown_url(url)}: the server answered {self._described(status, body)}")

    def check_page(self, url: str, status: int, headers: Mapping[str, str], body: bytes) -> None:
        """Return when the body is data; raise for a web page, with what it says."""
        content_type = headers.get("content-type", "")
        if not body or not pages.is_page(content_type, body[: pages.HEAD_BYTES]):
            return
        saying = f"a web page came instead of data: {self._quoted(body)!r}"
        if pages.reads_like_passing(body):
            raise PassingError(saying, status=status, wait=retry_after(headers, self.now()))
        raise PermanentError(f"{shown_url(url)}: {saying}")

    def check_length(self, response: httpx.Response, decoded: int) -> None:
        """Raise PassingError when a body that was read to its end has not the length announced.

        ``decoded`` is its length in memory; the announced one is that on the way, perhaps compressed.
        """
        announced = declared_length(response.headers)
        received = response.num_bytes_downloaded
        was_in_memory = decoded > 0 and received == 0
        if announced is not None and received != announced and not was_in_memory:
            raise PassingError(
                f"the body was cut: {announced:,} bytes announced, {received:,} came",
                status=response.status_code,
            )

    def parsed(self, kind: str, parse: Callable[[bytes], T], reply: Reply) -> T:
        """Return what ``parse`` makes of an answer; PassingError when it cannot read it, as when half came.

        ``kind`` is for the message: ``JSON document``. What ``parse`` may raise: see ``Web.parsed``.
        """
        try:
            return parse(reply.content)
        except UNREADABLE as error:
            reason = self.discreet(str(error) or type(error).__name__)
            raise PassingError(
                f"the answer is not a whole {kind} of {len(reply.content):,} bytes: {reason}",
                status=reply.status,
            ) from error

    def discreet(self, text: str) -> str:
        """Return the text without the secret, for a message that quotes a server."""
        return text.replace(self.secret, HIDDEN) if self.secret else text

    def _described(self, status: int, body: bytes) -> str:
        try:
            named = f"{status} {HTTPStatus(status).phrase}"
        except ValueError:
            named = str(status)
        words = self._quoted(body)
        return f"{named}: {words!r}" if words else named

    def _quoted(self, body: bytes) -> str:
        if self.secret:
            body = body.replace(self.secret.encode(), HIDDEN.encode())
        return pages.quoted(body)


@contextmanager
def asking(url: str) -> Iterator[None]:
    """Turn httpx's errors, of the request and of reading its body, into this room's."""
    try:
        yield
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise failed_try(error, shown_url(url)) from error


def take(chunks: Iterator[bytes], size: int) -> bytes:
    """Return at least ``size`` bytes from the chunks, fewer only when they end."""
    content = bytearray()
    while len(content) < size and (chunk := next(chunks, None)) is not None:
        content += chunk
    return bytes(content)


def read_some(response: httpx.Response) -> bytes:
    """Return the beginning of a body, enough to recognize a page and quote it."""
    return take(response.iter_bytes(), pages.HEAD_BYTES)
