"""Keeping a lake sound: verify what is committed, find and remove what killed processes left behind.

What may be removed of what is committed is decided in ``pipelines/garbage``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from refinebio_assets.errors import RefinebioError, RequestError
from refinebio_assets.lake.content import verify_file
from refinebio_assets.lake.naming import (
    commit_id_of,
    commit_moment,
    encode_name,
    is_commit_id,
)
from refinebio_assets.lake.records import Commit, LogEntry, StoredFile
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


@dataclass(frozen=True, slots=True)
class VerifyProblem:
    """One file or record that is not what was committed. ``file`` is empty when the record is bad."""

    commit: str
    file: str
    problem: str


@dataclass(frozen=True, slots=True)
class VerifyReport:
    """What was read and compared, and what was wrong. A file that several commits share counts once."""

    commits: int
    files: int
    bytes: int
    problems: tuple[VerifyProblem, ...]


def verify_all(lake: Lake, assets: Iterable[str] | None = None) -> VerifyReport:
    """Read every file of every commit (of these assets) and compare checksums.

    Damage is reported, not raised; StorageError is raised only when the log cannot be listed.
    """
    wanted = None if assets is None else {encode_name(asset) for asset in assets}
    entries = [entry for entry in lake.log() if wanted is None or entry.asset_part in wanted]
    outcomes: dict[StoredFile, str] = {}
    problems = []
    for entry in entries:
        try:
            files = lake.read(entry).files
        except RefinebioError as error:
            problems.append(VerifyProblem(entry.path, "", str(error)))
            continue
        for file in files:
            if file not in outcomes:
                outcomes[file] = _outcome(lake, file)
            if outcomes[file]:
                problems.append(VerifyProblem(entry.path, file.name, outcomes[file]))
    read = {file.path: file.size for file in outcomes}
    return VerifyReport(len(entries), len(read), sum(read.values()), tuple(problems))


def _outcome(lake: Lake, file: StoredFile) -> str:
    try:
        verify_file(lake.storage, file)
    except RefinebioError as error:
        return str(error)
    return ""


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
        own = [file for file in commit.files if file.path.startswith(f"{commit.entry.folder}/")]
        lake.storage.remove(commit.entry.path)
        lake.storage.remove(commit.entry.folder)
        size += sum(file.size for file in own)
    return size


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
