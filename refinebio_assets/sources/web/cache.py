"""Answers kept on the disk, to be confirmed by the server (ETag, Last-Modified) instead of sent again.

An entry is never used unasked, so there is no age to tune; an answer that cannot be confirmed is not kept.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import tempfile
from contextlib import suppress
from pathlib import Path

from refinebio_assets.sources.web.replies import Reply, state_of

_logger = logging.getLogger(__name__)

VERSION = 1
_NOT_KEPT = frozenset({"set-cookie"})


class Cache:
    """A folder of answers, one file each: a line of JSON (what it is, SHA-256 of the body), then the body.

    Threads and processes may share it. A damaged entry counts as none; a failing disk costs time only,
    as the answer itself is at hand, and is logged.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def find(self, key: str) -> Reply | None:
        """Return the kept answer to this key, None when there is none or it is damaged."""
        try:
            head, _, content = self._path(key).read_bytes().partition(b"\n")
            entry = json.loads(head)
            is_whole = (
                entry["version"] == VERSION
                and entry["key"] == key
                and entry["sha256"] == hashlib.sha256(content).hexdigest()
            )
            if not is_whole:
                return None
            headers = {str(name): str(value) for name, value in entry["headers"].items()}
            return Reply(str(entry["url"]), int(entry["status"]), headers, content)
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            _logger.warning("the cache entry %s is damaged and not used: %s", self._path(key), error)
            return None

    def store(self, key: str, reply: Reply) -> None:
        """Keep an answer if the server can confirm it later."""
        if reply.status != 200 or not state_of(reply.headers):
            return
        entry = {
            "version": VERSION,
            "key": key,
            "url": reply.url,
            "status": reply.status,
            "headers": {name: value for name, value in reply.headers.items() if name not in _NOT_KEPT},
            "sha256": hashlib.sha256(reply.content).hexdigest(),
        }
        try:
            _write(self._path(key), json.dumps(entry).encode() + b"\n" + reply.content)
        except OSError as error:
            _logger.warning("could not keep %s in the cache: %s", reply.url, error)

    def drop(self, key: str) -> None:
        """Forget the answer to this key."""
        with suppress(OSError):
            self._path(key).unlink(missing_ok=True)

    def _path(self, key: str) -> Path:
        name = hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest()
        return self._folder / name[:2] / name[2:]


def _write(path: Path, data: bytes) -> None:
    """Write a file whole or not at all. The hash inside tells what a power cut leaves; no need to sync."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(prefix="writing-", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(data)
        Path(temporary).replace(path)
    except BaseException:
        with suppress(OSError):
            Path(temporary).unlink()
        raise
