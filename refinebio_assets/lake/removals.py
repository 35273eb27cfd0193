"""Versions that were removed on purpose: what people are told who ask for one.

What may be removed is decided in ``pipelines/garbage``; the records of it are in `removal_records.py`, and
what is being removed is on show in `removal_notices.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from refinebio_assets.domain import counted
from refinebio_assets.lake.removal_notices import posted_notices
from refinebio_assets.lake.removal_records import read_removals
from refinebio_assets.lake.removal_tables import REMOVALS, REMOVED_FILE, Row

if TYPE_CHECKING:
    from refinebio_assets.lake.store import Lake

_READ_AT_ONCE = 16


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody misses: a partition's version (or the start of one), its commit, or any at all."""

    asset: str
    partition: str
    version: str = ""
    commit_id: str = ""

    def meant(self, row: Row) -> bool:
        """Tell whether a row of the table ``removals`` is of this."""
        return (
            (row["removed_asset"], row["removed_partition"]) == (self.asset, self.partition)
            and row["removed_version"].startswith(self.version)
            and self.commit_id in ("", row["removed_commit"])
        )


def removal_note(lake: Lake, asset: str, partition: str, *, version: str = "", commit_id: str = "") -> str:
    """Say that a version of a partition was removed, and when, as the end of a message; or nothing.

    ``version`` may be the start of one; without it and ``commit_id`` the partition's removed versions are
    counted.
    """
    return removal_notes(lake, [Asked(asset, partition, version, commit_id)])[0]


def removal_notes(lake: Lake, asked: Sequence[Asked]) -> list[str]:
    """Say of each, in order, what ``removal_note`` does; the records are read once."""
    found = list(removed_rows(lake, {item.partition for item in asked})) if asked else []
    return [_note(lake, item, [row for row in found if item.meant(row)]) for item in asked]


def removed_rows(lake: Lake, partitions: Iterable[str]) -> Iterator[Row]:
    """Yield what is on record, or on show, as removed of partitions with these names, oldest first.

    What is on show may still be there.
    """
    wanted = set(partitions)
    entries = sorted(lake.entries(REMOVALS), key=lambda entry: entry.id)
    with ThreadPoolExecutor(_READ_AT_ONCE) as pool:
        for rows in pool.map(lambda entry: read_removals(lake, entry, wanted), entries):
            yield from rows or ()
    for notice in posted_notices(lake):
        yield from (row for row in notice.rows if row["removed_partition"] in wanted)


def _note(lake: Lake, asked: Asked, found: Sequence[Row]) -> str:
    there = {commit.id for commit in lake.history(asked.asset, asked.partition)} if found else set()
    # Two removals at once may both have a version on record.
    gone = {row["removed_commit"]: row for row in found if row["removed_commit"] not in there}
    if not gone:
        return ""
    if asked.version or asked.commit_id:
        return f"; {removal_sentence([*gone.values()][-1])}"
    versions = counted(len(gone), "earlier version")
    verb = "was" if len(gone) == 1 else "were"
    return f"; {versions} of {asked.asset} of {asked.partition} {verb} removed"


def removal_sentence(row: Row) -> str:
    """Say of a row of ``removed_versions`` what is gone, since when, and why."""
    if row["removed_asset"] == REMOVED_FILE:
        what = f"the raw file {row['removed_partition'][:12]}"
    else:
        what = (
            f"version {row['removed_version'][:12]} of {row['removed_asset']} of {row['removed_partition']}"
        )
    return f"{what} was removed on {row['removed_at']:%Y-%m-%d}: {row['why']}"
