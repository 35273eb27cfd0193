"""Keeping a lake tidy: find and remove what killed processes left behind.

What is damaged is found in `damage.py`; what may be removed of what is committed is decided in
``pipelines/garbage``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from refinebio_assets.errors import RequestError
from refinebio_assets.lake.naming import (
    commit_id_of,
    commit_moment,
    is_commit_id,
)
from refinebio_assets.lake.records import Commit, LogEntry
from refinebio_assets.lake.storage import Found, LocalStorage, found_at, storing

if TYPE_CHECKING:
    from refinebio_assets.lake.store import Lake

SAFE_AGE = timedelta(days=1)
# A writer goes from its last file to its record in seconds, or in the time of one large upload.
LEAST_AGE = timedelta(hours=1)
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


class OrphanKind(StrEnum):
    """What was left behind."""

    STAGING = "staging"
    OUTPUT = "uncommitted output"


@dataclass(frozen=True, slots=True)
class Orphan:
    """Something that no commit names and nobody works on: its path, when it last changed, its bytes.

    ``path`` is under the lake's root, except for the staging folder of a remote lake, which is local.
    """

    kind: OrphanKind
    path: str
    modified: datetime
    size: int


def orphans(lake: Lake, older_than: timedelta = SAFE_AGE) -> list[Orphan]:
    """List staging folders and uncommitted outputs in which nothing changed for ``older_than``.

    Raises RequestError for less than an hour: a slow writer may be between its files and its record.
    """
    if older_than < LEAST_AGE:
        raise RequestError(f"left-overs younger than {LEAST_AGE} may belong to a running process")
    latest = lake.now() - older_than
    found = [*_staged(lake), *_uncommitted(lake)]
    return [orphan for orphan in found if orphan.modified < latest]


def sweep(lake: Lake, older_than: timedelta = SAFE_AGE) -> list[Orphan]:
    """Remove what ``orphans`` lists, and return it. Committed files are never touched."""
    removed = []
    staging = LocalStorage(lake.storage.scratch.parent)
    for orphan in orphans(lake, older_than):
        if orphan.kind == OrphanKind.STAGING:
            staging.remove(f"{lake.storage.scratch.name}/{Path(orphan.path).name}")
        elif lake.storage.size(_entry_of(orphan.path).path) is None:
            lake.storage.remove(orphan.path)
        else:
            continue
        removed.append(orphan)
    return removed


def remove_commits(lake: Lake, commits: Iterable[Commit]) -> int:
    """Remove commits on purpose, with the files that came with them; return how many bytes those had.

    Raw files and files of other commits that they share stay. A commit whose files another commit attached
    must not be removed. The record goes first, so what a kill leaves behind is swept, and the oldest first,
    so that a partition that loses all is never headed by an older commit than before.
    """
    size = 0
    for commit in sorted(commits, key=lambda commit: commit.id):
        remove_entry(lake, commit.entry)
        size += own_size(commit)
    return size


def remove_entry(lake: Lake, entry: LogEntry) -> None:
    """Remove a record, then the files that came with its commit."""
    lake.storage.remove(entry.path)
    lake.storage.remove(entry.folder)


def own_size(commit: Commit) -> int:
    """Return the bytes of the files that came with a commit; those that it shares are not counted."""
    own = f"{commit.entry.folder}/"
    return sum(file.size for file in commit.files if file.path.startswith(own))


def _staged(lake: Lake) -> list[Orphan]:
    scratch = lake.storage.scratch
    if not scratch.is_dir():
        return []
    local = LocalStorage(scratch)
    found = []
    for name in local.names(""):
        path = scratch / name
        with storing(f"looking at {path}"):
            files = [*local.tree(name).values(), found_at(str(path))]
        shown = f"staging/{name}" if lake.is_local else str(path)
        found.append(_orphan(OrphanKind.STAGING, shown, files))
    return found


def _uncommitted(lake: Lake) -> list[Orphan]:
    found = []
    for part in lake.storage.names("assets"):
        # Files first, then records: a commit made meanwhile is seen by its record.
        outputs = _outputs(lake, part)
        committed = {
            f"{partition}/{commit_id_of(name)}"
            for partition, name in lake.storage.grandchildren(f"log/{part}")
            if commit_id_of(name)
        }
        for output, files in outputs.items():
            if output not in committed:
                began = Found(0, commit_moment(output.rpartition("/")[2]))
                found.append(_orphan(OrphanKind.OUTPUT, f"assets/{part}/{output}", [*files, began]))
    return found


def _outputs(lake: Lake, asset_part: str) -> dict[str, list[Found]]:
    """Return the files of each output folder of an asset, by "partition part/commit id"."""
    outputs: dict[str, list[Found]] = {}
    for path, found in lake.storage.tree(f"assets/{asset_part}").items():
        parts = path.split("/")
        if len(parts) > 2 and is_commit_id(parts[1]):
            outputs.setdefault(f"{parts[0]}/{parts[1]}", []).append(found)
    return outputs


def _orphan(kind: OrphanKind, path: str, files: Iterable[Found]) -> Orphan:
    found = list(files)
    modified = max(file.modified or _LONG_AGO for file in found)
    return Orphan(kind, path, modified, sum(file.size for file in found))


def _entry_of(output: str) -> LogEntry:
    _, asset_part, partition_part, commit_id = output.split("/")
    return LogEntry(asset_part, partition_part, commit_id)
