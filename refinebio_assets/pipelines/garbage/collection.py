"""Makes the plan of what `gc` would remove, and removes it.

What is removed is first put on record; then records go before files, so that a killed removal leaves nothing
half visible: what it did not come to is found by the next one, files without a record by `lake sweep`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from refinebio_assets.errors import PermanentError, RequestError
from refinebio_assets.lake.store import Commit, Lake
from refinebio_assets.lake.upkeep import remove_commits
from refinebio_assets.pipelines.garbage.candidates import Terms, unused_entries
from refinebio_assets.pipelines.garbage.marking import Candidate, Marking
from refinebio_assets.pipelines.garbage.removed import record_removals

FILE = "file"
OBJECTS = "objects"
_NOT_NAMED = "no version that is here names it"


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


@dataclass(frozen=True, slots=True)
class Plan:
    """What would be removed, and which versions that are not current stay because something uses them."""

    removals: tuple[Candidate, ...]
    raw_files: tuple[RawContent, ...]
    spared: tuple[tuple[Candidate, str], ...]
    terms: Terms
    _marking: Marking = field(repr=False)
    _seen: frozenset[str] = field(repr=False)

    @property
    def size(self) -> int:
        """How many bytes would be free."""
        return sum(item.size for item in self.removals) + sum(item.size for item in self.raw_files)


@dataclass(frozen=True, slots=True)
class Removed:
    """What was removed; ``commit`` keeps it on record, None when there was nothing."""

    versions: int
    raw_files: int
    size: int
    commit: Commit | None


def plan_removal(lake: Lake, terms: Terms) -> Plan:
    """Find out what may go under these terms; nothing is changed.

    Reads every commit record. Raises RequestError for an asset that is not there, PermanentError naming a
    record or lockfile that cannot be read: what it uses is not known, so nothing may be removed.
    """
    unknown = sorted(terms.assets - set(lake.assets()))
    if unknown:
        raise RequestError(f"there is no asset {', '.join(unknown)} in the lake")
    entries = list(lake.log())
    contents = _contents(lake, terms) if not terms.assets or FILE in terms.assets else []
    try:
        marking = Marking(lake, unused_entries(lake, entries, terms))
        marking.take(entry for entry in entries if entry.id not in marking.unused_ids)
        marking.take_terms(terms)
    except PermanentError as error:
        raise PermanentError(
            f"nothing can be removed, as it is not known what this uses: {error}. "
            "`refinebio-assets lake verify` lists all that is damaged"
        ) from error
    return Plan(
        removals=tuple(marking.candidates.values()),
        raw_files=tuple(item for item in contents if bytes.fromhex(item.sha256) not in marking.raw_files),
        spared=tuple(marking.spared.values()),
        terms=terms,
        _marking=marking,
        _seen=frozenset(entry.id for entry in entries),
    )


def remove(lake: Lake, plan: Plan, *, run_id: str = "") -> Removed:
    """Remove what a plan lists, except what commits that came since then use. Raises StorageError."""
    removals, raw_files = _still_unused(lake, plan)
    if not removals and not raw_files:
        return Removed(0, 0, 0, None)
    rows = [*_version_rows(removals, lake.now()), *_file_rows(raw_files, lake.now())]
    commit = record_removals(lake, rows, run_id)
    size = remove_commits(lake, [item.commit for item in removals])
    for content in raw_files:
        lake.storage.remove(content.path)
        size += content.size
    return Removed(len(removals), len(raw_files), size, commit)


def _still_unused(lake: Lake, plan: Plan) -> tuple[list[Candidate], list[RawContent]]:
    """Return what a plan lists without what was taken into use since it was made."""
    entries = list(lake.log())
    marking = plan._marking
    marking.spare_others(item.entry.id for item in unused_entries(lake, entries, plan.terms))
    marking.take(entry for entry in entries if entry.id not in plan._seen)
    listed = {item.sha256 for item in plan.raw_files}
    contents = [
        item
        for item in (_contents(lake, plan.terms) if listed else [])
        if item.sha256 in listed and bytes.fromhex(item.sha256) not in marking.raw_files
    ]
    return sorted(marking.candidates.values(), key=lambda item: item.commit.id), contents


def _contents(lake: Lake, terms: Terms) -> list[RawContent]:
    """Return all raw content that was not put into the lake, or again, for long enough."""
    latest = lake.now() - terms.older_than
    return [
        RawContent(path.rpartition("/")[2], found.size, found.modified)
        for path, found in lake.storage.tree(OBJECTS).items()
        if found.modified is not None and found.modified < latest
    ]


def _version_rows(removals: Sequence[Candidate], now: datetime) -> Iterator[Mapping[str, Any]]:
    for item in removals:
        commit = item.commit
        yield {
            "removed_asset": commit.asset,
            "removed_partition": commit.partition,
            "removed_version": commit.version,
            "removed_commit": commit.id,
            "code_version": commit.code_version,
            "made_at": commit.created_at,
            "unused_since": item.unused.since,
            "size": item.size,
            "why": item.unused.why,
            "removed_at": now,
        }


def _file_rows(contents: Sequence[RawContent], now: datetime) -> Iterator[Mapping[str, Any]]:
    for item in contents:
        yield {
            "removed_asset": FILE,
            "removed_partition": item.sha256,
            "removed_version": item.sha256,
            "removed_commit": "",
            "code_version": "",
            "made_at": None,
            "unused_since": item.modified,
            "size": item.size,
            "why": _NOT_NAMED,
            "removed_at": now,
        }
