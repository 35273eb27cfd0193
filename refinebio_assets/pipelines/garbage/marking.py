"""Which of the versions that might go are still used: by current ones, lockfiles, or others that stay."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from graphlib import CycleError, TopologicalSorter
from sys import intern
from typing import Any

from refinebio_assets.lake.naming import commit_moment, encode_name
from refinebio_assets.lake.records import LogEntry
from refinebio_assets.lake.store import Commit, Lake
from refinebio_assets.lake.upkeep import own_size, remove_entry
from refinebio_assets.pipelines.datasets.registry import BUILT
from refinebio_assets.pipelines.garbage.candidates import Unused
from refinebio_assets.pipelines.garbage.locks import Pinned
from refinebio_assets.pipelines.garbage.uses import Uses, used_assets, uses_of_commit

_OBJECTS = "objects/"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A version that goes unless something uses it.

    ``size`` is that of the files that came with it; raw files, which others may share, are not counted.
    ``number`` is that of a dataset's or compendium's version.
    """

    unused: Unused
    asset: str
    partition: str
    version: str
    code_version: str
    size: int
    number: int | None

    @classmethod
    def of(cls, commit: Commit, unused: Unused) -> Candidate:
        """Keep of a commit's record what is needed again: there may be millions."""
        return cls(
            unused,
            intern(commit.asset),
            commit.partition,
            commit.version,
            intern(commit.code_version),
            own_size(commit),
            commit.info.get("number"),
        )

    @property
    def id(self) -> str:
        """Its commit's id."""
        return self.unused.entry.id

    @property
    def made_at(self) -> datetime:
        """When it was committed."""
        return commit_moment(self.id)

    def __str__(self) -> str:
        return f"commit {self.id} of {self.asset}[{self.partition}]"

    def row(self, now: datetime) -> Mapping[str, Any]:
        """Return its row of the table ``removals``."""
        return {
            "removed_asset": self.asset,
            "removed_partition": self.partition,
            "removed_version": self.version,
            "removed_commit": self.id,
            "code_version": self.code_version,
            "made_at": self.made_at,
            "unused_since": self.unused.since,
            "size": self.size,
            "why": self.unused.why,
            "removed_at": now,
        }

    def remove_from(self, lake: Lake) -> bool:
        """Remove it. False when another did so meanwhile."""
        if lake.storage.size(self.unused.entry.path) is None:
            return False
        remove_entry(lake, self.unused.entry)
        return True


class Marking:
    """The candidates, those that are used taken out one after the other.

    ``spared`` tells by which commit or lockfile each of those is used; ``raw_files`` are the checksums, as
    bytes, of all content that is named by what stays.
    """

    def __init__(
        self, lake: Lake, unused: Mapping[str, Unused], advance: Callable[[], None] = lambda: None
    ) -> None:
        self._lake = lake
        self._advance = advance
        self.candidates: dict[str, Candidate] = {}
        self.spared: dict[str, tuple[Candidate, str]] = {}
        self.raw_files: set[bytes] = set()
        self._of_partition: dict[tuple[str, str], list[str]] = defaultdict(list)
        self._zips: dict[str, list[str]] = defaultdict(list)
        self._asset_uses: set[tuple[str, str]] = set()
        for commit in lake.read_all(item.entry for item in unused.values()):
            self._add(Candidate.of(commit, unused[commit.id]), commit)
            advance()

    def take(self, entries: Iterable[LogEntry]) -> None:
        """Spare what these commits, which stay, use. Raises FormatError when a record cannot be read."""
        for commit in self._lake.read_all(entries):
            self._spare(self._uses(commit), str(commit))
            self._advance()

    def take_lock(self, pinned: Pinned) -> None:
        """Spare what a lockfile that is kept elsewhere pins, and the version that it is of."""
        own = (
            commit_id
            for commit_id in self._named_partition(pinned.asset, pinned.partition)
            if self.candidates[commit_id].number == pinned.number
        )
        self._spare(pinned.uses | Uses(commits=frozenset(own)), str(pinned))

    def take_request(self, dataset_part: str) -> None:
        """Spare what was built of a dataset, as it was asked for again."""
        built = (self._of_partition[encode_name(asset), dataset_part] for asset in BUILT)
        named = frozenset(commit_id for listed in built for commit_id in listed)
        self._spare(Uses(commits=named), "its dataset was asked for again")

    def take_current(self, ids: Iterable[str]) -> None:
        """Spare candidates that are their partitions' newest again, as what superseded them is gone."""
        self._spare(Uses(commits=frozenset(ids)), "it is the newest again")

    def in_order(self) -> list[Candidate]:
        """Return the candidates in the order in which they can go: each before what it uses.

        So a version that is still there, and may be used again, has all that it was made from.
        """
        graph: TopologicalSorter[str] = TopologicalSorter()
        for user, used in self._asset_uses:
            if user != used:
                graph.add(used, user)
        try:
            rank = {asset: number for number, asset in enumerate(graph.static_order())}
        except CycleError:
            rank = {}  # Within it, what uses is newer than what is used.
        newest_first = sorted(self.candidates.values(), key=lambda item: item.id, reverse=True)
        return sorted(newest_first, key=lambda item: rank.get(item.unused.entry.asset_part, 0))

    def _add(self, candidate: Candidate, commit: Commit) -> None:
        entry = candidate.unused.entry
        self.candidates[candidate.id] = candidate
        self._of_partition[entry.asset_part, entry.partition_part].append(candidate.id)
        self._asset_uses |= {(entry.asset_part, asset) for asset in used_assets(commit)}
        zipped = commit.info.get("matrices") or commit.info.get("compendium")
        if isinstance(zipped, str):
            self._zips[zipped].append(candidate.id)

    def _spare(self, uses: Uses, user: str) -> None:
        waiting = [(uses, user)]
        while waiting:
            needed, by = waiting.pop()
            for commit_id in self._named(needed):
                candidate = self.candidates.pop(commit_id, None)
                if candidate is not None:
                    self.spared[commit_id] = (candidate, by)
                    waiting += self._behind(candidate)

    def _behind(self, candidate: Candidate) -> Iterator[tuple[Uses, str]]:
        """Yield what stays with a candidate: what it uses, and the zips that were made of it."""
        for commit in self._lake.read_all([candidate.unused.entry]):
            yield self._uses(commit), str(candidate)
        yield Uses(commits=frozenset(self._zips.get(candidate.id, ()))), f"it is the zip of {candidate}"

    def _uses(self, commit: Commit) -> Uses:
        uses = uses_of_commit(self._lake, commit)
        contents = (path for path in uses.paths if path.startswith(_OBJECTS))
        self.raw_files |= {bytes.fromhex(path.rpartition("/")[2]) for path in contents}
        return uses

    def _named(self, uses: Uses) -> Iterator[str]:
        for asset, partition, version in uses.versions:
            for commit_id in self._named_partition(asset, partition):
                if self.candidates[commit_id].version == version:
                    yield commit_id
        yield from uses.commits
        for path in uses.paths:
            parts = path.split("/", 4)
            if parts[0] == "assets" and len(parts) == 5:
                yield parts[3]

    def _named_partition(self, asset: str, partition: str) -> Sequence[str]:
        """Return the ids of a partition's candidates."""
        listed = self._of_partition.get((encode_name(asset), encode_name(partition)), ())
        return [commit_id for commit_id in listed if commit_id in self.candidates]
