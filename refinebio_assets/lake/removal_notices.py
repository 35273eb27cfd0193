"""What is about to be removed, on show before it goes, so that a commit that comes at that moment finds out.

Who removes versions posts a notice, then looks which commits there are, removes what none of them uses, puts
on record what went and takes the notice down. Who commits writes the record, then looks for notices. So one
of the two sees the other, whichever is first, wherever a file that was written is listed at once: on disks
and in buckets, not through a network mount that remembers old listings. A commit that uses what is on show
takes itself back. One whose writer is killed, or loses the storage, before it has looked stays as it is.

A notice outlives its writer when that is killed; then it tells the next one what to put on record.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import compress
from typing import TYPE_CHECKING
from uuid import uuid4

from refinebio_assets.domain import some_of
from refinebio_assets.errors import FormatError, NotFoundError, RemovedMeanwhileError
from refinebio_assets.lake.naming import RECORD_SUFFIX, commit_id_of, commit_moment, new_commit_id
from refinebio_assets.lake.records import Commit, InputRef
from refinebio_assets.lake.removal_records import (
    moments_of_removals,
    read_removals,
    removals_since,
    removed_path,
    row_folder,
)
from refinebio_assets.lake.removal_tables import REMOVED_FILE, TIMES, Row

if TYPE_CHECKING:
    from refinebio_assets.lake.store import Lake

FOLDER = "removing"
LIFE = timedelta(hours=1)
"""Nobody removes by a notice that is older, so commits need not heed it."""
CLOCKS = timedelta(minutes=30)
"""The clocks of two machines may differ by less."""
LONGEST_RUN = timedelta(days=30)
"""What a commit uses was found in less time before, so it was there then; what `gc` waits by default."""
_FORMAT = 1
_SHOWN = 3
_REQUESTS_AT_ONCE = 16


@dataclass(frozen=True, slots=True)
class Notice:
    """Rows of the table ``removals`` that are about to become true, and since when they are on show."""

    path: str
    posted_at: datetime
    rows: Sequence[Row]


def post_notice(lake: Lake, rows: Sequence[Row]) -> Notice:
    """Show what is about to be removed."""
    moment = lake.now()
    name = new_commit_id(moment, uuid4().hex[:8])
    notice = Notice(f"{FOLDER}/{name}{RECORD_SUFFIX}", moment, rows)
    content = {"format": _FORMAT, "rows": [dict(row) for row in rows]}
    lake.storage.put_bytes(json.dumps(content, default=datetime.isoformat).encode(), notice.path)
    return notice


def posted_notices(lake: Lake, *, in_force: bool = False) -> Iterator[Notice]:
    """Yield all notices, or only those by which something may be removed yet; others are not read.

    A notice's name tells when it was posted; files with other names are nobody's notices. Raises FormatError
    for a damaged one, or one of a newer format.
    """
    for name in lake.storage.names(FOLDER):
        notice_id = commit_id_of(name)
        if notice_id is None:
            continue
        posted_at, path = commit_moment(notice_id), f"{FOLDER}/{name}"
        if in_force and is_over(lake, posted_at):
            continue
        try:
            data = lake.storage.read(path)
        except NotFoundError:
            continue  # It was taken down meanwhile.
        yield Notice(path, posted_at, _read_rows(data, path))


def is_over(lake: Lake, posted_at: datetime) -> bool:
    """Tell whether a notice is so old that nobody removes by it any more."""
    return lake.now() - posted_at > LIFE


def take_down(lake: Lake, notice: Notice) -> None:
    """Remove a notice."""
    lake.storage.remove(notice.path)


def require_kept(lake: Lake, commit: Commit, needs: Iterable[Commit]) -> None:
    """Raise RemovedMeanwhileError if what a commit uses was removed, or is about to be.

    That is the files of others that it lists, its inputs, and ``needs``. To be called once its record can be
    seen. Where nothing was removed for long, two listings are all that is looked at.
    """
    own = f"{commit.entry.folder}/"
    paths = {file.path for file in commit.files if not file.path.startswith(own)}
    paths |= {other.entry.path for other in needs}
    if not paths and not commit.inputs:
        return
    notices = list(posted_notices(lake, in_force=True))
    # After the notices: what is taken down meanwhile is on record already.
    if not notices and not moments_of_removals(lake, commit.created_at - LONGEST_RUN):
        return
    names = {ref.partition for ref in commit.inputs}
    lately = [read_removals(lake, entry, names) for entry in removals_since(lake, commit.created_at - CLOCKS)]
    rows = [row for notice in notices for row in notice.rows] + [row for some in lately for row in some or ()]
    lost = [*absent_paths(lake, sorted(paths)), *_announced(lake, paths, commit.inputs, rows)]
    if None in lately:
        # What went is not known, but what is there is.
        lost += _missing(lake, commit.inputs)
    if lost:
        raise RemovedMeanwhileError(
            f"{commit} is not kept: what it was made from, and nothing used before, was removed or is about "
            f"to be: {some_of(lost, _SHOWN)}. Asked for again, it is made of what is there"
        )


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
    used = set(inputs)
    for row in rows:
        version = InputRef(row["removed_asset"], row["removed_partition"], row["removed_version"])
        if (
            removed_path(row) in paths
            or row_folder(row) in folders
            or (version in used and not _has_commit(lake, version, going))
        ):
            yield _shown(version)


def _shown(version: InputRef) -> str:
    return f"{version.asset}[{version.partition}] {version.version[:12]}"


def _missing(lake: Lake, inputs: Sequence[InputRef]) -> Iterator[str]:
    """Yield the inputs that are not there."""
    for ref in inputs:
        is_file = ref.asset == REMOVED_FILE
        if not (lake.has_object(ref.partition) if is_file else _has_commit(lake, ref)):
            yield _shown(ref)


def _has_commit(lake: Lake, version: InputRef, going: Collection[str] = ()) -> bool:
    """Tell whether a version is there by a commit that stays."""
    history = lake.history(version.asset, version.partition)
    return any(other.version == version.version and other.id not in going for other in history)


def _read_rows(data: bytes, path: str) -> list[Row]:
    try:
        content = json.loads(data)
        form = content["format"]
        rows: list[Row] = [
            {name: _time(value) if name in TIMES else value for name, value in row.items()}
            for row in content["rows"]
        ]
    except (ValueError, KeyError, TypeError) as error:
        raise FormatError(path, expected="a notice of removal", found=str(error)) from error
    if form != _FORMAT:
        raise FormatError(path, expected=f"a notice of removal, format {_FORMAT}", found=f"format {form!r}")
    return rows


def _time(value: str | None) -> datetime | None:
    return None if value is None else datetime.fromisoformat(value)
