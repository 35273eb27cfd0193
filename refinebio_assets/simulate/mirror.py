"""The mirror of a simulated world: what the public archives would answer about it, for clients to replay.

An index with one JSON object a line (method, URL, status, headers, body) beside body files, as recorded
answers have it; what the answers say is for the archives' own modules. Bodies may be any file of the world,
so that reads are on the disk once.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

BODIES = "mirror"
INDEX = "mirror.jsonl"
CHUNK_BYTES = 1 << 20
JSON = "application/json"
TEXT = "text/plain"
BINARY = "application/octet-stream"
GZIP = "application/x-gzip"
ZIP = "application/zip"
TAR = "application/x-tar"


@dataclass(frozen=True, slots=True)
class Body:
    """A file that an archive would send as it is: its path in the world, bytes and checksums."""

    path: str
    size: int
    md5: str
    sha1: str


class MirrorDraft:
    """Gathers the answers of a world that is being written into the folder ``root``."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._lines: list[str] = []
        self._urls: set[str] = set()

    def keep(self, name: str, content: bytes) -> Body:
        """Write a body of its own."""
        file = self._root / BODIES / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        return self.existing(file)

    def existing(self, file: Path) -> Body:
        """Return a file of the world as a body."""
        md5, sha1 = hashlib.md5(usedforsecurity=False), hashlib.sha1(usedforsecurity=False)
        size = 0
        with file.open("rb") as stream:
            while chunk := stream.read(CHUNK_BYTES):
                size += len(chunk)
                md5.update(chunk)
                sha1.update(chunk)
        return Body(file.relative_to(self._root).as_posix(), size, md5.hexdigest(), sha1.hexdigest())

    def answer(self, url: str, body: Body, content_type: str) -> None:
        """Let this body be the answer to a GET of this URL, which has none yet."""
        self._urls.add(url)
        fields = {
            "method": "GET",
            "url": url,
            "status": 200,
            "content_type": content_type,
            "content_length": str(body.size),
            "location": None,
            "body": body.path,
            "bytes": body.size,
            "sha1": body.sha1,
        }
        self._lines.append(json.dumps(fields))

    def has_answer(self, url: str) -> bool:
        """Tell whether there is an answer to a GET of this URL."""
        return url in self._urls

    def say(self, url: str, name: str, content: object) -> None:
        """Let this value be the answer, as JSON in a body of its own."""
        text = json.dumps(content, ensure_ascii=False, separators=(",", ":")) + "\n"
        self.answer(url, self.keep(name, text.encode()), JSON)

    def write_index(self) -> None:
        """Write the index of all answers."""
        (self._root / INDEX).write_text("".join(line + "\n" for line in self._lines), encoding="utf-8")
