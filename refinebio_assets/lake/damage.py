"""What is damaged or lost in a lake: finding it by reading everything, and moving it out of the way.

What is set aside counts as lost, so that it is made again. How that is asked for is said in
``pipelines/remedies``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from refinebio_assets.errors import (
    CorruptionError,
    FormatError,
    NewerFormatError,
    NotFoundError,
    RefinebioError,
)
from refinebio_assets.lake.content import verify_file
from refinebio_assets.lake.naming import commit_id_of, encode_name
from refinebio_assets.lake.records import LogEntry, StoredFile
from refinebio_assets.lake.store import DAMAGED

if TYPE_CHECKING:
    from refinebio_assets.lake.store import Lake

_MOMENT_FORMAT = "%Y%m%dT%H%M%SZ"
_PARTS_OF_A_RECORD = 3


class Damage(StrEnum):
    """What is wrong with a file or record."""

    LOST = "lost"
    CONTENT = "damaged"
    RECORD = "damaged record"
    NEWER = "record of newer software"
    UNREADABLE = "not readable"


@dataclass(frozen=True, slots=True)
class VerifyProblem:
    """One file or record that is not what was committed.

    ``file`` is its name in the commit and ``stored`` the file itself, empty and None where the record is
    bad; ``is_newest`` tells whether the commit is its partition's newest.
    """

    entry: LogEntry
    file: str
    problem: str
    damage: Damage
    is_newest: bool
    stored: StoredFile | None = None

    @property
    def commit(self) -> str:
        """The path of the commit's record."""
        return self.entry.path

    @property
    def path(self) -> str:
        """Where what is damaged lies under the lake's root."""
        return self.stored.path if self.stored else self.entry.path


@dataclass(frozen=True, slots=True)
class VerifyReport:
    """What was read and compared, and what was wrong. A file that several commits share counts once."""

    commits: int
    files: int
    bytes: int
    problems: tuple[VerifyProblem, ...]


def verify_all(lake: Lake, assets: Iterable[str] | None = None) -> VerifyReport:
    """Read every file of every commit (of these assets) and compare checksums; nothing is changed.

    Damage is reported, not raised; StorageError is raised only when the log cannot be listed.
    """
    wanted = None if assets is None else {encode_name(asset) for asset in assets}
    entries = [entry for entry in lake.log() if wanted is None or entry.asset_part in wanted]
    newest: dict[tuple[str, str], str] = {}
    for entry in entries:
        place = (entry.asset_part, entry.partition_part)
        newest[place] = max(newest.get(place, ""), entry.id)
    outcomes: dict[StoredFile, tuple[Damage, str] | None] = {}
    problems = []
    for entry in entries:
        is_newest = newest[entry.asset_part, entry.partition_part] == entry.id
        try:
            files = lake.read(entry).files
        except NotFoundError:
            continue  # removed meanwhile, on purpose
        except RefinebioError as error:
            problems.append(VerifyProblem(entry, "", str(error), _damage(error), is_newest))
            continue
        for file in files:
            if file not in outcomes:
                outcomes[file] = _outcome(lake, file)
            outcome = outcomes[file]
            if outcome is not None:
                problems.append(VerifyProblem(entry, file.name, outcome[1], outcome[0], is_newest, file))
    problems = [problem for problem in problems if not _was_removed(lake, problem)]
    problems += [
        VerifyProblem(entry, "", f"{entry.path}: this record was set aside", Damage.LOST, is_newest=True)
        for path, entry in unmade(lake).items()
        if path == entry.path and (wanted is None or entry.asset_part in wanted)
    ]
    read = {file.path: file.size for file in outcomes}
    return VerifyReport(len(entries), len(read), sum(read.values()), tuple(problems))


def _was_removed(lake: Lake, problem: VerifyProblem) -> bool:
    """Tell whether a file is lost because its commit was removed on purpose while others were read."""
    return problem.damage is Damage.LOST and lake.storage.size(problem.entry.path) is None


def set_aside(lake: Lake, problems: Iterable[VerifyProblem]) -> Iterator[tuple[str, str]]:
    """Move what is damaged to ``damaged/<moment>/<its path>``, yielding (path, new path) after each move.

    Each is read again first: what was made whole, or set aside, meanwhile stays. With a record go the files
    that came with its commit, it last, so that an interrupted pass is taken up by the next. Of a lost file an
    empty one is put there, as a note that its loss is known. Records of newer software and what cannot be
    read now are left alone. Raises StorageError.
    """
    moment = lake.now().strftime(_MOMENT_FORMAT)
    problems = list(problems)
    by_path = {problem.path: problem for problem in problems}
    lost = {item.path for item in problems if item.damage is Damage.LOST and item.stored is not None}
    for path in lost - lake.set_aside_paths():
        lake.storage.put_bytes(b"", f"{DAMAGED}/{moment}/{path}")
    # Files before records: what a record names is found as long as it can be read.
    for problem in sorted(by_path.values(), key=lambda problem: problem.damage is Damage.RECORD):
        for path in _to_move(lake, problem):
            target = f"{DAMAGED}/{moment}/{path}"
            try:
                lake.storage.move(path, target)
            except NotFoundError:
                continue
            yield path, target


def unmade(lake: Lake) -> dict[str, LogEntry]:
    """Return what was set aside of newest versions and is not made again: the path before, and the commit.

    A newest version is also one whose record was set aside, as long as none was made since. Raw files, which
    commits share, are not told.
    """
    aside = {path: entry for path in lake.set_aside_paths() if (entry := _entry_at(path)) is not None}
    places = {(entry.asset_part, entry.partition_part) for entry in aside.values()}
    newest = {place: max((entry.id for entry in lake.entries_at(*place)), default="") for place in places}
    return {
        path: entry
        for path, entry in sorted(aside.items())
        if entry.id >= newest[entry.asset_part, entry.partition_part] and lake.storage.size(path) is None
    }


def _entry_at(path: str) -> LogEntry | None:
    """Return the commit that a record, or a file that came with it, is of."""
    kind, *parts = path.split("/")
    if kind not in ("assets", "log") or len(parts) < _PARTS_OF_A_RECORD:
        return None
    asset, partition, name, *_ = parts
    commit_id = commit_id_of(name) if kind == "log" else name
    return LogEntry(asset, partition, commit_id) if commit_id is not None else None


def _to_move(lake: Lake, problem: VerifyProblem) -> list[str]:
    if problem.damage is Damage.CONTENT and problem.stored is not None:
        outcome = _outcome(lake, problem.stored)
        return [problem.path] if outcome is not None and outcome[0] is Damage.CONTENT else []
    if problem.damage is not Damage.RECORD:
        return []
    try:
        lake.read(problem.entry)
    except RefinebioError as error:
        if _damage(error) is not Damage.RECORD:
            return []
    else:
        return []
    folder = problem.entry.folder
    return [*(f"{folder}/{name}" for name in sorted(lake.storage.tree(folder))), problem.path]


def _outcome(lake: Lake, file: StoredFile) -> tuple[Damage, str] | None:
    """Return what is wrong with a file, and how that is told; None when nothing is."""
    try:
        verify_file(lake.storage, file)
    except RefinebioError as error:
        return _damage(error), str(error)
    return None


def _damage(error: RefinebioError) -> Damage:
    match error:
        case NotFoundError():
            return Damage.LOST
        case CorruptionError():
            return Damage.CONTENT
        case NewerFormatError():
            return Damage.NEWER
        case FormatError():
            return Damage.RECORD
        case _:
            return Damage.UNREADABLE
