"""The inbox: what is taken, what is refused with which words, what is left alone, and kills."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from refinebio_assets.errors import RequestError
from refinebio_assets.lake.store import Lake
from refinebio_assets.pipelines.datasets import inbox
from refinebio_assets.pipelines.datasets.inbox import InboxPass, inbox_folder, requests_after, take_requests
from refinebio_assets.pipelines.datasets.registry import registered_dataset, registered_datasets
from refinebio_assets_tests.pipelines.study import Study

GOOD = "data:\n  STUDY: ALL\nname: zebrafish\n"


@pytest.fixture
def processed(study: Study) -> Study:
    study.process()
    return study


def drop(folder: Path, name: str, text: str, *, age: float = 60) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(text, encoding="utf-8")
    os.utime(path, (time.time() - age,) * 2)
    return path


def one_pass(study: Study) -> InboxPass:
    return take_requests(study.lake, study.catalog, study.folder / "in")


def test_a_request_is_taken_kept_and_moved_with_a_text_that_names_the_dataset(processed: Study) -> None:
    folder = processed.folder / "in"
    drop(folder, "a.yaml", GOOD)
    (taken,) = one_pass(processed).taken
    assert (taken.file, taken.dataset, taken.problem) == ("a.yaml", "zebrafish", "")
    assert registered_dataset(processed.lake, "zebrafish").request.samples == ["S1", "S2", "S3"]
    assert not (folder / "a.yaml").exists()
    assert "dataset show zebrafish" in (folder / "accepted" / "a.yaml.txt").read_text(encoding="utf-8")
    assert one_pass(processed) == InboxPass(failed={})


def test_a_request_without_a_name_gets_the_same_id_however_often_it_is_dropped(processed: Study) -> None:
    for _ in range(2):
        drop(processed.folder / "in", "a.yaml", "data: {STUDY: [S1]}\n")
        one_pass(processed)
    (dataset,) = registered_datasets(processed.lake)
    assert len(processed.lake.history("dataset_request", dataset)) == 1
    assert sorted(path.name for path in (processed.folder / "in" / "accepted").iterdir()) == [
        *("a-2.yaml", "a-2.yaml.txt", "a.yaml", "a.yaml.txt")
    ]


def test_all_that_is_wrong_with_a_request_is_in_the_text_beside_it(processed: Study) -> None:
    folder = processed.folder / "in"
    drop(folder, "bad.json", '{"data": {"STUDY": ["S9"], "NOWHERE": "ALL"}}')
    drop(folder, "broken.yaml", "data:\n  STUDY: [S1\nname: x\n")
    drop(folder, "request.docx", "PK")
    done = one_pass(processed)
    assert {taken.file: taken.dataset for taken in done.taken} == dict.fromkeys(
        ["bad.json", "broken.yaml", "request.docx"], ""
    )
    said = {path.name: path.read_text(encoding="utf-8") for path in (folder / "refused").glob("*.txt")}
    assert "there is no sample S9" in said["bad.json.txt"] and "no experiment NOWHERE" in said["bad.json.txt"]
    assert "line 3" in said["broken.yaml.txt"]
    assert "a name that ends in .yaml" in said["request.docx.txt"]
    assert registered_datasets(processed.lake) == []


def test_files_that_may_not_be_whole_yet_are_left_until_they_settle(processed: Study) -> None:
    folder = processed.folder / "in"
    half = drop(folder, "half.yaml", "data:\n  STU", age=0)
    drop(folder, "upload.yaml.part", "data:\n")
    drop(folder, ".hidden.yaml", "data:\n")
    done = one_pass(processed)
    assert done.taken == () and done.waiting == ("half.yaml", "upload.yaml.part")
    assert half.exists()
    drop(folder, "half.yaml", GOOD)
    assert [taken.dataset for taken in one_pass(processed).taken] == ["zebrafish"]


def test_a_link_is_not_followed(processed: Study, tmp_path: Path) -> None:
    target = drop(tmp_path / "elsewhere", "secret.yaml", GOOD)
    (processed.folder / "in").mkdir()
    (processed.folder / "in" / "link.yaml").symlink_to(target)
    os.utime(processed.folder / "in" / "link.yaml", (1, 1), follow_symlinks=False)
    (taken,) = one_pass(processed).taken
    assert "is a link" in taken.problem and target.exists()


def test_a_name_that_another_request_has_is_refused(processed: Study) -> None:
    drop(processed.folder / "in", "a.yaml", GOOD)
    one_pass(processed)
    drop(processed.folder / "in", "b.yaml", GOOD.replace("ALL", "[S1]"))
    (taken,) = one_pass(processed).taken
    assert "there is a dataset zebrafish with another request" in taken.problem


def test_while_another_pass_is_at_work_nothing_is_taken(processed: Study) -> None:
    drop(processed.folder / "in", "a.yaml", GOOD)
    with inbox._only_pass(processed.folder / "in") as alone:
        assert alone
        assert one_pass(processed) == InboxPass()
    assert len(one_pass(processed).taken) == 1


def test_a_pass_that_was_killed_before_it_moved_the_file_asks_once(
    processed: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    drop(processed.folder / "in", "a.yaml", "data: {STUDY: [S1]}\n")

    def killed(*_: object) -> Path:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(inbox, "_move", killed)
        with pytest.raises(KeyboardInterrupt):
            one_pass(processed)
    (taken,) = one_pass(processed).taken
    assert registered_datasets(processed.lake) == [taken.dataset]
    assert len(processed.lake.history("dataset_request", taken.dataset)) == 1


def test_requests_that_came_later_are_found_by_their_commit(processed: Study) -> None:
    drop(processed.folder / "in", "a.yaml", GOOD)
    one_pass(processed)
    (first,) = requests_after(processed.lake, "")
    drop(processed.folder / "in", "b.yaml", "data: {STUDY: [S1]}\nname: second\n")
    one_pass(processed)
    assert [found.dataset for found in requests_after(processed.lake, "")] == ["zebrafish", "second"]
    assert [found.dataset for found in requests_after(processed.lake, first.commit.id)] == ["second"]


def test_the_inbox_is_in_a_local_lake_or_where_the_variable_says(tmp_path: Path) -> None:
    assert inbox_folder(Lake(str(tmp_path)), {}) == tmp_path / "inbox"
    assert inbox_folder(Lake("s3://b"), {"REFINEBIO_INBOX": str(tmp_path)}) == tmp_path
    with pytest.raises(RequestError, match="REFINEBIO_INBOX"):
        inbox_folder(Lake("s3://b", cache=tmp_path), {})
