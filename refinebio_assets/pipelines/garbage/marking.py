"""Which of the versions that might go are still used: by current ones, lockfiles, or others that stay."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import TypeVar

from refinebio_assets.lake.records import LogEntry
from refinebio_assets.lake.store import Commit, Lake
from refinebio_assets.pipelines.datasets.dataset_matrices import ASSET as DATASETS
from refinebio_assets.pipelines.garbage.candidates import Terms, Unused
from refinebio_assets.pipelines.garbage.uses import Uses, Version, uses_of_commit, uses_of_lock

_AT_ONCE = 1000
_LOCAL_THREADS = 2
_REMOTE_THREADS = 16
_OBJECTS = "objects/"
Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A commit that goes unless something uses it."""

    commit: Commit
    unused: Unused

    @property
    def size(self) -> int:
        """Bytes of the files that came with it; raw files, which others may share, are not counted."""
        own = f"{self.commit.entry.folder}/"
        return sum(file.size for file in self.commit.files if file.path.startswith(own))


class Marking:
    """The candidates, those that are used taken out one after the other.

    ``unused_ids`` are those that there were at first; ``spared`` tells by which commit or lockfile each is
    used; ``raw_files`` are the checksums, as bytes, of all content that is named by what stays.
    """

    def __init__(self, lake: Lake, unused: Sequence[Unused]) -> None:
        self._lake = lake
        self.unused_ids = {item.entry.id for item in unused}
        commits = read_commits(lake, [item.entry for item in unused])
        self.candidates = {
            commit.id: Candidate(commit, item) for item, commit in zip(unused, commits, strict=True)
        }
        self.spared: dict[str, tuple[Candidate, str]] = {}
        self.raw_files: set[bytes] = set()
        self._by_version: dict[Version, list[str]] = defaultdict(list)
        self._by_folder: dict[str, str] = {}
        for commit_id, candidate in self.candidates.items():
            commit = candidate.commit
            self._by_version[commit.asset, commit.partition, commit.version].append(commit_id)
            self._by_folder[commit.entry.folder] = commit_id

    def take(self, entries: Iterable[LogEntry]) -> None:
        """Spare what these commits, which stay, use. Raises FormatError when a record cannot be read."""
        for commit in read_commits(self._lake, entries):
            self._keep(commit)

    def take_terms(self, terms: Terms) -> None:
        """Spare what lockfiles that are kept elsewhere pin, and the versions of datasets they are of."""
        for lock in terms.locks:
            name = f"lockfile of {lock['dataset']}, version {lock.get('number', 1)}"
            pinned = {
                commit_id
                for commit_id, candidate in self.candidates.items()
                if candidate.commit.asset == DATASETS
                and candidate.commit.partition == lock["dataset"]
                and candidate.commit.info.get("number") == lock.get("number")
            }
            self._spare(uses_of_lock(lock) | Uses(commits=frozenset(pinned)), name)
        self._spare_bundles()

    def spare_others(self, still_unused: Iterable[str]) -> None:
        """Spare the candidates without one of these ids, which are current again, and what they use."""
        unused = set(still_unused)
        for commit_id in [name for name in self.candidates if name not in unused]:
            self._spare(Uses(commits=frozenset({commit_id})), "it is current again")

    def _keep(self, commit: Commit) -> None:
        self._spare(self._uses(commit), str(commit))

    def _spare(self, uses: Uses, user: str) -> None:
        waiting = [(uses, user)]
        while waiting:
            needed, by = waiting.pop()
            for commit_id in self._named(needed):
                candidate = self.candidates.pop(commit_id, None)
                if candidate is not None:
                    self.spared[commit_id] = (candidate, by)
                    waiting.append((self._uses(candidate.commit), str(candidate.commit)))

    def _uses(self, commit: Commit) -> Uses:
        uses = uses_of_commit(self._lake, commit)
        contents = (path for path in uses.paths if path.startswith(_OBJECTS))
        self.raw_files |= {bytes.fromhex(path.rpartition("/")[2]) for path in contents}
        return uses

    def _named(self, uses: Uses) -> Iterator[str]:
        for version in uses.versions:
            yield from self._by_version.get(version, ())
        yield from uses.commits
        for path in uses.paths:
            folder = "/".join(path.split("/", 4)[:4])
            if folder in self._by_folder:
                yield self._by_folder[folder]

    def _spare_bundles(self) -> None:
        """Spare the zips of versions of datasets that are spared."""
        for commit_id, candidate in list(self.candidates.items()):
            if candidate.commit.info.get("matrices") in self.spared:
                self._spare(Uses(commits=frozenset({commit_id})), "the version that it is the zip of")


def read_commits(lake: Lake, entries: Iterable[LogEntry]) -> Iterator[Commit]:
    """Yield the commits of entries, in their order, read some at a time."""
    threads = _LOCAL_THREADS if lake.is_local else _REMOTE_THREADS
    with ThreadPoolExecutor(threads) as pool:
        for some in _batches(entries):
            yield from pool.map(lake.read, some)


def _batches(items: Iterable[Item]) -> Iterator[list[Item]]:
    iterator = iter(items)
    while batch := list(islice(iterator, _AT_ONCE)):
        yield batch
