"""JSON larger than memory: objects and lists whose items are written as they come, one a line."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Fields:
    """An object whose fields come one by one; a name must come once."""

    pairs: Iterable[tuple[str, Any]]


@dataclass(frozen=True, slots=True)
class Items:
    """A list whose items come one by one."""

    values: Iterable[Any]


def json_chunks(value: Any) -> Iterator[bytes]:
    """Yield a value as JSON in plain ASCII; ``Fields`` and ``Items`` may be values of fields and items."""
    if isinstance(value, Fields):
        named = ((f"{json.dumps(name)}: ".encode(), item) for name, item in value.pairs)
        yield from _listed(b"{", named, b"}")
    elif isinstance(value, Items):
        yield from _listed(b"[", ((b"", item) for item in value.values), b"]")
    else:
        yield json.dumps(value, sort_keys=True).encode()


def _listed(opening: bytes, items: Iterable[tuple[bytes, Any]], closing: bytes) -> Iterator[bytes]:
    before = opening + b"\n"
    for name, item in items:
        yield before + name
        yield from json_chunks(item)
        before = b",\n"
    yield (opening if before.startswith(opening) else b"\n") + closing
