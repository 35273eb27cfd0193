"""Commits where something was removed before: what is asked and read for them, and what may be in the way."""

from __future__ import annotations

from pathlib import Path

import pytest

from refinebio_assets.errors import RemovedMeanwhileError, StorageError
from refinebio_assets.lake.records import InputRef
from refinebio_assets.lake.removal_notices import FOLDER, LIFE, post_notice, posted_notices
from refinebio_assets.lake.removals import removal_note
from refinebio_assets.lake.store import Lake
from refinebio_assets.pipelines.garbage.candidates import Terms
from refinebio_assets.pipelines.garbage.collection import plan_removal
from refinebio_assets.pipelines.garbage.removal import remove
from refinebio_assets_tests.pipelines.garbage.test_commits_meanwhile import DAYS, commit, later, removals


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(str(tmp_path / "lake"))


def test_a_notice_that_binds_nobody_any_more_is_not_even_read(lake: Lake) -> None:
    post_notice(lake, [{"removed_asset": "a"}])
    two_hours_later = later(lake, 2 * (LIFE / DAYS))

    def read(path: str) -> bytes:
        raise StorageError(f"{path} is not to be read")

    two_hours_later.storage.read = read  # type: ignore[method-assign]
    assert list(posted_notices(two_hours_later, in_force=True)) == []
    with pytest.raises(StorageError):
        list(posted_notices(two_hours_later))


@pytest.mark.parametrize("stray", [".DS_Store", "notes.json"])
def test_a_file_that_is_no_notice_stops_neither_commits_nor_removals(lake: Lake, stray: str) -> None:
    lake.storage.put_bytes(b"", f"{FOLDER}/{stray}")
    first = commit(lake, "a", "p", "1")
    commit(lake, "a", "p", "2")
    made = commit(lake, "b", "q", "x", [first])
    commit(lake, "b", "q", "y")
    seen = later(lake)
    assert remove(seen, plan_removal(seen, Terms())).versions == 2
    assert lake.find("b", "q", made.id) is None


@pytest.mark.parametrize("away", [("names",), ("names", "remove")])
def test_a_commit_that_could_not_look_is_taken_back_unless_the_storage_refuses_that_too(
    lake: Lake, away: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = commit(lake, "a", "p", "1")
    put_bytes = lake.storage.put_bytes

    def fail(path: str) -> None:
        raise StorageError("the disk is away")

    def put_and_lose(data: bytes, path: str) -> None:
        put_bytes(data, path)
        for method in away:
            monkeypatch.setattr(lake.storage, method, fail)

    monkeypatch.setattr(lake.storage, "put_bytes", put_and_lose)
    with pytest.raises(StorageError, match="the disk is away"):
        commit(lake, "b", "q", "x", [first])
    monkeypatch.undo()
    assert lake.partitions("b") == ([] if away == ("names",) else ["q"])
    assert lake.verify_all().problems == ()


@pytest.mark.parametrize("lost", [True, False])
def test_a_damaged_record_of_a_removal_stops_only_commits_whose_inputs_are_gone(
    lake: Lake, lost: bool
) -> None:
    raw = lake.put_object([b"raw"], "raw.fq")
    old = commit(lake, "a", "p", "1")
    kept = commit(lake, "a", "p", "2")
    seen = later(lake)
    remove(seen, plan_removal(seen, Terms(assets=frozenset({"a"}))))
    (record,) = removals(lake)
    path = record.file(record.tables["removals"]).path
    if lost:
        lake.storage.remove(path)
    else:
        lake.storage.put_bytes(b"PAR1", path)
    assert removal_note(lake, "a", "p") == ""
    inputs = [InputRef("a", "p", kept.version), InputRef("file", raw.sha256, raw.sha256)]
    with seen.draft("b", "q") as draft:
        made = draft.commit(version="x", code_version="1", inputs=inputs)
    gone = InputRef("a", "p", old.version)
    with seen.draft("b", "q") as draft, pytest.raises(RemovedMeanwhileError, match=r"a\[p\] 1"):
        draft.commit(version="y", code_version="1", inputs=[*inputs, gone])
    assert lake.head("b", "q") == made
    assert remove(seen, plan_removal(seen, Terms())).versions == 0


def test_what_was_removed_long_ago_costs_commits_nothing(lake: Lake) -> None:
    for number in range(5):
        commit(lake, "a", f"p{number}", "1")
        commit(lake, "a", f"p{number}", "2")
    seen = later(lake)
    remove(seen, plan_removal(seen, Terms()), at_once=1)
    assert len(removals(lake)) == 5
    used = [head for number in range(5) if (head := lake.head("a", f"p{number}"))]
    asked: dict[float, list[str]] = {}
    for days in (40.5, 80):
        late = later(lake, days)
        asked[days] = looks_at(late)
        commit(late, "b", "q", str(days), used)
    # Of each record only the name is listed; whether what is used is there is asked only in a run's time.
    assert [sum(path.startswith("log/a/") for path in paths) for paths in asked.values()] == [5, 0]
    assert not any(path.startswith("log/removals/") for paths in asked.values() for path in paths)


def looks_at(lake: Lake) -> list[str]:
    """Return the paths that are listed or looked at from now on; the list grows."""
    paths: list[str] = []
    names_in, size_of = lake.storage.names, lake.storage.size

    def names(folder: str) -> list[str]:
        paths.append(folder)
        return names_in(folder)

    def size(path: str) -> int | None:
        paths.append(path)
        return size_of(path)

    lake.storage.names, lake.storage.size = names, size  # type: ignore[method-assign]
    return paths
