"""Verifying everything, and sweeping what killed processes left, on every kind of lake."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from refinebio_assets.errors import NotFoundError, RequestError, StorageError
from refinebio_assets.lake.catalog import Catalog
from refinebio_assets.lake.store import Lake, utc_now
from refinebio_assets.lake.upkeep import OrphanKind, remove_commits
from refinebio_assets_tests.lake.making import commit_files, commit_record, damage

DAY = timedelta(days=1)


def in_two_days() -> datetime:
    return utc_now() + 2 * DAY


def leave_uncommitted_output(lake: Lake, partition: str = "GSE1") -> str:
    """Do what a writer does up to its record."""
    entry = lake.next_entry("a", partition)
    lake.storage.put_bytes(b"half", f"{entry.folder}/tables/x.parquet")
    return entry.folder


def test_all_is_well_with_a_fresh_lake(lake: Lake) -> None:
    commit_record(lake, "E1")
    report = lake.verify_all()
    assert (report.commits, report.files, report.problems) == (1, 2, ())
    assert lake.orphans() == []


def test_a_commit_is_removed_on_purpose_and_what_it_shares_stays(lake: Lake) -> None:
    shared = lake.put_object([b"shared"], "raw.txt")
    commits = []
    for _ in range(2):
        with lake.draft("a", "p") as draft:
            draft.attach(shared)
            (draft.folder / "own").write_text("12345")
            commits.append(draft.commit(version="v", code_version="1"))
    catalog = Catalog(lake)
    catalog.sync()
    assert remove_commits(lake, [commits[1]]) == 5
    assert lake.head("a", "p") == commits[0]
    assert (lake.verify_all().commits, lake.verify_all().problems, lake.orphans()) == (1, (), [])
    assert catalog.sync().commits == 1


def test_every_damaged_and_lost_file_is_reported(lake: Lake) -> None:
    shared = lake.put_object([b"shared"], "raw.txt")
    commits = []
    for partition in ("E1", "E2", "E3"):
        with lake.draft("a", partition) as draft:
            draft.attach(shared)
            (draft.folder / "own").write_text(partition)
            commits.append(draft.commit(version="v", code_version="1"))
    damage(lake, shared, b"wrong!")
    lake.storage.remove(commits[1].entry.folder)
    damage(lake, commits[0].files[0], b"x")
    lake.storage.put_bytes(b"{", commits[2].entry.path)
    report = lake.verify_all()
    found = {(problem.commit, problem.file): problem.problem for problem in report.problems}
    assert set(found) == {
        (commits[0].entry.path, "own"),
        (commits[0].entry.path, "raw.txt"),
        (commits[1].entry.path, "own"),
        (commits[1].entry.path, "raw.txt"),
        (commits[2].entry.path, ""),
    }
    assert "is not in the lake" in found[(commits[1].entry.path, "own")]
    assert "expected sha256" in found[(commits[0].entry.path, "raw.txt")]
    assert (report.commits, report.files) == (3, 3)


def test_only_the_named_assets_are_verified(lake: Lake) -> None:
    commit_files(lake, "one", "p", {"f": b"1"})
    commit_files(lake, "two", "p", {"f": b"2"})
    assert lake.verify_all(["two"]).commits == 1


def test_what_is_young_is_no_orphan(lake: Lake) -> None:
    leave_uncommitted_output(lake)
    with lake.draft("a", "p") as draft:
        (draft.folder / "f").write_text("in the making")
        assert lake.orphans() == []
        assert lake.sweep() == []
        draft.commit(version="v", code_version="1")
    assert lake.head("a", "p") is not None


def test_left_overs_are_swept_and_commits_stay(open_lake: Callable[..., Lake]) -> None:
    lake = open_lake()
    kept = commit_files(lake, "a", "GSE1", {"f": b"1", "sub/g": b"2"})
    stored = lake.put_object([b"nobody's yet"], "raw")
    folder = leave_uncommitted_output(lake)
    staged = lake.storage.scratch / "draft-of-a-killed-process" / "deep"
    staged.mkdir(parents=True)
    (staged / "f").write_text("staged")
    later = open_lake(now=in_two_days)
    orphans = later.sweep()
    assert {
        (orphan.kind, orphan.path.rpartition("/")[2], orphan.size) for orphan in orphans if orphan.size
    } >= {(OrphanKind.OUTPUT, folder.rpartition("/")[2], 4)}
    assert {orphan.kind for orphan in orphans} == {OrphanKind.OUTPUT, OrphanKind.STAGING}
    assert later.orphans() == []
    assert list(lake.storage.scratch.iterdir()) == []
    assert lake.storage.tree(folder) == {}
    assert lake.has_object(stored.sha256), "raw files are kept for whoever needs them next"
    lake.verify(kept)
    assert lake.history("a", "GSE1") == [kept]


def test_a_staged_output_that_was_swept_is_not_committed_by_halves(open_lake: Callable[..., Lake]) -> None:
    lake = open_lake()
    with lake.draft("a", "p") as draft:
        (draft.folder / "f").write_text("asleep for two days")
        assert len(open_lake(now=in_two_days).sweep()) == 1
        with pytest.raises(StorageError, match="is gone"):
            draft.commit(version="v", code_version="1")
    assert lake.head("a", "p") is None


def test_too_young_an_age_is_refused(lake: Lake) -> None:
    with pytest.raises(RequestError, match="may belong to a running process"):
        lake.sweep(older_than=timedelta(minutes=5))


def test_the_age_is_that_of_the_newest_file(local_lake: Lake) -> None:
    staged = local_lake.storage.scratch / "draft-at-work"
    staged.mkdir(parents=True)
    (staged / "old").write_text("x")
    os.utime(staged / "old", (0, 0))
    (staged / "new").write_text("x")
    assert local_lake.orphans(older_than=timedelta(hours=1)) == []


def test_a_lost_folder_of_a_table_is_found(lake: Lake) -> None:
    commit = commit_record(lake, "E1")
    lake.storage.remove(commit.entry.folder)
    with pytest.raises(NotFoundError):
        lake.verify(commit)
    with pytest.raises(NotFoundError):
        lake.read_table(commit, "samples")
