"""A mirror that is a list of recorded answers: ``index.jsonl``, one JSON object a line, and body files.

Fields: ``method`` (GET or HEAD), ``url``, ``status``; optional ``content_type``, ``content_length`` (of a
HEAD), ``location`` (of a redirect), ``etag``, ``last_modified``, ``body`` (a path below the index's
folder), ``bytes`` (of the decoded body), ``sha1``. Others are ignored. A body whose name ends in ``.gz``
is a gzip of the answer, unless ``bytes`` says that the file is the answer as it is.

URLs are compared as ``normalized_url`` spells them. Of several answers to one URL the last counts; a
redirect to another spelling of its own URL (http to https) does not count, as it would never end.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from refinebio_assets.errors import FormatError, NotFoundError, PermanentError, StorageError
from refinebio_assets.sources.web.mirror import CHUNK_BYTES, Answer, Body, reading
from refinebio_assets.sources.web.urls import normalized_url

INDEX_NAME = "index.jsonl"
_METHODS = frozenset({"GET", "HEAD"})
_HEADERS = {
    "content-type": "content_type",
    "location": "location",
    "etag": "etag",
    "last-modified": "last_modified",
}
"""Header of the answer by field of the index."""


@dataclass(frozen=True, slots=True)
class _Recorded:
    line: int
    method: str
    url: str
    status: int
    headers: Mapping[str, str]
    body: str
    size: int | None


class ReplayIndex:
    """Answers from an index file, which is read once, when made.

    Raises NotFoundError when there is no such file, FormatError when a line is damaged.
    """

    def __init__(self, path: Path) -> None:
        self.name = str(path)
        self._path = path
        self._answers: dict[tuple[str, str], _Recorded] = {}
        for number, line in enumerate(_lines(path), start=1):
            if line.strip():
                self._add(_recorded(path, number, line))

    def find(self, method: str, url: str) -> Answer | None:
        """Return the recorded answer, None when there is none; FormatError when its body is damaged."""
        recorded = self._answers.get((method, normalized_url(url)))
        if recorded is None:
            return None
        headers = dict(recorded.headers)
        if method == "HEAD":
            headers = self._state_of_get(url) | headers
        return Answer(recorded.status, headers, self._body(recorded))

    def _add(self, recorded: _Recorded) -> None:
        location = recorded.headers.get("location", "")
        if 300 <= recorded.status < 400 and _same_url(recorded.url, location):
            return
        self._answers[recorded.method, recorded.url] = recorded

    def _state_of_get(self, url: str) -> dict[str, str]:
        """Return the GET's ETag, so that looking at a file and fetching it give the same state."""
        recorded = self._answers.get(("GET", normalized_url(url)))
        headers = recorded.headers if recorded else {}
        return {name: value for name, value in headers.items() if name in {"etag", "last-modified"}}

    def _body(self, recorded: _Recorded) -> Body | None:
        if not recorded.body:
            return None
        root = self._path.parent.resolve()
        path = (root / recorded.body).resolve()
        if not path.is_relative_to(root):
            raise FormatError(
                self._path, line=recorded.line, expected=f"a body below {root}", found=recorded.body
            )
        try:
            on_disk = path.stat().st_size
        except OSError as error:
            raise FormatError(
                self._path, line=recorded.line, expected=f"the body file {path}", found=str(error.strerror)
            ) from error
        compressed = path.name.endswith(".gz") and on_disk != recorded.size
        if not compressed:
            return Body(path, on_disk if recorded.size is None else recorded.size)
        size = _decoded_size(path) if recorded.size is None else recorded.size
        return Body(path, size, compressed=True)


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except (FileNotFoundError, NotADirectoryError) as error:
        raise NotFoundError(f"no mirror index at {path}") from error
    except UnicodeDecodeError as error:
        raise FormatError(path, expected="UTF-8 text", found=f"another byte at {error.start:,}") from error
    except OSError as error:
        raise StorageError(f"could not read {path}: {error.strerror or error}") from error


def _recorded(path: Path, number: int, line: str) -> _Recorded:
    try:
        fields = json.loads(line)
    except json.JSONDecodeError as error:
        raise FormatError(path, line=number, expected="a JSON object", found=f"{line[:60]!r}") from error
    if not isinstance(fields, dict):
        raise FormatError(path, line=number, expected="a JSON object", found=type(fields).__name__)
    method, url, status = fields.get("method"), fields.get("url"), fields.get("status")
    if method not in _METHODS:
        raise FormatError(path, line=number, expected="method GET or HEAD", found=repr(method))
    if type(status) is not int or not 100 <= status < 600:
        raise FormatError(path, line=number, expected="an HTTP status", found=repr(status))
    try:
        normalized = normalized_url(str(url))
    except PermanentError as error:
        raise FormatError(path, line=number, expected="a URL", found=repr(url)) from error
    size = fields.get("bytes")
    if size is not None and (type(size) is not int or size < 0):
        raise FormatError(path, line=number, expected="bytes as a number", found=repr(size))
    body = str(fields.get("body") or "")
    return _Recorded(number, method, normalized, status, _headers(fields), body, size)


def _headers(fields: Mapping[str, Any]) -> dict[str, str]:
    headers = {header: str(fields[name]) for header, name in _HEADERS.items() if fields.get(name)}
    if fields.get("content_length") is not None:
        headers["content-length"] = str(fields["content_length"])
    if "etag" not in headers and fields.get("sha1"):
        headers["etag"] = f'"{fields["sha1"]}"'
    return headers


def _same_url(url: str, location: str) -> bool:
    try:
        return normalized_url(location) == url
    except PermanentError:
        # Relative, or nothing: no other spelling of the same URL.
        return False


def _decoded_size(path: Path) -> int:
    size = 0
    with reading(path), Body(path, 0, compressed=True).open() as stream:
        while chunk := stream.read(CHUNK_BYTES):
            size += len(chunk)
    return size
