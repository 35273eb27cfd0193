"""Carries out the plan of what `gc` removes: a batch at a time, each after a look at what came since.

What goes is never needed by a commit that stays, whenever that came:

- Before each batch the log is listed again, and what new commits use is spared, with all behind it.
- Before that look, the batch is put on show (`lake/removal_notices.py`). A commit that comes after the look
  finds it there and takes itself back, with an error that says to try again.
- What uses others goes before them, so a version that is still there, and may be used again, is whole.
- A version that was current when a run began, and that was superseded since, is not that old before the run
  ends (``Terms.older_than``), unless the run takes longer.

What went is put on record after each batch, and nothing else. When a removal is killed, its last batch
stays on show; the next one puts on record what went of it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta

from refinebio_assets.errors import RefinebioError, StorageError, StorageRefusedError
from refinebio_assets.lake.naming import encode_name
from refinebio_assets.lake.records import LogEntry
from refinebio_assets.lake.removal_notices import (
    Notice,
    absent_paths,
    is_over,
    post_notice,
    posted_notices,
    take_down,
)
from refinebio_assets.lake.removal_records import (
    read_removals,
    record_removals,
    removals_since,
    removed_path,
    row_folder,
)
from refinebio_assets.lake.removal_tables import REMOVED_FILE, Row
from refinebio_assets.lake.store import Lake
from refinebio_assets.pipelines.datasets.registry import ASSET as REQUESTS
from refinebio_assets.pipelines.garbage.collection import (
    Plan,
    RawContent,
    found_contents,
    is_old,
    needed_to_know,
)
from refinebio_assets.pipelines.garbage.marking import Candidate
from refinebio_assets.pipelines.progress import SILENT, Progress

LEAST_AT_ONCE = 1000
SHARE_AT_ONCE = 100
"""A hundredth of a log is removed in the time in which it is listed, for the look before."""
LONGEST_BATCH = timedelta(minutes=15)
"""Far less than the hour for which a notice counts."""
REMOVE = "remove"
Item = Candidate | RawContent


@dataclass(slots=True)
class Removed:
    """What was removed so far, and how much of the plan was spared as it was taken into use meanwhile."""

    versions: int = 0
    raw_files: int = 0
    size: int = 0
    spared: int = 0

    def count(self, gone: Sequence[Row]) -> None:
        """Count what is put on record."""
        files = sum(row["removed_asset"] == REMOVED_FILE for row in gone)
        self.raw_files += files
        self.versions += len(gone) - files
        self.size += sum(row["size"] for row in gone)


def remove(
    lake: Lake,
    plan: Plan,
    *,
    run_id: str = "",
    progress: Progress = SILENT,
    at_once: int | None = None,
    removed: Removed | None = None,
) -> Removed:
    """Remove what a plan lists, except what commits that came since then use; see the module.

    ``at_once`` is how many are removed between two looks. ``removed`` counts, for those who want to know it
    although an error, or Ctrl-C, ends this. Raises PermanentError when a record that came since cannot be
    read, StorageError, also where listing the log takes longer than a batch may.
    """
    most = at_once or max(LEAST_AT_ONCE, len(plan.seen) // SHARE_AT_ONCE)
    done = Removed() if removed is None else removed
    finish_killed(lake, run_id)
    waiting: deque[Item] = deque([*plan.marking.in_order(), *plan.raw_files])
    if waiting:
        progress.start(REMOVE, len(waiting), "versions and raw files")
    while waiting:
        batch = [waiting.popleft() for _ in range(min(most, len(waiting)))]
        left = _remove_batch(lake, plan, batch, done, run_id, progress)
        waiting.extendleft(reversed(left))
    return done


def finish_killed(lake: Lake, run_id: str = "") -> None:
    """Put on record what removals that were killed removed, and remove the files that they left.

    A notice of one that may be at work stays on show; what went may be on record twice then.
    """
    for notice in posted_notices(lake):
        recorded = (read_removals(lake, entry) or () for entry in removals_since(lake, notice.posted_at))
        known = {removed_path(row) for rows in recorded for row in rows}
        gone = [row for row in _gone(lake, notice.rows) if removed_path(row) not in known]
        for folder in filter(None, map(row_folder, gone)):
            lake.storage.remove(folder)
        if gone:
            record_removals(lake, gone, run_id)
        if is_over(lake, notice.posted_at):
            take_down(lake, notice)


def _remove_batch(
    lake: Lake, plan: Plan, batch: Sequence[Item], done: Removed, run_id: str, progress: Progress
) -> Sequence[Item]:
    """Remove a batch, and return what is left of it when that takes too long."""
    began = lake.now()
    with _on_show(lake, [item.row(began) for item in batch], done, run_id) as gone:
        going = _still_unused(lake, plan, batch)
        done.spared += len(batch) - len(going)
        progress.advance(REMOVE, amount=len(batch) - len(going))
        for position, item in enumerate(going):
            if lake.now() - began > LONGEST_BATCH:
                if not position:
                    raise StorageError(_too_slow(lake.now() - began))
                return going[position:]
            if item.remove_from(lake):
                gone.append(item.row(began))
            progress.advance(REMOVE)
    return ()


def _too_slow(taken: timedelta) -> str:
    minute = timedelta(minutes=1)
    return (
        f"listing the lake to see what came into use took {taken / minute:.0f} minutes, and what nothing "
        f"uses may be removed for {LONGEST_BATCH / minute:.0f} minutes only: run `gc` where the lake is "
        "listed faster"
    )


@contextmanager
def _on_show(lake: Lake, rows: Sequence[Row], done: Removed, run_id: str) -> Iterator[list[Row]]:
    """Show what is about to go; count, and put on record, what went: what the block adds to its list."""
    notice = _posted(lake, rows)
    gone: list[Row] = []
    try:
        yield gone
    except BaseException:
        # What was being removed may have gone or not. If this fails too, the next removal does it.
        with suppress(RefinebioError):
            _finish(lake, notice, _gone(lake, rows), done, run_id)
        raise
    _finish(lake, notice, gone, done, run_id)


def _posted(lake: Lake, rows: Sequence[Row]) -> Notice:
    try:
        return post_notice(lake, rows)
    except StorageRefusedError:
        raise
    except StorageError as error:
        raise StorageError(
            f"what is about to go must be on show first, which needs some room: {error}. The folders `cache` "
            "and `catalog` of a lake may be removed, they are made again"
        ) from error


def _finish(lake: Lake, notice: Notice, gone: Sequence[Row], done: Removed, run_id: str) -> None:
    done.count(gone)
    if gone:
        record_removals(lake, gone, run_id)
    take_down(lake, notice)


def _gone(lake: Lake, rows: Sequence[Row]) -> list[Row]:
    absent = set(absent_paths(lake, [removed_path(row) for row in rows]))
    return [row for row in rows if removed_path(row) in absent]


def _still_unused(lake: Lake, plan: Plan, batch: Sequence[Item]) -> list[Item]:
    """Return a batch without what was taken into use since the log was last looked at."""
    _look(lake, plan, [item for item in batch if isinstance(item, Candidate)])
    prefixes = {item.sha256[:2] for item in batch if isinstance(item, RawContent)}
    contents = {
        sha256: found for prefix in prefixes for sha256, found in found_contents(lake, prefix).items()
    }

    def is_unused(item: Item) -> bool:
        if isinstance(item, Candidate):
            return item.id in plan.marking.candidates
        named = bytes.fromhex(item.sha256) in plan.marking.raw_files
        return not named and is_old(lake, plan.terms, contents.get(item.sha256))

    return [item for item in batch if is_unused(item)]


def _look(lake: Lake, plan: Plan, batch: Sequence[Candidate]) -> None:
    """List the log, and spare what is used by what came since, or is the newest again."""
    newest = {item.unused.place: "" for item in batch}
    fresh: list[LogEntry] = []
    for entry in lake.log():
        place = (entry.asset_part, entry.partition_part)
        if place in newest:
            newest[place] = max(newest[place], entry.id)
        if entry.id not in plan.seen:
            fresh.append(entry)
    with needed_to_know():
        plan.marking.take(fresh)
    for entry in fresh:
        plan.seen.add(entry.id)
        if entry.asset_part == encode_name(REQUESTS):
            plan.marking.take_request(entry.partition_part)
    superseded = [item for item in batch if not item.unused.deleted]
    plan.marking.take_current(item.id for item in superseded if newest[item.unused.place] == item.id)
