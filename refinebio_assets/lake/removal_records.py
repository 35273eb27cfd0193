"""What was removed on purpose, on record: a commit after each batch, its partition named by the moment.

What is about to go, and may be there yet, is in `removal_notices.py`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from refinebio_assets.errors import PermanentError
from refinebio_assets.lake.naming import commit_id_of, encode_name, object_path
from refinebio_assets.lake.records import Commit, LogEntry
from refinebio_assets.lake.removal_tables import REMOVALS, REMOVED_FILE, Row

if TYPE_CHECKING:
    from refinebio_assets.lake.store import Lake

CODE_VERSION = "2"
_LOG = f"log/{encode_name(REMOVALS)}"


def record_removals(lake: Lake, rows: Iterable[Row], run_id: str = "") -> Commit:
    """Keep on record what was removed."""
    moment = _partition(lake.now())
    with lake.draft(REMOVALS, moment) as draft:
        draft.write_table(REMOVALS, rows)
        return draft.commit(version=moment, code_version=CODE_VERSION, run_id=run_id)


def moments_of_removals(lake: Lake, since: datetime) -> list[str]:
    """Return the encoded partitions of all records since a moment: one listing, however many there are."""
    first = encode_name(_partition(since))
    return [part for part in lake.storage.names(_LOG) if part >= first]


def removals_since(lake: Lake, moment: datetime) -> list[LogEntry]:
    """Return the records since a moment, oldest first, unread."""
    return [
        LogEntry(encode_name(REMOVALS), part, commit_id)
        for part in moments_of_removals(lake, moment)
        for name in lake.storage.names(f"{_LOG}/{part}")
        if (commit_id := commit_id_of(name)) is not None
    ]


def read_removals(lake: Lake, entry: LogEntry, partitions: Collection[str] | None = None) -> list[Row] | None:
    """Return what a record says was removed, of these partitions or all; None where it is lost or damaged.

    A bad record must not keep people from an answer, or from work; `lake verify` names it.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    from refinebio_assets.lake.rows import table_rows

    try:
        table = lake.read_table(lake.read(entry), REMOVALS)
    except PermanentError:
        return None
    if partitions is not None:
        names = pa.array(sorted(partitions), pa.string())
        table = table.filter(pc.is_in(table["removed_partition"], value_set=names))
    return list(table_rows(table))


def removed_path(row: Row) -> str:
    """Return the path at which nothing is any more once a row is true: a record's or a raw file's."""
    if row["removed_asset"] == REMOVED_FILE:
        return object_path(row["removed_partition"])
    return _entry(row).path


def row_folder(row: Row) -> str | None:
    """Return the folder with the files of the commit that a row is of; None for a raw file."""
    return None if row["removed_asset"] == REMOVED_FILE else _entry(row).folder


def _entry(row: Row) -> LogEntry:
    asset, partition = encode_name(row["removed_asset"]), encode_name(row["removed_partition"])
    return LogEntry(asset, partition, row["removed_commit"])


def _partition(moment: datetime) -> str:
    """Return a moment as text that sorts by time."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")
