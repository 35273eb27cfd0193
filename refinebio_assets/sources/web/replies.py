"""What the fetch layer gives back, and what it reads from the headers of an answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import httpx


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole answer. ``url`` is the one asked, with its parameters; ``headers`` have lower-case keys."""

    url: str
    status: int
    headers: Mapping[str, str]
    content: bytes


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file on a server: size in bytes (None when the server does not say), and its ``state``.

    ``state`` is an opaque text that changes when the file does: ETag, else Last-Modified, else "".
    """

    url: str
    size: int | None
    state: str


@dataclass(frozen=True, slots=True)
class Downloaded:
    """A file that is in place: size in bytes, digests in hexadecimal, ``state`` as in RemoteFile."""

    size: int
    md5: str
    sha256: str
    state: str


def lower_case(headers: httpx.Headers) -> dict[str, str]:
    """Return headers as a plain dictionary with lower-case keys."""
    return {key.lower(): value for key, value in headers.items()}


def state_of(headers: Mapping[str, str]) -> str:
    """Return what identifies a version of a file: ETag, else Last-Modified, else ""."""
    return headers.get("etag") or headers.get("last-modified") or ""


def strong_validator(headers: Mapping[str, str]) -> str:
    """Return what If-Range may compare: a strong ETag, else Last-Modified, else "" (RFC 9110, 13.1.5)."""
    etag = headers.get("etag", "")
    return etag if etag.startswith('"') else headers.get("last-modified", "")


def declared_length(headers: Mapping[str, str]) -> int | None:
    """Return how many bytes of body the server announced, None when it did not say."""
    text = headers.get("content-length", "")
    return int(text) if text.isascii() and text.isdigit() and "transfer-encoding" not in headers else None
