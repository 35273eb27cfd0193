"""What clients ask for of a file, as RFC 9110 (sections 13 and 14) has it: only what is newer, or ranges."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from fastapi import Request
from fastapi.responses import FileResponse
from starlette.types import Receive, Scope, Send

from refinebio_assets.api.problems import ApiProblemError

_RANGE = re.compile(r"(?P<first>[0-9]{1,18})-(?P<last>[0-9]{0,18})|-(?P<suffix>[0-9]{1,18})")
_UNIT = re.compile(r"bytes=", re.IGNORECASE)


class RangedFile(FileResponse):
    """A file as an answer, whole or in the ranges that a request asks for."""

    def __init__(self, request: Request, size: int, path: str, **options: Any) -> None:
        """Raise ApiProblemError when no range that is asked for is in the ``size`` bytes of the file."""
        super().__init__(path, **options)
        asked = request.headers.get("range", "") if request.method == "GET" else ""
        condition = request.headers.get("if-range")
        self._ranges = satisfiable_ranges(asked, size)
        if self._ranges == "" and condition in (None, self.headers.get("etag")):
            detail = f"No range of {asked} is in the file, which has {size:,} bytes."
            raise ApiProblemError(416, {"detail": detail}, {"Content-Range": f"bytes */{size}"})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with the ranges that there are."""
        headers = [(name, value) for name, value in scope["headers"] if name != b"range"]
        if self._ranges:
            headers.append((b"range", self._ranges.encode()))
        await super().__call__({**scope, "headers": headers}, receive, send)


def is_known(request: Request, tag: str) -> bool:
    """Tell whether a client says that it has the version with this ETag, so that it is not sent again."""
    known = request.headers.get("if-none-match", "")
    return known == "*" or tag in [item.strip().removeprefix("W/") for item in known.split(",")]


def satisfiable_ranges(header: str, size: int) -> str | None:
    """Return those ranges of a ``Range`` header that a file of ``size`` bytes has something of.

    None for a header that is to be ignored, as it is in another unit or not well formed; "" when it is well
    formed and the file has none of it.
    """
    unit = _UNIT.match(header)
    if unit is None:
        return None
    parts = [part.strip(" \t") for part in header[unit.end() :].split(",")]
    found = [_RANGE.fullmatch(part) for part in parts if part]
    if not found or not all(match and _is_forward(match) for match in found):
        return None
    listed = ",".join(_within([match for match in found if match], size))
    return f"bytes={listed}" if listed else ""


def _is_forward(match: re.Match[str]) -> bool:
    return not match["last"] or int(match["first"]) <= int(match["last"])


def _within(ranges: list[re.Match[str]], size: int) -> Iterator[str]:
    for match in ranges:
        is_there = int(match["first"]) < size if match["first"] else int(match["suffix"]) > 0 and size > 0
        if is_there:
            yield match.group()
