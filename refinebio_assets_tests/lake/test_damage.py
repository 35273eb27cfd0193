"""Damage is named without changing anything, and moved out of the way on request, on every kind of lake."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from refinebio_assets.errors import FormatError, StorageRefusedError
from refinebio_assets.lake.catalog import Catalog
from refinebio_assets.lake.damage import Damage, set_aside, unmade
from refinebio_assets.lake.store import Commit, Lake
from refinebio_assets.pipelines.remedies import known_losses
from refinebio_assets_tests.lake.making import commit_files, commit_record, content_of, damage
from refinebio_assets_tests.lake.nursery import Nursery


def everything(lake: Lake) -> dict[str, bytes]:
    """Return all files of a lake but those on their way in."""
    parts = ("objects", "assets", "log", "damaged")
    return {
        f"{part}/{path}": lake.storage.read(f"{part}/{path}")
        for part in parts
        for path in lake.storage.tree(part)
    }


def moved(lake: Lake) -> dict[str, str]:
    return dict(set_aside(lake, lake.verify_all().problems))


@pytest.fixture
def commits(lake: Lake) -> list[Commit]:
    """Three commits that share a raw file and have one of their own."""
    shared = lake.put_object([b"shared"], "raw.txt")
    made = []
    for partition in ("E1", "E2", "E3"):
        with lake.draft("a", partition) as draft:
            draft.attach(shared)
            (draft.folder / "own").write_text(partition)
            made.append(draft.commit(version="v", code_version="1"))
    return made


def test_verifying_changes_nothing_and_tells_kinds_of_damage_apart(lake: Lake, commits: list[Commit]) -> None:
    shared = commits[0].file("raw.txt")
    damage(lake, shared, b"SHARED")
    lake.storage.remove(commits[1].file("own").path)
    lake.storage.put_bytes(b'{"format": 1, ', commits[2].entry.path)
    newer = commit_files(lake, "b", "p", {"f": b"1"})
    lake.storage.put_bytes(b'{"format": 99}', newer.entry.path)
    before = everything(lake)
    problems = lake.verify_all().problems
    assert everything(lake) == before
    assert {(problem.path, problem.damage) for problem in problems} == {
        (shared.path, Damage.CONTENT),
        (commits[1].file("own").path, Damage.LOST),
        (commits[2].entry.path, Damage.RECORD),
        (newer.entry.path, Damage.NEWER),
    }
    (content,) = {problem.problem for problem in problems if problem.damage is Damage.CONTENT}
    assert "expected sha256" in content
    assert "found" in content


def test_only_the_newest_commit_of_a_partition_counts_as_such(lake: Lake) -> None:
    old, new = (commit_files(lake, "a", "p", {"f": content}) for content in (b"old", b"new"))
    for commit in (old, new):
        damage(lake, commit.files[0], b"bad")
    assert {problem.commit: problem.is_newest for problem in lake.verify_all().problems} == {
        old.entry.path: False,
        new.entry.path: True,
    }


def test_what_is_damaged_is_moved_and_nothing_is_deleted(lake: Lake, commits: list[Commit]) -> None:
    shared, own = commits[0].file("raw.txt"), commits[1].file("own")
    damage(lake, shared, b"SHARED")
    damage(lake, own, b"E")
    contents = sorted(everything(lake).values())
    found = moved(lake)
    assert set(found) == {shared.path, own.path}
    for path, target in found.items():
        assert target.startswith("damaged/")
        assert target.endswith(f"/{path}")
        assert lake.storage.size(path) is None
    assert lake.storage.read(found[shared.path]) == b"SHARED"
    assert sorted(everything(lake).values()) == contents
    assert lake.missing_files(commits[0]) == ["raw.txt"], "also in a bucket, where one listing tells it"
    assert sorted(lake.missing_files(commits[1])) == ["own", "raw.txt"]
    assert {problem.damage for problem in lake.verify_all().problems} == {Damage.LOST}
    assert moved(lake) == {}, "lost files are left alone"
    assert lake.put_object([b"shared"], "raw.txt") == shared
    assert lake.missing_files(commits[0]) == []


def test_a_lost_table_counts_as_missing(lake: Lake) -> None:
    commit = commit_record(lake, "E1")
    lake.storage.remove(commit.file("tables/samples.parquet").path)
    assert lake.missing_files(commit) == ["tables/samples.parquet"]
    assert lake.missing_files(commit, tables=False) == []


def test_content_that_is_brought_in_again_replaces_what_was_damaged_in_place(lake: Lake) -> None:
    stored = lake.put_object([b"content"], "raw.txt")
    damage(lake, stored, b"CONTENT")
    lake.put_object([b"content"], "raw.txt")
    assert content_of(lake, stored) == b"content"


def test_a_damaged_record_goes_with_its_files_and_an_earlier_commit_heads_its_partition(lake: Lake) -> None:
    old, new = (commit_files(lake, "a", "p", {"f": content}) for content in (b"old", b"new"))
    lake.storage.put_bytes(b"\0" * 20, new.entry.path)
    with pytest.raises(FormatError):
        lake.head("a", "p")
    assert list(moved(lake)) == [new.files[0].path, new.entry.path], "the record last, as it names the rest"
    assert lake.head("a", "p") == old
    assert [problem.path for problem in lake.verify_all().problems] == [new.entry.path], "until it is made"
    assert lake.orphans() == []


def test_a_record_of_newer_software_and_what_is_whole_again_stay(lake: Lake, commits: list[Commit]) -> None:
    lake.storage.put_bytes(b'{"format": 99}', commits[0].entry.path)
    damage(lake, commits[1].file("own"), b"bad")
    record = lake.storage.read(commits[2].entry.path)
    lake.storage.put_bytes(b"{", commits[2].entry.path)
    problems = lake.verify_all().problems
    damage(lake, commits[1].file("own"), b"E2")
    lake.storage.put_bytes(record, commits[2].entry.path)
    assert list(set_aside(lake, problems)) == []


def test_a_catalog_forgets_a_record_that_was_set_aside(local_lake: Lake, catalog: Catalog) -> None:
    commit_record(local_lake, "E1", "v1", ["S1"])
    bad = commit_record(local_lake, "E1", "v2", ["S2"])
    catalog.sync()
    local_lake.storage.put_bytes(b"{", bad.entry.path)
    moved(local_lake)
    assert catalog.sync().problems == ()
    assert catalog.query("SELECT sample FROM samples").to_pydict() == {"sample": ["S1"]}


def test_what_removed_on_purpose_meanwhile_is_no_damage(lake: Lake, commits: list[Commit]) -> None:
    entry, read = commits[0].entry, lake.read

    def read_and_remove(found: object) -> Commit:
        lake.storage.remove(entry.path)
        return read(found)  # type: ignore[arg-type]

    lake.read = read_and_remove  # type: ignore[method-assign, assignment]
    report = lake.verify_all()
    assert report.problems == ()


def test_set_aside_killed_at_any_time_loses_nothing(tmp_path: Path) -> None:
    lake = Lake(str(tmp_path / "lake"))
    commit = commit_files(lake, "a", "p", {f"f{number}": b"%d" % number for number in range(200)})
    for file in commit.files:
        damage(lake, file, b"damaged " + file.name.encode())
    with Nursery() as nursery:
        for kill in (1, 2, 50, 100):
            child = nursery.fork("set_damage_aside", root=lake.url, killed_at=kill)
            assert nursery.wait(child) == -signal.SIGKILL
    assert len(moved(lake)) == 200 - (0 + 1 + 49 + 99), "each moved what it had come to"
    assert [problem.damage for problem in lake.verify_all().problems] == [Damage.LOST] * 200
    contents = {lake.storage.read(f"damaged/{path}") for path in lake.storage.tree("damaged")}
    assert contents == {b"damaged " + file.name.encode() for file in commit.files}


def test_an_interrupted_move_in_a_bucket_is_taken_up_again(memory_lake: Lake) -> None:
    commit = commit_files(memory_lake, "a", "p", {"f": b"1"})
    damage(memory_lake, commit.files[0], b"x")
    # What a kill between copy and removal leaves.
    memory_lake.storage.put_bytes(b"x", f"damaged/20260101T000000Z/{commit.files[0].path}")
    assert list(moved(memory_lake)) == [commit.files[0].path]
    assert memory_lake.missing_files(commit) == ["f"]


def test_a_place_that_refuses_is_said_and_nothing_is_lost(local_lake: Lake) -> None:
    commit = commit_files(local_lake, "a", "p", {"f": b"1"})
    damage(local_lake, commit.files[0], b"x")
    (Path(local_lake.url) / "damaged").write_text("a file where the folder belongs")
    with pytest.raises(StorageRefusedError, match="moving"):
        moved(local_lake)
    assert content_of(local_lake, commit.files[0]) == b"x"


def test_a_record_that_was_set_aside_is_named_until_there_is_a_newer_version(lake: Lake) -> None:
    commit_files(lake, "a", "p", {"f": b"1"})
    newest = commit_files(lake, "a", "p", {"f": b"2"})
    lake.storage.put_bytes(b"{", newest.entry.path)
    moved(lake)
    (problem,) = lake.verify_all().problems
    assert (problem.path, problem.damage, problem.is_newest) == (newest.entry.path, Damage.LOST, True)
    assert moved(lake) == {}
    assert set(unmade(lake).values()) == {newest.entry}
    commit_files(lake, "a", "p", {"f": b"2"})
    assert lake.verify_all().problems == ()
    assert unmade(lake) == {}


def test_of_a_lost_file_a_note_is_taken(lake: Lake) -> None:
    old, new = (commit_files(lake, "a", "p", {"f": content}) for content in (b"old", b"new"))
    for commit in (old, new):
        lake.storage.remove(commit.files[0].path)
    problems = lake.verify_all().problems
    assert known_losses(lake, problems) == []
    assert moved(lake) == {}, "nothing is there to be moved"
    (known,) = known_losses(lake, lake.verify_all().problems)
    assert known.path == old.files[0].path, "what the newest lost is to be made again"
    assert set(unmade(lake)) == {new.files[0].path}
    commit_files(lake, "a", "p", {"f": b"new"})
    problems = lake.verify_all().problems
    assert known_losses(lake, problems) == list(problems), "it was taken note of when it was the newest"
