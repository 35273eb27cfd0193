"""One entry of an archive of any kind; how entries are read is for ``tar`` and ``zip`` to know."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from refinebio_assets.errors import FormatError

CHUNK_BYTES = 1 << 20
_CLUTTER = ("thumbs.db", "desktop.ini", ".ds_store")


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry that is no folder.

    ``name`` is its path as the archive gives it, never to be used as a path on disk. ``refusal`` says why
    it cannot be taken, empty for a regular file. ``content`` yields its bytes, once, and before the next
    entry is asked for.
    """

    name: str
    size: int
    refusal: str
    content: Callable[[], Iterator[bytes]]


def base_name(name: str) -> str:
    """Return the last part of a path that may have been written by any system."""
    return re.split(r"[/\\]", name.rstrip("/\\"))[-1]


def is_clutter(name: str) -> bool:
    """Tell whether an operating system put the entry there unasked."""
    parts = re.split(r"[/\\]", name)
    return "__MACOSX" in parts or parts[-1].startswith("._") or parts[-1].lower() in _CLUTTER


def damaged(label: str, member: str, expected: str, found: str) -> FormatError:
    """Return the error for an archive that is not sound, at a member or before the first."""
    return FormatError(label, place=f"member {member}" if member else None, expected=expected, found=found)
