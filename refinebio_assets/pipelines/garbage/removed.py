"""That a version was removed, when and why: what people are told who ask for it afterwards."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from refinebio_assets.lake.rows import read_rows
from refinebio_assets.lake.store import Commit, Lake

ASSET = "removals"
CODE_VERSION = "1"
TABLE = "removals"


def record_removals(lake: Lake, rows: Iterable[Mapping[str, Any]], run_id: str = "") -> Commit:
    """Keep on record what is about to be removed; it counts as removed once its commit is gone."""
    moment = lake.now().isoformat(timespec="microseconds")
    with lake.draft(ASSET, moment) as draft:
        draft.write_table(TABLE, rows)
        return draft.commit(version=moment, code_version=CODE_VERSION, run_id=run_id)


def removal_note(lake: Lake, asset: str, partition: str, *, version: str = "", commit_id: str = "") -> str:
    """Say that a version of a partition was removed, and when, as the end of a message; or nothing.

    ``version`` may be the start of one; without it and ``commit_id`` the partition's removed versions are
    counted.
    """
    found = [
        row
        for name in lake.partitions(ASSET)
        for removal in lake.history(ASSET, name)
        if not lake.missing_files(removal)
        for row in read_rows(lake, removal, TABLE)
        if (row["removed_asset"], row["removed_partition"]) == (asset, partition)
        and row["removed_version"].startswith(version)
        and commit_id in ("", row["removed_commit"])
    ]
    there = {commit.id for commit in lake.history(asset, partition)} if found else set()
    gone = [row for row in found if row["removed_commit"] not in there]
    if not gone:
        return ""
    if version or commit_id:
        return f"; {removal_sentence(gone[-1])}"
    return f"; `refinebio-assets gc` removed {len(gone):,} earlier versions of {asset} of {partition}"


def removal_sentence(row: Mapping[str, Any]) -> str:
    """Say of a row of ``removed_versions`` what is gone, since when, and why."""
    if row["removed_asset"] == "file":
        what = f"the raw file {row['removed_partition'][:12]}"
    else:
        what = (
            f"version {row['removed_version'][:12]} of {row['removed_asset']} of {row['removed_partition']}"
        )
    return f"`refinebio-assets gc` removed {what} on {row['removed_at']:%Y-%m-%d}: {row['why']}"
