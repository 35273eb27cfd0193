"""What an annotation of any kind hands over to be committed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from refinebio_assets.domain import Dropped


@dataclass(frozen=True, slots=True)
class AnnotationContent:
    """The content of an annotation, read and checked, but not stored yet.

    ``facts`` are its row in the table ``platform_annotations``, ``counts`` those in ``annotation_counts``:
    without the platform's name, which is the same in all. ``info`` goes into the commit; ``write`` puts the
    files into the commit's folder. ``remark`` is what a person should know while it is built, or empty.
    """

    version: str
    facts: Mapping[str, Any]
    info: Mapping[str, Any]
    dropped: tuple[Dropped, ...]
    write: Callable[[Path], None]
    counts: Sequence[Mapping[str, Any]] = ()
    remark: str = ""
