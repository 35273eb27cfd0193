"""Makes the plan of what `gc` would remove; it is carried out in `removal.py`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from refinebio_assets.errors import PermanentError, RequestError
from refinebio_assets.lake.content import HINT
from refinebio_assets.lake.removal_tables import REMOVED_FILE
from refinebio_assets.lake.storage import Found
from refinebio_assets.lake.store import Lake
from refinebio_assets.pipelines.garbage.candidates import Listing, Terms, list_unused
from refinebio_assets.pipelines.garbage.marking import Candidate, Marking
from refinebio_assets.pipelines.progress import SILENT, Progress

OBJECTS = "objects"
READ = "read records"
_READ_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class RawContent:
    """Content of a raw file that nothing names any more."""

    sha256: str
    size: int
    modified: datetime

    @property
    def path(self) -> str:
        """Its path in the lake."""
        return f"{OBJECTS}/{self.sha256[:2]}/{self.sha256}"

    @property
    def why(self) -> str:
        """Why it goes."""
        return "no version that stays names it"

    def row(self, now: datetime) -> Mapping[str, Any]:
        """Return its row of the table ``removals``."""
        return {
            "removed_asset": REMOVED_FILE,
            "removed_partition": self.sha256,
            "removed_version": self.sha256,
            "removed_commit": "",
            "code_version": "",
            "made_at": None,
            "unused_since": self.modified,
            "size": self.size,
            "why": self.why,
            "removed_at": now,
        }

    def remove_from(self, lake: Lake) -> bool:
        """Remove it. False when another did so meanwhile."""
        if lake.storage.size(self.path) is None:
            return False
        lake.storage.remove(self.path)
        return True


@dataclass(frozen=True, slots=True)
class Plan:
    """What would be removed, and which versions that are not current stay because something uses them.

    ``young`` counts those that stay as they were not out of use for long enough: the first until ``first``;
    ``datasets`` those of datasets and compendia, which stay unless they are asked for.
    """

    removals: tuple[Candidate, ...]
    raw_files: tuple[RawContent, ...]
    spared: tuple[tuple[Candidate, str], ...]
    young: int
    first: datetime | None
    datasets: int
    terms: Terms
    marking: Marking = field(repr=False)
    seen: set[str] = field(repr=False)

    @property
    def size(self) -> int:
        """How many bytes would be free."""
        return sum(item.size for item in self.removals) + sum(item.size for item in self.raw_files)


def plan_removal(lake: Lake, terms: Terms, progress: Progress = SILENT) -> Plan:
    """Find out what may go under these terms; nothing is changed.

    Reads every commit record. Raises RequestError for an asset that is not there, PermanentError naming a
    record or lockfile that cannot be read: what it uses is not known, so nothing may be removed.
    """
    unknown = sorted(terms.assets - set(lake.assets()) - {REMOVED_FILE})
    if unknown:
        raise RequestError(f"there is no asset {', '.join(unknown)} in the lake")
    wants_files = not terms.assets or REMOVED_FILE in terms.assets
    contents = list(_contents(lake, terms)) if wants_files else []
    with needed_to_know():
        listing = list_unused(lake, terms)
        marking = _marked(lake, terms, listing, progress)
    return Plan(
        removals=tuple(sorted(marking.candidates.values(), key=lambda item: item.id)),
        raw_files=tuple(item for item in contents if bytes.fromhex(item.sha256) not in marking.raw_files),
        spared=tuple(marking.spared.values()),
        young=listing.young,
        first=listing.first,
        datasets=listing.datasets,
        terms=terms,
        marking=marking,
        seen=listing.seen,
    )


@contextmanager
def needed_to_know() -> Iterator[None]:
    """Say of a record, table or lockfile that cannot be read why nothing can be removed then."""
    try:
        yield
    except PermanentError as error:
        raise PermanentError(
            f"nothing can be removed, as it is not known what this uses: {str(error).removesuffix(HINT)}. "
            "`refinebio-assets lake verify` lists all that is damaged"
        ) from error


def found_contents(lake: Lake, prefix: str = "") -> Mapping[str, Found]:
    """Return what a listing shows of raw content, by checksum: of all, or of that in one folder."""
    folder = f"{OBJECTS}/{prefix}".rstrip("/")
    return {path.rpartition("/")[2]: found for path, found in lake.storage.tree(folder).items()}


def is_old(lake: Lake, terms: Terms, found: Found | None) -> bool:
    """Tell whether raw content was not put into the lake, or again, for long enough."""
    return found is not None and found.modified is not None and found.modified < lake.now() - terms.older_than


def _marked(lake: Lake, terms: Terms, listing: Listing, progress: Progress) -> Marking:
    progress.start(READ, len(listing.seen), "records")
    marking = Marking(lake, listing.unused, _Steps(progress).step)
    # A second listing, as a million entries take a quarter of a gigabyte.
    staying = (entry for entry in lake.log() if entry.id not in listing.unused)
    marking.take(staying)
    for pinned in terms.locks:
        marking.take_lock(pinned)
    return marking


class _Steps:
    """Counts records; told one by one, a million of them would take longer to show than to read."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._count = 0

    def step(self) -> None:
        """Count one."""
        self._count += 1
        if self._count % _READ_AT_ONCE == 0:
            self._progress.advance(READ, amount=_READ_AT_ONCE)


def _contents(lake: Lake, terms: Terms) -> Iterator[RawContent]:
    """Yield all raw content that is old enough, by checksum, so that what goes together lies together."""
    for sha256, found in sorted(found_contents(lake).items()):
        if is_old(lake, terms, found) and found.modified is not None:
            yield RawContent(sha256, found.size, found.modified)
