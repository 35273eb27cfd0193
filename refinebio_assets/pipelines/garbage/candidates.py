"""Which versions might go: those that are superseded, or of a deleted dataset, for long enough.

Whether something still uses them is found out in `marking.py`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import groupby, pairwise

from refinebio_assets.errors import RequestError
from refinebio_assets.lake.naming import commit_moment, encode_name, new_commit_id
from refinebio_assets.lake.records import LogEntry
from refinebio_assets.lake.removal_tables import REMOVALS
from refinebio_assets.lake.store import Lake
from refinebio_assets.pipelines.compendia.kinds import CompendiumKind
from refinebio_assets.pipelines.datasets.registry import ASSET as REQUESTS
from refinebio_assets.pipelines.datasets.registry import BUILT, is_deleted
from refinebio_assets.pipelines.garbage.locks import Pinned

SAFE_AGE = timedelta(days=30)
LEAST_AGE = timedelta(days=1)
"""A run that began while a version was current may read it until the run ends."""
KEPT_ASSETS = (REQUESTS, REMOVALS)
"""What was asked for and what was removed stay on record."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What may be removed: ``older_than`` is how long it must have been out of use.

    ``assets`` limits it to these; with ``old_datasets`` earlier versions of datasets and compendia may go;
    ``locks`` are what lockfiles that are kept elsewhere pin, which must stay reproducible.
    """

    older_than: timedelta = SAFE_AGE
    assets: frozenset[str] = frozenset()
    old_datasets: bool = False
    locks: Sequence[Pinned] = ()

    def __post_init__(self) -> None:
        """Raise RequestError for an age at which a run may still be reading what it began with."""
        if self.older_than < LEAST_AGE:
            raise RequestError(
                f"a version that was superseded less than {LEAST_AGE.days} day ago may be in use by a run: "
                f"give at least {LEAST_AGE.days} day"
            )


@dataclass(frozen=True, slots=True)
class Unused:
    """An entry of the log that is not current, since the commit with the id ``after``.

    That is the one that superseded it, or that marked its dataset as deleted.
    """

    entry: LogEntry
    after: str
    deleted: bool = False

    @property
    def place(self) -> tuple[str, str]:
        """The encoded names of its asset and partition."""
        return self.entry.asset_part, self.entry.partition_part

    @property
    def since(self) -> datetime:
        """Since when it is not current."""
        return commit_moment(self.after)

    @property
    def why(self) -> str:
        """Why it is not."""
        what = "its dataset was deleted" if self.deleted else "superseded"
        return f"{what} on {self.since:%Y-%m-%d}"


@dataclass(slots=True)
class Listing:
    """What the log's listing shows: entries that might go, by id, and the ids of all there are.

    ``young`` counts those that were not out of use for long enough; the first of them is so at ``first``.
    ``datasets`` counts earlier versions of datasets and compendia, where those are not to go.
    """

    unused: dict[str, Unused] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)
    young: int = 0
    first: datetime | None = None
    datasets: int = 0


def list_unused(lake: Lake, terms: Terms) -> Listing:
    """List the log, once, and pick what might go."""
    latest = new_commit_id(lake.now() - terms.older_than, "")
    listing, youngest = Listing(), ""
    for item in _all_unused(lake, terms, listing):
        if item.after < latest:
            listing.unused[item.entry.id] = item
        else:
            listing.young += 1
            youngest = min(youngest or item.after, item.after)
    if youngest:
        listing.first = commit_moment(youngest) + terms.older_than
    return listing


def _all_unused(lake: Lake, terms: Terms, listing: Listing) -> Iterator[Unused]:
    """Yield what is not current, of any age; add to the listing the ids of all, and what is of datasets."""
    built = {encode_name(asset) for asset in BUILT}
    numbered = built | {
        encode_name(asset) for kind in CompendiumKind for asset in (kind.asset, kind.zip_asset)
    }
    kept = {encode_name(asset) for asset in KEPT_ASSETS}
    wanted = {encode_name(asset) for asset in terms.assets}
    deleted = _deleted_datasets(lake)
    for (asset, partition), entries in groupby(lake.log(), _partition_of):
        listed = sorted(entries, key=lambda entry: entry.id)
        listing.seen.update(entry.id for entry in listed)
        if asset in kept or (wanted and asset not in wanted):
            continue
        if asset in built and partition in deleted:
            yield from (Unused(entry, deleted[partition], deleted=True) for entry in listed)
        elif asset not in numbered or terms.old_datasets:
            yield from (Unused(entry, following.id) for entry, following in pairwise(listed))
        else:
            listing.datasets += len(listed) - 1


def _deleted_datasets(lake: Lake) -> dict[str, str]:
    """Return the encoded names of datasets that are marked as deleted, and the ids of the marks."""
    requests = groupby(lake.entries(REQUESTS), _partition_of)
    newest = [max(listed, key=lambda entry: entry.id) for _, listed in requests]
    return {head.entry.partition_part: head.id for head in lake.read_all(newest) if is_deleted(head)}


def _partition_of(entry: LogEntry) -> tuple[str, str]:
    return entry.asset_part, entry.partition_part
