"""Stands in for the network: answers from folders of files and from recorded answers.

Recorded answers are read in ``replay_index``, folders of files in ``mirror_folder``. Everything above (the
checks, retries and downloads) runs on a mirror as it runs on the network; no host is asked.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from gzip import BadGzipFile
from gzip import open as open_gzip
from pathlib import Path
from typing import BinaryIO, Protocol, cast

import httpx

from refinebio_assets.errors import FormatError, NotFoundError, StorageError

CHUNK_BYTES = 1 << 20
_OPEN_RANGE = re.compile(r"bytes=(\d+)-$")


class NotMirroredError(NotFoundError):
    """A mirror has no answer to ``url``. What the real server would say is not known."""

    def __init__(self, message: str, url: str = "") -> None:
        super().__init__(message)
        self.url = url


@dataclass(frozen=True, slots=True)
class Body:
    """The bytes of an answer in a file; ``compressed`` tells that the file is a gzip of them."""

    path: Path
    size: int
    compressed: bool = False

    def open(self) -> BinaryIO:
        """Open for reading the plain bytes. Raises OSError."""
        return cast(BinaryIO, open_gzip(self.path)) if self.compressed else self.path.open("rb")


@dataclass(frozen=True, slots=True)
class Answer:
    """What a mirror has for a URL: status, headers (lower-case keys), and the body if there is one."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Body | None = None


class Mirror(Protocol):
    """A store of answers. ``name`` is for messages."""

    name: str

    def find(self, method: str, url: str) -> Answer | None:
        """Return the answer to GET or HEAD, None when there is none; FormatError when it is damaged."""


class MirrorTransport(httpx.BaseTransport):
    """Asks mirrors in order; the first that has an answer, be it a recorded 404, gives it.

    HEAD is answered by a recorded HEAD, or else by the GET. Raises NotMirroredError when none has one.
    """

    def __init__(self, mirrors: Sequence[Mirror]) -> None:
        self._mirrors = tuple(mirrors)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer one request from the files."""
        url = str(request.url)
        for mirror in self._mirrors:
            answer = mirror.find(request.method, url)
            if answer is None and request.method == "HEAD":
                answer = mirror.find("GET", url)
            if answer is not None:
                return _response(request, answer)
        names = ", ".join(mirror.name for mirror in self._mirrors)
        raise NotMirroredError(f"the mirror {names} has no answer for {request.method} {url}", url)


def _response(request: httpx.Request, answer: Answer) -> httpx.Response:
    headers = dict(answer.headers)
    body = answer.body
    if body is None:
        if request.method != "HEAD":
            headers["content-length"] = "0"
        return httpx.Response(answer.status, headers=headers, stream=_Bytes(None, 0))
    headers["content-length"] = str(body.size)
    headers["accept-ranges"] = "bytes"
    if request.method == "HEAD":
        return httpx.Response(answer.status, headers=headers, stream=_Bytes(None, 0))
    start = _range_start(request, headers) if answer.status == httpx.codes.OK else None
    if start is None:
        return httpx.Response(answer.status, headers=headers, stream=_Bytes(body, 0))
    if start >= body.size:
        headers |= {"content-range": f"bytes */{body.size}", "content-length": "0"}
        return httpx.Response(416, headers=headers, stream=_Bytes(None, 0))
    headers["content-length"] = str(body.size - start)
    headers["content-range"] = f"bytes {start}-{body.size - 1}/{body.size}"
    return httpx.Response(206, headers=headers, stream=_Bytes(body, start))


def _range_start(request: httpx.Request, headers: Mapping[str, str]) -> int | None:
    """Return from which byte on the body is wanted, None for the whole of it."""
    match = _OPEN_RANGE.match(request.headers.get("range", ""))
    condition = request.headers.get("if-range")
    if match is None or (condition and condition not in (headers.get("etag"), headers.get("last-modified"))):
        return None
    return int(match[1])


class _Bytes(httpx.SyncByteStream):
    """A body read from the disk as it is asked for; FormatError when it is not what it should be."""

    def __init__(self, body: Body | None, start: int) -> None:
        self._body = body
        self._start = start
        self._stream: BinaryIO | None = None

    def __iter__(self) -> Iterator[bytes]:
        if self._body is None:
            return
        with reading(self._body.path):
            self._stream = self._body.open()
            self._stream.seek(self._start)
        position = self._start
        while chunk := self._next(self._stream, self._body.path):
            position += len(chunk)
            yield chunk
        if position != self._body.size:
            raise FormatError(
                self._body.path, expected=f"a body of {self._body.size:,} bytes", found=f"{position:,} bytes"
            )

    def close(self) -> None:
        if self._stream is not None:
            with suppress(OSError):
                self._stream.close()

    def _next(self, stream: BinaryIO, path: Path) -> bytes:
        with reading(path):
            return stream.read(CHUNK_BYTES)


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turn failures of reading a mirror's file into FormatError and StorageError."""
    try:
        yield
    except (BadGzipFile, EOFError, zlib.error) as error:
        raise FormatError(path, expected="a whole gzip file", found=f"damaged data ({error})") from error
    except FileNotFoundError as error:
        raise FormatError(path, expected="the body of a mirrored answer", found="no file") from error
    except OSError as error:
        raise StorageError(f"could not read {path}: {error.strerror or error}") from error
