"""Which versions might go: those that are superseded, or of a deleted dataset, for long enough.

Whether something still uses them is found out in `marking.py`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from refinebio_assets.errors import RequestError
from refinebio_assets.lake.naming import commit_moment, encode_name
from refinebio_assets.lake.records import LogEntry
from refinebio_assets.lake.store import Lake
from refinebio_assets.pipelines.compendia.kinds import CompendiumKind
from refinebio_assets.pipelines.datasets.registry import ASSET as REQUESTS
from refinebio_assets.pipelines.datasets.registry import BUILT, is_deleted
from refinebio_assets.pipelines.garbage.removed import ASSET as REMOVALS

SAFE_AGE = timedelta(days=30)
LEAST_AGE = timedelta(days=1)
"""A run that began while a version was current may read it until the run ends."""
KEPT_ASSETS = (REQUESTS, REMOVALS)
"""What was asked for and what was removed stay on record."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What may be removed: ``older_than`` is how long it must have been out of use.

    ``assets`` limits it to these; with ``old_datasets`` earlier versions of datasets and compendia may go;
    ``locks`` are lockfiles, kept elsewhere, whose datasets must stay reproducible.
    """

    older_than: timedelta = SAFE_AGE
    assets: frozenset[str] = frozenset()
    old_datasets: bool = False
    locks: Sequence[Mapping[str, Any]] = ()

    def __post_init__(self) -> None:
        """Raise RequestError for an age at which a run may still be reading what it began with."""
        if self.older_than < LEAST_AGE:
            raise RequestError(
                f"a version that was superseded less than {LEAST_AGE.days} day ago may be in use by a run: "
                f"give at least {LEAST_AGE.days} day"
            )


@dataclass(frozen=True, slots=True)
class Unused:
    """An entry of the log that is not current: since when, and why not."""

    entry: LogEntry
    since: datetime
    why: str


def unused_entries(lake: Lake, entries: Iterable[LogEntry], terms: Terms) -> list[Unused]:
    """Return the entries that might go, in the order of their ids."""
    partitions: dict[tuple[str, str], list[LogEntry]] = defaultdict(list)
    for entry in entries:
        partitions[entry.asset_part, entry.partition_part].append(entry)
    built = {encode_name(asset) for asset in BUILT}
    numbered = built | {
        encode_name(asset) for kind in CompendiumKind for asset in (kind.asset, kind.zip_asset)
    }
    kept = {encode_name(asset) for asset in KEPT_ASSETS}
    wanted = {encode_name(asset) for asset in terms.assets}
    deleted = _deleted_datasets(lake, partitions)
    latest = lake.now() - terms.older_than
    found: list[Unused] = []
    for (asset, partition), listed in partitions.items():
        listed.sort(key=lambda entry: entry.id)
        if asset in kept or (wanted and asset not in wanted):
            continue
        if asset in built and partition in deleted:
            found += _of_deleted(listed, deleted[partition])
        elif asset not in numbered or terms.old_datasets:
            found += _superseded(listed)
    return sorted((item for item in found if item.since < latest), key=lambda item: item.entry.id)


def _superseded(listed: Sequence[LogEntry]) -> Iterator[Unused]:
    for entry, following in pairwise(listed):
        since = commit_moment(following.id)
        yield Unused(entry, since, f"superseded on {since:%Y-%m-%d}")


def _of_deleted(listed: Sequence[LogEntry], deleted: datetime) -> Iterator[Unused]:
    for entry in listed:
        yield Unused(entry, deleted, f"its dataset was deleted on {deleted:%Y-%m-%d}")


def _deleted_datasets(
    lake: Lake, partitions: Mapping[tuple[str, str], Sequence[LogEntry]]
) -> dict[str, datetime]:
    """Return the encoded names of datasets that are marked as deleted, and since when."""
    part = encode_name(REQUESTS)
    requests = (listed for (asset, _), listed in partitions.items() if asset == part)
    newest = (max(listed, key=lambda entry: entry.id) for listed in requests)
    heads = {entry.partition_part: lake.read(entry) for entry in newest}
    return {name: head.created_at for name, head in heads.items() if is_deleted(head)}
