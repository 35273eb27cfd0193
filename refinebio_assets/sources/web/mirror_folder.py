"""A mirror that is a plain folder of files: ``<host>/<path>``, as wget makes it.

A URL with a query is the file named ``<last part of the path>?<query>``, the query sorted and either decoded
or percent-encoded, without ``api_key`` (for NCBI's E-utilities also without ``tool`` and ``email``). A slash
must be encoded; names over 255 bytes need a replay index instead. A URL that ends in ``/`` is ``index.html``
in that folder. Files are as the server would send them; nothing is decompressed. No URL leads out of the
folder; a link that its owner put there may.
"""

from __future__ import annotations

import os
import stat
from email.utils import formatdate
from pathlib import Path
from urllib.parse import quote, unquote

from refinebio_assets.errors import StorageError
from refinebio_assets.sources.web.mirror import Answer, Body
from refinebio_assets.sources.web.urls import query_pairs, split_url

INDEX_NAME = "index.html"


class MirrorFolder:
    """Answers GET with the file that a URL names; its state is the file's size and time."""

    def __init__(self, root: Path) -> None:
        self.name = str(root)
        self._root = root

    def find(self, method: str, url: str) -> Answer | None:
        """Return the file as an answer, None when there is none (HEAD is left to GET)."""
        if method != "GET":
            return None
        for path in self.paths(url):
            status = _regular_file(path)
            if status is not None:
                headers = {
                    "etag": f'"{status.st_size:x}-{status.st_mtime_ns:x}"',
                    "last-modified": formatdate(status.st_mtime, usegmt=True),
                }
                return Answer(200, headers, Body(path, status.st_size))
        return None

    def paths(self, url: str) -> list[Path]:
        """Return where the answer to a URL may be, likeliest first; nowhere for a URL with odd names."""
        parts = split_url(url)
        segments = [unquote(segment) for segment in parts.path.split("/") if segment]
        if not all(map(_is_name, [parts.hostname or "", *segments])):
            return []
        if not segments or parts.path.endswith("/"):
            segments.append(INDEX_NAME)
        folder = self._root.joinpath(parts.hostname or "", *segments[:-1])
        return [folder / name for name in _names(segments[-1], query_pairs(parts))]


def _is_name(segment: str) -> bool:
    """Tell whether it can only be the name of something in a folder."""
    return segment not in {"", ".", ".."} and not any(character in segment for character in "/\\\0")


def _names(name: str, pairs: list[tuple[str, str]]) -> list[str]:
    if not pairs:
        return [name]
    plain = "&".join(f"{key}={value}" for key, value in pairs)
    encoded = "&".join(f"{_quoted(key)}={_quoted(value)}" for key, value in pairs)
    fits = "/" not in plain and "\0" not in plain
    return [f"{name}?{query}" for query in ([plain, encoded] if fits else [encoded])]


def _quoted(text: str) -> str:
    return quote(text, safe="", errors="surrogateescape")


def _regular_file(path: Path) -> os.stat_result | None:
    try:
        status = path.stat()
    except OSError as error:
        if isinstance(error, PermissionError):
            raise StorageError(f"could not read {path}: {error.strerror}") from error
        # No such file, a file where a folder should be, a name too long to exist.
        return None
    return status if stat.S_ISREG(status.st_mode) else None
