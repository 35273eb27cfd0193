"""What separates a catalog from the commit log: what is new, what is gone, what is damaged.

Commits are taken whole or not at all: one that cannot be read is left out and reported, and its
partition shows its newest sound commit. What DuckDB does with the changes is in `loading.py`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from refinebio_assets.errors import NotFoundError, PermanentError, StorageError
from refinebio_assets.lake.arrays import build_array
from refinebio_assets.lake.content import HINT
from refinebio_assets.lake.naming import decode_name
from refinebio_assets.lake.parquet import rows_table
from refinebio_assets.lake.records import Commit, LogEntry
from refinebio_assets.lake.schema import COMMITS, TABLES
from refinebio_assets.lake.storage import storing
from refinebio_assets.lake.table import Scope, Table

if TYPE_CHECKING:
    import pyarrow as pa

    from refinebio_assets.lake.store import Lake

UNLISTED_ASSETS: Mapping[str, str] = {
    "sample_quantification": "it has one partition for each sample, millions in a large lake, and the "
    "`results` of experiments name the same samples and versions"
}

_COMMITS_AT_ONCE = 200
# Reading a small Parquet file takes 0.63 ms with one thread and 0.35 with two (two cores); from a
# bucket it waits 20 to 100 ms for the server.
_LOCAL_THREADS = 2
_REMOTE_THREADS = 16


@dataclass(frozen=True, slots=True)
class Problem:
    """A commit that could not be read, and why."""

    commit_id: str
    asset: str
    partition: str
    problem: str


@dataclass(frozen=True, slots=True)
class Known:
    """What a catalog holds: (asset, partition, is current) of each commit id, and its problems."""

    commits: Mapping[str, tuple[str, str, bool]] = field(default_factory=dict)
    problems: frozenset[Problem] = frozenset()

    @property
    def seen(self) -> set[str]:
        """The ids of all commits that it loaded or reported."""
        return set(self.commits) | {problem.commit_id for problem in self.problems}


@dataclass(slots=True)
class Change:
    """Ids of commits: ``gone`` ones leave the catalog, ``added`` ones come (some of them again).

    ``superseded`` ones stay, no longer current. ``problems`` are all there are now.
    """

    gone: set[str]
    added: set[str] = field(default_factory=set)
    superseded: set[str] = field(default_factory=set)
    problems: set[Problem] = field(default_factory=set)


class StagedRows:
    """New rows on their way into DuckDB: one Parquet file a table, in a folder of the caller's.

    Not Arrow in memory, as handing that to DuckDB imports pandas (0.5 to 2 s).
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._writers: dict[str, Any] = {}

    def add(self, name: str, rows: pa.Table) -> None:
        """Append rows to the file of a table. Raises StorageError."""
        import pyarrow.parquet as pq

        with storing(f"staging rows in {self._folder}"):
            if name not in self._writers:
                self._writers[name] = pq.ParquetWriter(self._path(name), rows.schema, compression="zstd")
            self._writers[name].write_table(rows)

    def close(self) -> None:
        """Finish all files. Raises StorageError."""
        with storing(f"staging rows in {self._folder}"):
            for writer in self._writers.values():
                writer.close()

    def path(self, name: str) -> Path | None:
        """Return the file with a table's staged rows, or None when it has none."""
        return self._path(name) if name in self._writers else None

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}.parquet"


def stage_changes(lake: Lake, entries: Sequence[LogEntry], known: Known, staged: StagedRows) -> Change:
    """Compare the log with a catalog, read what is new, and stage its rows.

    A damaged commit becomes a problem and is tried again each time. Raises StorageError when a remote
    lake is away, as that says nothing about its commits.
    """
    gone = _gone(entries, known)
    fresh = [entry for entry in entries if entry.id not in known.commits or entry.id in gone]
    # Newest first: the first sound commit of a partition is its head, the others are not.
    fresh.sort(key=lambda entry: entry.id, reverse=True)
    stager = _Stager(known, Change(gone), staged)
    threads = _LOCAL_THREADS if lake.is_local else _REMOTE_THREADS
    with ThreadPoolExecutor(threads) as pool:
        for start in range(0, len(fresh), _COMMITS_AT_ONCE):
            outcomes = pool.map(partial(_read_commit, lake), fresh[start : start + _COMMITS_AT_ONCE])
            stager.stage(outcome for outcome in outcomes if outcome is not None)
    change = stager.change
    # A stray copy of a record beside the sound original is no news about that commit.
    change.problems = {problem for problem in change.problems if problem.commit_id not in change.added}
    return change


def _gone(entries: Sequence[LogEntry], known: Known) -> set[str]:
    """Return the known commits to forget: all of each partition that lost one, as an older may head it."""
    listed = {entry.id for entry in entries}
    touched = {known.commits[commit_id][:2] for commit_id in known.commits.keys() - listed}
    return {commit_id for commit_id, commit in known.commits.items() if touched and commit[:2] in touched}


@dataclass(frozen=True, slots=True)
class _Loaded:
    commit: Commit
    tables: Mapping[str, pa.Table]


def _read_commit(lake: Lake, entry: LogEntry) -> _Loaded | Problem | None:
    """Return a commit with its tables, why it cannot be read, or None when it was removed meanwhile."""
    try:
        commit = lake.read(entry)
        missing = lake.missing_files(commit, tables=False)
        if missing:
            raise NotFoundError(f"{len(missing):,} files are lost or cut: {', '.join(missing[:5])}")
        tables = {name: lake.read_table(commit, name) for name in commit.tables if name in TABLES}
        return _Loaded(commit, tables)
    except PermanentError as error:
        return _problem(entry, error) if lake.storage.size(entry.path) is not None else None
    except StorageError as error:
        if not lake.is_local:
            raise
        return _problem(entry, error)


def _problem(entry: LogEntry, error: Exception) -> Problem:
    asset, partition = (decode_name(part) or part for part in (entry.asset_part, entry.partition_part))
    return Problem(entry.id, asset, partition, str(error).removesuffix(HINT))


class _Stager:
    """Decides which commits are current, and stages the rows that the catalog shows of each."""

    def __init__(self, known: Known, change: Change, staged: StagedRows) -> None:
        self.change = change
        self._known = known
        self._staged = staged
        self._heads = {
            (asset, partition): commit_id
            for commit_id, (asset, partition, is_current) in known.commits.items()
            if is_current and commit_id not in change.gone
        }

    def stage(self, outcomes: Iterable[_Loaded | Problem]) -> None:
        """Stage some commits, which must come newest first."""
        commits: list[dict[str, Any]] = []
        parts: dict[str, list[tuple[dict[str, Any], pa.Table]]] = defaultdict(list)
        inputs: list[tuple[dict[str, Any], Commit]] = []
        for outcome in outcomes:
            if isinstance(outcome, Problem):
                self.change.problems.add(outcome)
                continue
            commit = outcome.commit
            is_current = self._take_head(commit)
            self.change.added.add(commit.id)
            commits.append(_commit_row(commit, is_current))
            for name, rows in outcome.tables.items():
                if is_current or TABLES[name].scope == Scope.HISTORY:
                    parts[name].append((_added_values(commit, is_current), rows))
            inputs.append((_added_values(commit, is_current), commit))
        parts["lineage"] += _lineage(inputs)
        if commits:
            for name, rows_of_commits in parts.items():
                self._staged.add(name, _joined(TABLES[name], rows_of_commits))
            self._staged.add(COMMITS.name, rows_table(COMMITS, commits))

    def _take_head(self, commit: Commit) -> bool:
        key = (commit.asset, commit.partition)
        head = self._heads.get(key)
        if head is not None and head > commit.id:
            return False
        if head is not None:
            self.change.superseded.add(head)
        self._heads[key] = commit.id
        return True


def _lineage(
    commits: Sequence[tuple[dict[str, Any], Commit]],
) -> Iterable[tuple[dict[str, Any], pa.Table]]:
    """Return the inputs that commits name as rows of ``lineage``, one part a commit."""
    rows = [
        {
            "output_asset": commit.asset,
            "output_partition": commit.partition,
            "output_version": commit.version,
            "input_asset": ref.asset,
            "input_partition": ref.partition,
            "input_version": ref.version,
        }
        for _, commit in commits
        for ref in commit.inputs
    ]
    joined, start = rows_table(TABLES["lineage"], rows), 0
    for added, commit in commits:
        yield added, joined.slice(start, len(commit.inputs))
        start += len(commit.inputs)


def _commit_row(commit: Commit, is_current: bool) -> dict[str, Any]:
    names = ("id", "asset", "partition", "version", "code_version", "created_at", "run_id", "software")
    return {name: getattr(commit, name) for name in names} | {"is_current": is_current}


def _added_values(commit: Commit, is_current: bool) -> dict[str, Any]:
    return {
        "commit_id": commit.id,
        "asset": commit.asset,
        "partition": commit.partition,
        "is_current": is_current,
    }


def _joined(table: Table, parts: Sequence[tuple[Mapping[str, Any], pa.Table]]) -> pa.Table:
    """Return the rows of several commits as one, with the columns that say which commit each is from."""
    import pyarrow as pa

    joined = pa.concat_tables([rows for _, rows in parts])
    for column in table.added_columns:
        values = build_array(column.type, [added[column.name] for added, _ in parts])
        chunks = [pa.repeat(value, rows.num_rows) for value, (_, rows) in zip(values, parts, strict=True)]
        joined = joined.append_column(column.name, pa.chunked_array(chunks, values.type))
    return joined
