"""One file from a server to the disk: resumed where it was cut, and checked before it has its name.

How often it is tried is in ``retry``; the bytes on the disk are in ``part_file``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import httpx

from refinebio_assets.errors import PermanentError, RefinebioError, TransientError
from refinebio_assets.sources.web import pages
from refinebio_assets.sources.web.answers import Judge, asking, read_some, take
from refinebio_assets.sources.web.part_file import Origin, PartFile
from refinebio_assets.sources.web.replies import (
    Downloaded,
    declared_length,
    lower_case,
    state_of,
    strong_validator,
)
from refinebio_assets.sources.web.retry import PassingError
from refinebio_assets.sources.web.urls import normalized_url, shown_url

PROGRESS_BYTES = 1 << 20
"""A failed try that brought less than this was in vain, and counts."""
_LOOKED_AT_BYTES = 1024
"""Enough to recognize a web page; a page itself is read further, to be quoted."""
_CONTENT_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+|\*)$")


@dataclass(frozen=True, slots=True)
class _Body:
    """What a server is about to send: from which byte of the file on, and the whole file's size if known."""

    start: int
    total: int | None


class Download:
    """The tries of one download, which share what has arrived. Arguments as in ``Web.download``."""

    def __init__(
        self,
        client: httpx.Client,
        judge: Judge,
        url: str,
        target: Path,
        size: int | None,
        md5: str,
        progress: Callable[[int], None] | None,
    ) -> None:
        self._client = client
        self._judge = judge
        self._url = url
        self._size = size
        self._md5 = md5
        self._progress = progress
        self._part = PartFile(target)
        self._recalled = False
        self._most = 0
        self._told = 0
        self._mismatches: list[str] = []

    def attempt(self) -> Downloaded:
        """Try once, from where the last try ended. Raises PassingError for what is worth another try."""
        try:
            self._recall()
            if self._is_complete():
                return self._checked()
            with self._part:
                self._receive()
            return self._checked()
        except PassingError as error:
            error.progressed = self._part.size >= self._most + PROGRESS_BYTES
            self._most = max(self._most, self._part.size)
            raise
        except TransientError:
            raise
        except RefinebioError:
            self._part.discard()
            raise

    def _recall(self) -> None:
        """Take up an earlier part once; afterwards what has arrived is known, hashes and all."""
        if not self._recalled:
            self._part.recall()
            self._recalled = True
            self._most = self._part.size
        if self._part.size and not self._may_resume():
            self._part.discard()

    def _may_resume(self) -> bool:
        """Tell whether the part is of this file: the server can compare it, or an MD5 will."""
        origin = self._part.origin
        if origin is None or origin.url != normalized_url(self._url):
            return False
        if self._size is not None and self._part.size > self._size:
            return False
        return bool(origin.validator or self._md5)

    def _is_complete(self) -> bool:
        return bool(self._md5) and self._part.size == self._size and self._part.md5 == self._md5

    def _receive(self) -> None:
        offset = self._part.size
        with asking(self._url), self._client.stream("GET", self._url, headers=self._headers()) as response:
            headers = lower_case(response.headers)
            body = self._body(response.status_code, headers, offset, response)
            self._part.require_room((body.total or self._size or 0) - body.start)
            chunks = self._data(response, headers, body)
            self._check_total(body)
            if body.start == 0:
                self._part.begin(_origin(self._url, headers))
            self._write(chunks)
        if body.total is not None and self._part.size != body.total:
            raise PassingError(
                f"the body was cut: {body.total:,} bytes announced, {self._part.size:,} came",
                status=response.status_code,
            )

    def _headers(self) -> dict[str, str]:
        # Stored as the server has it: a body compressed for the way would have another size and MD5.
        headers = {"accept": "*/*", "accept-encoding": "identity"}
        if self._part.size and self._part.origin is not None:
            headers["range"] = f"bytes={self._part.size}-"
            if self._part.origin.validator:
                headers["if-range"] = self._part.origin.validator
        return headers

    def _body(self, status: int, headers: Mapping[str, str], offset: int, response: httpx.Response) -> _Body:
        """Say what is about to come; discards the part when the server cannot continue it."""
        if status == httpx.codes.OK:
            return _Body(0, declared_length(headers))
        if offset and status == httpx.codes.PARTIAL_CONTENT:
            total = self._continued(headers, offset)
            return _Body(offset, total)
        if offset and status == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
            self._part.discard()
            raise PassingError("the server cannot continue the part that is here", status=status)
        self._judge.check_status(self._url, status, headers, read_some(response))
        raise PermanentError(f"{shown_url(self._url)}: the server has no content for this file ({status})")

    def _continued(self, headers: Mapping[str, str], offset: int) -> int | None:
        """Return the whole file's size, None when unknown; PassingError when another part came."""
        text = headers.get("content-range", "")
        match = _CONTENT_RANGE.match(text)
        origin = self._part.origin
        validator = strong_validator(headers)
        is_other = origin is not None and origin.validator and validator not in ("", origin.validator)
        if match is None or int(match[1]) != offset or is_other:
            self._part.discard()
            raise PassingError(
                f"another part than asked for came: expected from byte {offset:,} on, found {text!r}",
                status=httpx.codes.PARTIAL_CONTENT,
            )
        if match[3] != "*":
            return int(match[3])
        length = declared_length(headers)
        return None if length is None else offset + length

    def _data(self, response: httpx.Response, headers: Mapping[str, str], body: _Body) -> Iterator[bytes]:
        """Return the chunks of the body, having looked at its beginning for a web page."""
        chunks = response.iter_raw()
        if body.start:
            return chunks
        first = take(chunks, _LOOKED_AT_BYTES)
        if pages.is_page(headers.get("content-type", ""), first):
            first += take(chunks, pages.HEAD_BYTES)
            self._judge.check_page(self._url, response.status_code, headers, first)
        return chain([first], chunks)

    def _check_total(self, body: _Body) -> None:
        if self._size is not None and body.total is not None and body.total != self._size:
            self._mismatch("size", f"{self._size:,} bytes", f"{body.total:,} bytes")

    def _write(self, chunks: Iterator[bytes]) -> None:
        for chunk in chunks:
            self._part.append(chunk)
            self._tell()
            if self._size is not None and self._part.size > self._size:
                self._mismatch("size", f"{self._size:,} bytes", f"{self._part.size:,} bytes or more")

    def _tell(self) -> None:
        arrived = self._part.size - self._told
        if self._progress is not None and arrived > 0:
            self._progress(arrived)
            self._told = self._part.size

    def _checked(self) -> Downloaded:
        """Give the file its name when it is what was promised."""
        part = self._part
        if self._size is not None and part.size != self._size:
            self._mismatch("size", f"{self._size:,} bytes", f"{part.size:,} bytes")
        if self._md5 and part.md5 != self._md5:
            self._mismatch("MD5", self._md5, part.md5)
        state = part.origin.state if part.origin else ""
        self._tell()
        part.finish()
        return Downloaded(part.size, part.md5, part.sha256, state)

    def _mismatch(self, what: str, expected: str, found: str) -> None:
        """Start over once; then say what is wrong.

        Fetching anew helps when the part was damaged or of an older file. A size that is still wrong is
        a file that is not yet whole at the server, which passes. The same wrong MD5 twice is what the
        server has, which stays; two wrong ones are damage on the way, which passes.
        """
        self._part.discard()
        message = f"{what} differs from what the source promises: expected {expected}, found {found}"
        earlier, self._mismatches = self._mismatches, [*self._mismatches, f"{what} {found}"]
        if not earlier:
            raise PassingError(message, status=httpx.codes.OK)
        message = f"{shown_url(self._url)}: {message} (fetched from the start again, which did not help)"
        if what == "MD5" and f"{what} {found}" in earlier:
            raise PermanentError(message)
        raise TransientError(message)


def _origin(url: str, headers: Mapping[str, str]) -> Origin:
    return Origin(normalized_url(url), strong_validator(headers), state_of(headers))
