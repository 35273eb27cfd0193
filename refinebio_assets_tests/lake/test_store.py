"""What every lake promises, on a local disk, in memory and in a bucket."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import pytest

from refinebio_assets.errors import CorruptionError, FormatError, NotFoundError, RequestError
from refinebio_assets.lake.store import Commit, InputRef, Lake, StoredFile
from refinebio_assets_tests.lake.making import (
    commit_files,
    commit_record,
    commit_results,
    content_of,
    damage,
    experiment_row,
)

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def test_a_commit_is_read_back_as_it_was_made(lake: Lake) -> None:
    raw = lake.put_object([b"re", b"ads"], "reads.fastq.gz")
    with lake.draft("transcriptome_index", "HOMO_SAPIENS") as draft:
        (draft.folder / "k31").mkdir()
        (draft.folder / "k31" / "info.json").write_text("{}")
        draft.write_table("experiments", [experiment_row("E1")])
        draft.attach(raw)
        made = draft.commit(
            version="v1",
            code_version="7",
            inputs=[InputRef("genome", "HOMO_SAPIENS", "v0")],
            info={"basis": {"release": "110"}, "lengths": (1, 2)},
            run_id="run 1",
        )
    found = lake.head("transcriptome_index", "HOMO_SAPIENS")
    assert found == made
    assert {file.name for file in made.files} == {
        "k31/info.json",
        "tables/experiments.parquet",
        "reads.fastq.gz",
    }
    assert made.info == {"basis": {"release": "110"}, "lengths": [1, 2]}
    assert made.inputs == (InputRef("genome", "HOMO_SAPIENS", "v0"),)
    assert made.tables == {"experiments": "tables/experiments.parquet"}
    assert (made.version, made.code_version, made.run_id) == ("v1", "7", "run 1")


def test_the_newest_commit_is_the_head_and_the_history_has_all_of_them(lake: Lake) -> None:
    commits = [commit_files(lake, "a", "p", {"f": b"%d" % number}) for number in range(3)]
    assert lake.head("a", "p") == commits[-1]
    assert lake.history("a", "p") == commits


def test_a_partition_without_commits_has_no_head_and_no_history(lake: Lake) -> None:
    assert lake.head("a", "p") is None
    assert lake.history("a", "p") == []
    assert lake.partitions("a") == []
    assert lake.assets() == []


def test_assets_and_partitions_are_listed_by_their_true_names(lake: Lake) -> None:
    names = ["../up", "a/b ♥", "x" * 500, ".hidden", ""]
    for name in names:
        commit_files(lake, "asset with / and ♥", name, {"f": b"1"})
    assert lake.assets() == ["asset with / and ♥"]
    assert lake.partitions("asset with / and ♥") == sorted(names)
    for name in names:
        head = lake.head("asset with / and ♥", name)
        assert head is not None
        assert head.partition == name
        lake.verify(head)


def test_an_object_is_stored_once_and_found_by_its_checksum(lake: Lake) -> None:
    first = lake.put_object([b"same"], "one.txt")
    second = lake.put_object(iter([b"sa", b"", b"me"]), "two.txt")
    checksum = sha256(b"same").hexdigest()
    assert first == StoredFile("one.txt", f"objects/{checksum[:2]}/{checksum}", 4, checksum)
    assert (second.path, second.name) == (first.path, "two.txt")
    assert lake.has_object(checksum)
    assert not lake.has_object("0" * 64)
    assert content_of(lake, second) == b"same"


def test_an_empty_object_is_an_object(lake: Lake) -> None:
    stored = lake.put_object([], "empty")
    assert stored.size == 0
    assert lake.local(stored).read_bytes() == b""


def test_a_source_that_fails_leaves_nothing_and_keeps_its_own_error(lake: Lake) -> None:
    def chunks() -> Iterator[bytes]:
        yield b"some"
        raise ConnectionResetError("the archive hung up")

    with pytest.raises(ConnectionResetError, match="the archive hung up"):
        lake.put_object(chunks(), "x")
    assert not list(lake.storage.scratch.iterdir())


def test_files_are_given_to_programs_as_local_paths(lake: Lake) -> None:
    commit = commit_files(lake, "index", "p", {"k31/a.bin": b"A", "k31/deep/b.bin": b"B", "k3": b"C"})
    folder = lake.local_folder(commit, "k31")
    assert (folder / "a.bin").read_bytes() == b"A"
    assert (folder / "deep" / "b.bin").read_bytes() == b"B"
    assert lake.local_folder(commit, "k31") == folder
    assert lake.local(commit.file("k3")).read_bytes() == b"C"
    with pytest.raises(NotFoundError, match="no folder 'k23'"):
        lake.local_folder(commit, "k23")


def test_a_folder_with_attached_objects_is_put_together(lake: Lake) -> None:
    stored = lake.put_object([b"attached"], "k31/attached.bin")
    with lake.draft("index", "p") as draft:
        (draft.folder / "k31").mkdir()
        (draft.folder / "k31" / "own.bin").write_bytes(b"own")
        draft.attach(stored)
        commit = draft.commit(version="v", code_version="1")
    folder = lake.local_folder(commit, "k31")
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == {
        "attached.bin": b"attached",
        "own.bin": b"own",
    }


def test_attached_files_of_one_name_are_kept_apart_by_their_checksum(lake: Lake) -> None:
    objects = [lake.put_object([content], "quant.sf") for content in (b"one", b"two", b"one")]
    with lake.draft("raw_files", "p") as draft:
        for stored in objects:
            draft.attach(stored)
        commit = draft.commit(version="v", code_version="1")
    assert [file.name for file in commit.files] == ["quant.sf", f"{objects[1].sha256[:12]}/quant.sf"]
    assert {content_of(lake, file) for file in commit.files} == {b"one", b"two"}


def test_what_is_not_stored_cannot_be_attached(lake: Lake) -> None:
    with lake.draft("a", "p") as draft, pytest.raises(NotFoundError, match="not in the lake"):
        draft.attach(StoredFile("x", f"objects/00/{'0' * 64}", 3, "0" * 64))


def test_tables_are_read_back_with_their_declared_schema(lake: Lake) -> None:
    commit = commit_record(lake, "E1")
    table = lake.read_table(commit, "samples")
    assert table.column("sample").to_pylist() == ["S1", "S2"]
    assert table.column("platform").to_pylist() == [None, None]
    with pytest.raises(NotFoundError, match="no table 'results'; it has experiments, samples"):
        lake.read_table(commit, "results")


def test_a_draft_that_is_left_without_commit_leaves_nothing(lake: Lake) -> None:
    with lake.draft("a", "p") as draft:
        (draft.folder / "file").write_text("x")
    with pytest.raises(ZeroDivisionError), lake.draft("a", "p") as draft:
        (draft.folder / "file").write_text("x")
        _ = 1 / 0
    assert not list(lake.storage.scratch.iterdir())
    assert lake.head("a", "p") is None
    assert lake.storage.tree("assets") == {}


def test_a_draft_is_over_after_its_commit(lake: Lake) -> None:
    with lake.draft("a", "p") as draft:
        draft.commit(version="v", code_version="1")
        for action in (
            lambda: draft.commit(version="v", code_version="1"),
            lambda: draft.write_table("experiments", []),
            lambda: draft.attach(StoredFile("x", "objects/x", 1, "x")),
        ):
            with pytest.raises(RequestError, match="is over"):
                action()
    assert len(lake.history("a", "p")) == 1
    assert not list(lake.storage.scratch.iterdir())


def test_a_commit_may_have_no_files_at_all(lake: Lake) -> None:
    made = commit_files(lake, "a", "p", {}, info={"verdict": "nothing to do"})
    assert lake.head("a", "p") == made


def test_info_that_is_no_json_is_refused_and_leaves_nothing(lake: Lake) -> None:
    for info in ({"x": object()}, {"x": float("nan")}, {"x": "\ud800"}):
        with pytest.raises(RequestError, match="cannot be written as JSON"):
            commit_files(lake, "a", "p", {"f": b"1"}, info=info)
    assert lake.head("a", "p") is None
    assert lake.storage.tree("assets") == {}


def test_a_link_in_a_draft_is_refused_as_it_may_point_anywhere(lake: Lake) -> None:
    with lake.draft("a", "p") as draft:
        (draft.folder / "link").symlink_to("/etc/passwd")
        with pytest.raises(RequestError, match="link or device"):
            draft.commit(version="v", code_version="1")
    assert lake.head("a", "p") is None


def test_names_that_would_leave_the_lake_are_refused(lake: Lake) -> None:
    for name in ("../x", "/etc/passwd", "a/../../x", "", "a//b", ".", "nul\x00"):
        with pytest.raises(RequestError, match="file name"):
            lake.put_object([b"x"], name)
    with pytest.raises(RequestError, match="not valid Unicode"), lake.draft("a", "\ud800"):
        pass
    with pytest.raises(RequestError, match="not a sha256"):
        lake.has_object("../../etc/passwd")


def test_an_unknown_file_of_a_commit_is_named_with_those_there_are(lake: Lake) -> None:
    commit = commit_files(lake, "a", "p", {f"f{number}": b"1" for number in range(7)})
    with pytest.raises(NotFoundError, match=r"no file 'g'; there are f0, f1, f2, f3, f4 and 2 more"):
        commit.file("g")


def test_verify_names_a_damaged_file_with_both_checksums(lake: Lake) -> None:
    commit = commit_files(lake, "a", "p", {"data.bin": b"good", "other": b"fine"})
    lake.verify(commit)
    damage(lake, commit.file("data.bin"), b"evil")
    with pytest.raises(CorruptionError) as caught:
        lake.verify(commit)
    for part in ("data.bin", sha256(b"good").hexdigest(), sha256(b"evil").hexdigest()):
        assert part in str(caught.value)


def test_verify_names_a_lost_file(lake: Lake) -> None:
    commit = commit_files(lake, "a", "p", {"folder/data.bin": b"good"})
    lake.storage.remove(f"{commit.entry.folder}/folder")
    with pytest.raises(NotFoundError, match=r"folder/data.bin is not in the lake"):
        lake.verify(commit)
    assert lake.missing_files(commit) == ["folder/data.bin"]
    with pytest.raises(NotFoundError):
        lake.local(commit.file("folder/data.bin"))


def test_a_commit_is_found_by_its_id_alone(lake: Lake) -> None:
    first = commit_files(lake, "a", "p", {"data.bin": b"1"})
    second = commit_files(lake, "a", "p", {"data.bin": b"2"})
    assert lake.find("a", "p", first.id) == first
    assert lake.find("a", "p", second.id) == second
    assert lake.find("a", "p", "20260101T000000.000000Z-00000000") is None
    assert lake.find("a", "other", first.id) is None


def test_a_file_that_was_cut_counts_as_missing(lake: Lake) -> None:
    commit = commit_files(lake, "a", "p", {"folder/data.bin": b"good", "whole.bin": b"fine"})
    damage(lake, commit.file("folder/data.bin"), b"go")
    assert lake.missing_files(commit) == ["folder/data.bin"]


def test_a_damaged_table_is_never_read(lake: Lake) -> None:
    commit = commit_record(lake, "E1")
    file = commit.file("tables/samples.parquet")
    damage(lake, file, content_of(lake, file)[:-20] + b"x" * 20)
    with pytest.raises(CorruptionError, match=r"tables/samples.parquet"):
        lake.read_table(commit, "samples")


def test_a_damaged_record_is_an_error_that_names_it(lake: Lake) -> None:
    commit = commit_files(lake, "a", "p", {"f": b"1"})
    lake.storage.put_bytes(b'{"format": 1, "id"', commit.entry.path)
    with pytest.raises(FormatError, match=r"log/a/p/.*\.json: expected a commit record in JSON"):
        lake.head("a", "p")


def test_commits_sort_by_time_even_when_clocks_disagree(open_lake: Callable[..., Lake]) -> None:
    ahead = open_lake(now=lambda: NOON + timedelta(hours=1))
    behind = open_lake(now=lambda: NOON)
    first = commit_files(ahead, "a", "p", {"f": b"1"})
    second = commit_files(behind, "a", "p", {"f": b"2"})
    third = commit_files(behind, "a", "p", {"f": b"3"})
    assert behind.history("a", "p") == [first, second, third]
    assert third.id.startswith("20261123T130000.000002Z-")
    assert third.created_at == NOON + timedelta(hours=1, microseconds=2)


def test_other_processes_commits_are_seen_at_once(open_lake: Callable[..., Lake]) -> None:
    one, other = open_lake(), open_lake()
    assert one.head("a", "p") is None
    assert one.partitions("a") == []
    made = commit_files(other, "a", "p", {"f": b"1"})
    assert one.head("a", "p") == made
    assert one.partitions("a") == ["p"]
    again = commit_files(other, "a", "p", {"f": b"2"})
    assert one.history("a", "p") == [made, again]
    assert {entry.id for entry in one.log()} == {made.id, again.id}


def test_the_log_can_leave_out_assets(lake: Lake) -> None:
    commit_files(lake, "sample_quantification", "S1", {"f": b"1"})
    listed = commit_files(lake, "experiment_record", "E1", {"f": b"1"})
    assert [entry.id for entry in lake.log(without=["sample_quantification"])] == [listed.id]


def test_strange_file_names_are_no_patterns(lake: Lake) -> None:
    files = {"a*b": b"1", "a[1]?": b"2", "a": b"3", "späce ♥/#x": b"4"}
    commit = commit_files(lake, "x*", "y[0]", files)
    assert {file.name: content_of(lake, file) for file in commit.files} == files
    lake.storage.remove(f"{commit.entry.folder}/a*b")
    lake.verify(commit_results(lake, "E1"))


def test_stored_files_are_read_only_on_disk(local_lake: Lake) -> None:
    stored = local_lake.put_object([b"x"], "x")
    commit = commit_files(local_lake, "a", "p", {"k/f": b"1"})
    for path in (local_lake.local(stored), local_lake.local(commit.files[0])):
        assert path.stat().st_mode & 0o222 == 0


def test_commits_are_values(lake: Lake) -> None:
    commit = commit_files(lake, "a", "p", {"f": b"1"})
    assert isinstance(commit, Commit)
    with pytest.raises(AttributeError):
        commit.version = "other"  # type: ignore[misc]
