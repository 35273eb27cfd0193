"""What all references share: whether one still is what its registered files would give, and these files.

Making a reference from its files is the work of the modules of the kinds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from refinebio_assets.errors import PermanentError
from refinebio_assets.lake.store import Lake
from refinebio_assets.pipelines.arriving_file import FetchedFile, fetch
from refinebio_assets.pipelines.fetch_file import WebSource, describe, locate, no_web
from refinebio_assets.pipelines.freshness import Basis
from refinebio_assets.pipelines.outcome import Situation, situation_of

Files = Mapping[str, FetchedFile]
"""A reference's source files in the lake, by role."""


@dataclass(frozen=True, slots=True)
class LocalFile:
    """A file within reach, and what messages call it."""

    path: Path
    label: str


def no_md5(_location: str) -> str:
    """Return that no checksum is published."""
    return ""


def assess_reference(
    lake: Lake, asset: str, partition: str, *, basis: Basis, locations: Mapping[str, str], web: WebSource
) -> Situation:
    """Return how a reference stands against its source files and what else is in ``basis``."""
    now = dict(basis)
    for role, location in locations.items():
        now[role.replace("_", " ")] = describe(locate(location, web))
    return situation_of(lake, lake.head(asset, partition), now)


def fetch_source(
    lake: Lake,
    location: str,
    web: WebSource = no_web,
    published_md5: Callable[[str], str] = no_md5,
) -> FetchedFile:
    """Bring a source file into the lake; PermanentError when it is not what its publisher says."""
    file = fetch(lake, location, None, web)
    expected = published_md5(location)
    if expected and file.md5 != expected:
        raise PermanentError(
            f"{location} is not what was published: its MD5 is {file.md5}, published is {expected}"
        )
    return file


def local_files(lake: Lake, files: Files) -> dict[str, LocalFile]:
    """Return the source files where they can be read, under the names that a person knows."""
    return {role: LocalFile(lake.local(file.stored), file.origin.location) for role, file in files.items()}


def source_rows(owner: Mapping[str, str], files: Files) -> list[dict[str, Any]]:
    """Return rows for a table of sources; ``owner`` is the column that names the reference."""
    return [
        {
            **owner,
            "role": role,
            "origin": file.origin.location,
            "size": file.origin.size or file.stored.size,
            "md5": file.md5,
            "sha256": file.stored.sha256,
        }
        for role, file in files.items()
    ]
