"""What is about to be removed, on show before it goes, so that a commit that comes at that moment finds out.

Who removes versions posts a notice, then looks which commits there are, removes what none of them uses, puts
on record what went and takes the notice down. Who commits writes the record, then looks for notices. So one
of the two sees the other, whichever is first, wherever a file that was written is listed at once: on disks
and in buckets, not through a network mount that remembers old listings. A commit that uses what is on show
takes itself back.

A notice outlives its writer when that is killed; then it tells the next one what to put on record.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import compress
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from refinebio_assets.domain import some_of
from refinebio_assets.errors import FormatError, NotFoundError, RemovedMeanwhileError
from refinebio_assets.lake.naming import commit_moment, encode_name, object_path
from refinebio_assets.lake.records import Commit, InputRef, LogEntry
from refinebio_assets.lake.removal_tables import REMOVED_FILE, TIMES

if TYPE_CHECKING:
    from refinebio_assets.lake.store import Lake

FOLDER = "removing"
RECORDS = "removals"
"""The asset, and the table, that has what was removed."""
LIFE = timedelta(hours=1)
"""Nobody removes by a notice that is older, so commits need not heed it."""
CLOCKS = timedelta(minutes=30)
"""The clocks of two machines may differ by less."""
_FORMAT = 1
_SHOWN = 3
_REQUESTS_AT_ONCE = 16
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Notice:
    """Rows of the table ``removals`` that are about to become true, and since when they are on show."""

    path: str
    posted_at: datetime
    rows: Sequence[Row]


def post_notice(lake: Lake, rows: Sequence[Row]) -> Notice:
    """Show what is about to be removed."""
    moment = lake.now()
    notice = Notice(f"{FOLDER}/{uuid4().hex}.json", moment, rows)
    content = {"format": _FORMAT, "posted_at": moment, "rows": [dict(row) for row in rows]}
    lake.storage.put_bytes(json.dumps(content, default=datetime.isoformat).encode(), notice.path)
    return notice


def posted_notices(lake: Lake) -> Iterator[Notice]:
    """Yield all notices. Raises FormatError for one of a newer format."""
    for name in lake.storage.names(FOLDER):
        try:
            data = lake.storage.read(f"{FOLDER}/{name}")
        except NotFoundError:
            continue  # It was taken down meanwhile.
        yield _read_notice(data, f"{FOLDER}/{name}")


def is_over(lake: Lake, notice: Notice) -> bool:
    """Tell whether a notice is so old that nobody removes by it any more."""
    return lake.now() - notice.posted_at > LIFE


def take_down(lake: Lake, notice: Notice) -> None:
    """Remove a notice."""
    lake.storage.remove(notice.path)


def removed_path(row: Row) -> str:
    """Return the path at which nothing is any more once a row is true: a record's or a raw file's."""
    if row["removed_asset"] == REMOVED_FILE:
        return object_path(row["removed_partition"])
    return _entry(row).path


def row_folder(row: Row) -> str | None:
    """Return the folder with the files of the commit that a row is of; None for a raw file."""
    return None if row["removed_asset"] == REMOVED_FILE else _entry(row).folder


def require_kept(lake: Lake, commit: Commit, needs: Iterable[Commit]) -> None:
    """Raise RemovedMeanwhileError if what a commit uses was removed, or is about to be.

    That is the files of others that it lists, its inputs, and ``needs``. To be called once its record can be
    seen. Where nothing was ever removed, two listings are all that is looked at.
    """
    own = f"{commit.entry.folder}/"
    paths = {file.path for file in commit.files if not file.path.startswith(own)}
    paths |= {other.entry.path for other in needs}
    if not paths and not commit.inputs:
        return
    notices = [notice for notice in posted_notices(lake) if not is_over(lake, notice)]
    # After the notices: what is taken down meanwhile is on record already.
    records = list(lake.entries(RECORDS))
    if not notices and not records:
        return
    rows = [row for notice in notices for row in notice.rows]
    rows += _recorded(lake, records, commit)
    lost = [*absent_paths(lake, sorted(paths)), *_announced(lake, paths, commit.inputs, rows)]
    if lost:
        raise RemovedMeanwhileError(
            f"{commit} is not kept: `refinebio-assets gc` removes what it was made from and nothing used "
            f"before: {some_of(lost, _SHOWN)}. Asked for again, it is made of what is there"
        )


def _recorded(lake: Lake, entries: Iterable[LogEntry], commit: Commit) -> Iterator[Row]:
    """Yield what was removed of the inputs' partitions since shortly before a commit."""
    since = commit.created_at - CLOCKS
    lately = [entry for entry in entries if commit_moment(entry.id) >= since]
    if not lately:
        return
    import pyarrow as pa
    import pyarrow.compute as pc

    from refinebio_assets.lake.rows import table_rows

    names = pa.array(sorted({ref.partition for ref in commit.inputs}), pa.string())
    for record in lake.read_all(lately):
        rows = lake.read_table(record, RECORDS)
        yield from table_rows(rows.filter(pc.is_in(rows["removed_partition"], value_set=names)))


def absent_paths(lake: Lake, paths: Sequence[str]) -> list[str]:
    """Return those of some paths at which there is no file; many are asked for at once in a bucket."""
    if lake.is_local:
        return [path for path in paths if lake.storage.size(path) is None]
    with ThreadPoolExecutor(_REQUESTS_AT_ONCE) as pool:
        return list(compress(paths, (size is None for size in pool.map(lake.storage.size, paths))))


def _announced(lake: Lake, paths: set[str], inputs: Sequence[InputRef], rows: Sequence[Row]) -> Iterator[str]:
    """Yield what is used and on show."""
    folders = {"/".join(path.split("/", 4)[:4]) for path in paths}
    going = {row["removed_commit"] for row in rows}
    used = {(ref.asset, ref.partition, ref.version) for ref in inputs}
    for row in rows:
        name = (row["removed_asset"], row["removed_partition"], row["removed_version"])
        if (
            removed_path(row) in paths
            or row_folder(row) in folders
            or (name in used and not _has_twin(lake, row, going))
        ):
            yield _shown(row)


def _shown(row: Row) -> str:
    return f"{row['removed_asset']}[{row['removed_partition']}] {row['removed_version'][:12]}"


def _has_twin(lake: Lake, row: Row, going: set[str]) -> bool:
    """Tell whether the same version is there by another commit, which stays."""
    history = lake.history(row["removed_asset"], row["removed_partition"])
    return any(other.version == row["removed_version"] and other.id not in going for other in history)


def _entry(row: Row) -> LogEntry:
    asset, partition = encode_name(row["removed_asset"]), encode_name(row["removed_partition"])
    return LogEntry(asset, partition, row["removed_commit"])


def _read_notice(data: bytes, path: str) -> Notice:
    try:
        content = json.loads(data)
        form = content["format"]
        rows = [
            {name: _time(value) if name in TIMES else value for name, value in row.items()}
            for row in content["rows"]
        ]
        notice = Notice(path, datetime.fromisoformat(content["posted_at"]), rows)
    except (ValueError, KeyError, TypeError) as error:
        raise FormatError(path, expected="a notice of removal", found=str(error)) from error
    if form != _FORMAT:
        raise FormatError(path, expected=f"a notice of removal, format {_FORMAT}", found=f"format {form!r}")
    return notice


def _time(value: str | None) -> datetime | None:
    return None if value is None else datetime.fromisoformat(value)
