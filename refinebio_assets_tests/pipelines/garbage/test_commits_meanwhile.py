"""Commits that come while `gc` removes: whenever they come, what stays has all that it was made from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from refinebio_assets.errors import NotFoundError, RemovedMeanwhileError, StorageError
from refinebio_assets.lake.records import Commit, InputRef
from refinebio_assets.lake.removal_notices import FOLDER, LIFE
from refinebio_assets.lake.removals import removal_note
from refinebio_assets.lake.rows import read_rows
from refinebio_assets.lake.store import Lake, utc_now
from refinebio_assets.pipelines.garbage.candidates import Terms
from refinebio_assets.pipelines.garbage.collection import plan_removal
from refinebio_assets.pipelines.garbage.locks import Pinned
from refinebio_assets.pipelines.garbage.removal import LONGEST_BATCH, Removed, remove
from refinebio_assets.pipelines.garbage.uses import Uses
from refinebio_assets.pipelines.progress import Silent

DAYS = timedelta(days=1)
ASSETS, PARTITIONS = ("a", "b", "c", "d"), ("p", "q")


def later(lake: Lake, days: float = 40) -> Lake:
    return Lake(lake.url, cache=lake.cache, now=lambda: utc_now() + days * DAYS)


def commit(lake: Lake, asset: str, partition: str, version: str, used: Sequence[Commit] = ()) -> Commit:
    """Commit a file that was made from others; the raw files that those list are listed, too."""
    with lake.draft(asset, partition) as draft:
        (draft.folder / "content").write_text(version)
        for other in used:
            for file in other.files:
                if file.path.startswith("objects/"):
                    draft.attach(file)
        inputs = [InputRef(other.asset, other.partition, other.version) for other in used]
        return draft.commit(version=version, code_version="1", inputs=inputs, needs=used)


class Arrivals(Silent):
    """Calls ``arrive`` before each removal, after the look at the log that spared what was in use."""

    def __init__(self, arrive: Callable[[], None]) -> None:
        self._arrive = arrive

    def advance(self, task: str, note: str = "", amount: int = 1) -> None:
        self._arrive()


def require_whole(lake: Lake) -> None:
    """Assert that all that stays has its files, and all that it was made from, and so on."""
    commits = [lake.read(entry) for entry in lake.log()]
    there = {(made.asset, made.partition, made.version) for made in commits}
    for made in commits:
        for file in made.files:
            assert lake.storage.size(file.path) == file.size, f"{made} lost {file.name}"
        assert {(ref.asset, ref.partition, ref.version) for ref in made.inputs} <= there, made


def require_true_record(lake: Lake, before: set[str], done: Removed) -> None:
    """Assert that what is on record went, and what went is on record, each once.

    A raw file that went may have been brought in again since, by a commit that stays.
    """
    rows = [row for made in removals(lake) for row in read_rows(lake, made, "removals")]
    recorded = [row["removed_commit"] or row["removed_partition"] for row in rows]
    files = {row["removed_partition"] for row in rows if row["removed_asset"] == "file"}
    gone = (before - names(lake)) | (files & names(lake))
    assert sorted(recorded) == sorted(gone)
    assert done.versions + done.raw_files == len(gone)
    assert lake.storage.names(FOLDER) == []


def removals(lake: Lake) -> list[Commit]:
    return [made for name in lake.partitions("removals") for made in lake.history("removals", name)]


def names(lake: Lake) -> set[str]:
    """Return the ids of all commits, and the checksums of all raw files."""
    contents = {path.rpartition("/")[2] for path in lake.storage.tree("objects")}
    return {entry.id for entry in lake.log(without=["removals"])} | contents


class RandomLake:
    """A lake that grows by chance: versions made from others, and raw files."""

    def __init__(self, folder: Path, chance: Random) -> None:
        self.lake = Lake(str(folder / "lake"))
        self.chance = chance
        self._number = 0

    def grow(self, found: Sequence[Commit] = ()) -> None:
        """Commit once more, made from versions that are there, current or not, or that were found before."""
        asset, partition = self.chance.choice(ASSETS), self.chance.choice(PARTITIONS)
        # Assets use those before them.
        usable = [item for item in found or self.commits() if item.asset < asset]
        used = self.chance.sample(usable, min(len(usable), self.chance.randint(0, 2)))
        self._number += 1
        # Sometimes the same content is made again.
        version = str(self.chance.choice([0, 1, 100 + self._number, 100 + self._number]))
        if asset == "a":
            raw = self.lake.put_object([b"raw", version.encode()], f"{version}.fq")
            with self.lake.draft(asset, partition) as draft:
                draft.attach(raw)
                draft.commit(version=version, code_version="1")
        else:
            commit(self.lake, asset, partition, version, used)

    def commits(self) -> list[Commit]:
        """Return all commits, oldest first."""
        entries = sorted(self.lake.log(without=["removals"]), key=lambda entry: entry.id)
        return list(self.lake.read_all(entries))

    def pinned(self) -> Pinned:
        """Return a lockfile of some versions."""
        chosen = self.chance.sample(self.commits(), 2)
        return Pinned("dataset_matrices", "D", 1, Uses(commits=frozenset(item.id for item in chosen)))


@settings(max_examples=20)
@example(chance=Random(756), at_once=4, size=12)
@given(chance=st.integers(0, 2**32).map(Random), at_once=st.integers(1, 4), size=st.integers(3, 14))
def test_whatever_comes_between_removals_nothing_goes_that_what_stays_needs(
    chance: Random, at_once: int, size: int
) -> None:
    with TemporaryDirectory() as folder:
        world = RandomLake(Path(folder), chance)
        for _ in range(size):
            world.grow()
        pinned, lake = world.pinned(), later(world.lake)
        plan = plan_removal(lake, Terms(locks=[pinned]))
        before = names(lake)
        old = [item for item in world.commits() if item.id in plan.marking.candidates]

        def arrive() -> None:
            for _ in range(chance.choice([0, 0, 1, 2])):
                with suppress(RemovedMeanwhileError, NotFoundError):
                    world.grow(chance.choice([(), old]))
                before.update(names(lake))

        arrive()
        done = remove(lake, plan, at_once=at_once, progress=Arrivals(arrive))
        require_whole(lake)
        assert pinned.uses.commits <= names(lake)
        require_true_record(lake, before, done)


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(str(tmp_path / "lake"))


def test_a_commit_that_comes_after_the_look_takes_itself_back(lake: Lake) -> None:
    old = commit(lake, "a", "p", "1")
    commit(lake, "a", "p", "2")
    seen = later(lake)
    refused: list[str] = []

    def arrive() -> None:
        # The look is over, and nothing is removed yet.
        lake.storage.remove = removing  # type: ignore[method-assign]
        with pytest.raises(RemovedMeanwhileError, match=r"was removed or is about to be: a\[p\] 1") as caught:
            commit(lake, "b", "q", "x", [old])
        refused.append(str(caught.value))

    removing, original = lake.storage.remove, seen.storage.remove

    def remove_and_arrive(path: str) -> None:
        if path == old.entry.path:
            arrive()
        original(path)

    seen.storage.remove = remove_and_arrive  # type: ignore[method-assign]
    assert remove(seen, plan_removal(seen, Terms())).versions == 1
    assert len(refused) == 1
    assert lake.head("b", "q") is None
    assert list(lake.storage.tree("assets/b")) == []


def test_what_was_found_before_a_removal_and_committed_after_it_is_not_kept(lake: Lake) -> None:
    old = commit(lake, "a", "p", "1")
    commit(lake, "a", "p", "2")
    seen = later(lake)
    remove(seen, plan_removal(seen, Terms()))
    with pytest.raises(RemovedMeanwhileError):
        commit(lake, "b", "q", "x", [old])
    assert lake.partitions("b") == []


def test_inputs_that_went_between_a_record_and_its_check_are_noticed(lake: Lake) -> None:
    commit(lake, "a", "p", "1")
    commit(lake, "a", "p", "2")
    seen = later(lake)
    plan = plan_removal(seen, Terms())
    put_bytes = lake.storage.put_bytes

    def put_and_remove(data: bytes, path: str) -> None:
        # The record lands after the look, and is checked when all is over.
        assert remove(seen, plan, progress=Arrivals(lambda: put_bytes(data, path))).versions == 1

    lake.storage.put_bytes = put_and_remove  # type: ignore[method-assign]
    with lake.draft("b", "q") as draft, pytest.raises(RemovedMeanwhileError, match=r"a\[p\] 1"):
        draft.commit(version="x", code_version="1", inputs=[InputRef("a", "p", "1")])
    assert lake.partitions("b") == []


def test_the_same_version_by_a_commit_that_stays_may_be_used_meanwhile(lake: Lake) -> None:
    for version in ("1", "2", "1"):
        newest = commit(lake, "a", "p", version)
    seen = later(lake)
    made: list[Commit] = []

    def arrive() -> None:
        if not made:
            made.append(commit(lake, "b", "q", "x", [newest]))

    remove(seen, plan_removal(seen, Terms()), at_once=1, progress=Arrivals(arrive))
    assert made == [lake.head("b", "q")]


def test_a_notice_whose_writer_was_killed_binds_nobody_after_an_hour(lake: Lake) -> None:
    old = commit(lake, "a", "p", "1")
    commit(lake, "a", "p", "2")
    seen = later(lake)
    removing = seen.storage.remove

    def fail(path: str) -> None:
        raise StorageError("the disk is away")

    seen.storage.remove = fail  # type: ignore[method-assign]
    with pytest.raises(StorageError, match="the disk is away"):
        remove(seen, plan_removal(seen, Terms()))
    seen.storage.remove = removing  # type: ignore[method-assign]
    assert len(lake.storage.names(FOLDER)) == 1
    with pytest.raises(RemovedMeanwhileError):
        commit(later(lake, 40), "b", "q", "x", [old])
    commit(later(lake, 40 + 2 * (LIFE / DAYS)), "b", "q", "x", [old])
    tomorrow = later(lake, 41)
    assert remove(tomorrow, plan_removal(tomorrow, Terms())).versions == 0
    assert lake.storage.names(FOLDER) == []
    assert removals(lake) == []


def test_an_interruption_leaves_a_true_record(lake: Lake) -> None:
    raw = lake.put_object([b"raw"], "raw.fq")
    for version in ("1", "2", "3"):
        commit(lake, "a", "p", version)
    seen, done, before = later(lake), Removed(), names(lake)

    def interrupt() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        remove(seen, plan_removal(seen, Terms()), progress=Arrivals(interrupt), removed=done)
    # Ctrl-C may come before anything was removed.
    require_true_record(lake, before, done)
    calls = iter([False, False, True])
    with pytest.raises(KeyboardInterrupt):
        remove(
            seen,
            plan_removal(seen, Terms()),
            progress=Arrivals(lambda: interrupt() if next(calls) else None),
            removed=done,
        )
    require_true_record(lake, before, done)
    assert (done.versions, lake.has_object(raw.sha256)) == (2, True)


def test_a_log_that_takes_longer_to_list_than_a_batch_may_ends_it_with_a_message(lake: Lake) -> None:
    commit(lake, "a", "p", "1")
    commit(lake, "a", "p", "2")
    clock = [utc_now() + 40 * DAYS]
    seen = Lake(lake.url, now=lambda: clock[0])
    plan = plan_removal(seen, Terms())
    names_of = seen.storage.names

    def slow_names(folder: str) -> list[str]:
        if folder == "log":
            clock[0] += LONGEST_BATCH + timedelta(minutes=1)
        return names_of(folder)

    seen.storage.names = slow_names  # type: ignore[method-assign]
    with pytest.raises(StorageError, match=r"took 16 minutes, .* for 15 minutes only"):
        remove(seen, plan)
    assert [item.version for item in lake.history("a", "p")] == ["1", "2"]
    assert lake.storage.names(FOLDER) == []


def test_two_removals_at_once_both_end_well(lake: Lake) -> None:
    for number in range(6):
        commit(lake, "a", f"p{number}", "1")
        commit(lake, "a", f"p{number}", "2")
    seen, other = later(lake), later(lake)
    second = plan_removal(other, Terms())
    ends: list[Removed] = []

    def arrive() -> None:
        if not ends:
            ends.append(Removed())
            ends[0] = remove(other, second)

    first = remove(seen, plan_removal(seen, Terms()), at_once=4, progress=Arrivals(arrive))
    assert first.versions + ends[0].versions == 6
    rows = [row["removed_partition"] for made in removals(lake) for row in read_rows(lake, made, "removals")]
    assert set(rows) == {f"p{number}" for number in range(6)}
    assert lake.verify_all().problems == ()


def test_a_lake_in_a_bucket_is_guarded_alike(tmp_path: Path) -> None:
    lake = Lake(f"memory://{tmp_path.name}-gc", cache=tmp_path)
    old = commit(lake, "a", "p", "1")
    commit(lake, "a", "p", "2")
    commit(lake, "a", "p", "3")
    used = commit(lake, "b", "q", "x", [old])
    seen = later(lake)

    def arrive() -> None:
        with pytest.raises(RemovedMeanwhileError):
            commit(lake, "c", "r", "x", [old, going])

    (going,) = [item for item in lake.history("a", "p") if item.version == "2"]
    plan = plan_removal(seen, Terms())
    assert remove(seen, plan, progress=Arrivals(arrive)).versions == 1
    assert [item.version for item in lake.history("a", "p")] == ["1", "3"]
    assert (lake.head("b", "q"), lake.head("c", "r")) == (used, None)
    assert "version 2 of a of p was removed on" in removal_note(lake, "a", "p", version="2")
