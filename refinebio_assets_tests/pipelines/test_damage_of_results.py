"""What was lost or set aside in the lake is made again by a plain request, with the reason told."""

from __future__ import annotations

from uuid import uuid4

import pytest

from refinebio_assets.errors import NotFoundError
from refinebio_assets.lake.damage import set_aside
from refinebio_assets.lake.store import Commit, Lake, StoredFile
from refinebio_assets.pipelines.due import due_step
from refinebio_assets.pipelines.metadata_overlays import import_corrections
from refinebio_assets.pipelines.remedies import findings
from refinebio_assets_tests.pipelines.study import Study, matrix_of, results_of

CHAIN = ["experiment_record", "harmonized_metadata", "raw_files", "sample_quantifications", "gene_expression"]


def head_of(lake: Lake, asset: str, partition: str = "STUDY") -> Commit:
    commit = lake.head(asset, partition)
    assert commit is not None
    return commit


def damage_in_place(lake: Lake, file: StoredFile) -> None:
    """Change one byte: the size stays, so that only the checksum tells."""
    content = bytearray(lake.storage.read(file.path))
    content[len(content) // 2] ^= 1
    lake.storage.put_bytes(bytes(content), file.path)


def set_all_aside(lake: Lake) -> list[str]:
    """Set damage aside and return the commands that were named for it."""
    problems = lake.verify_all().problems
    commands = [command for finding in findings(lake, problems) for command in finding.commands]
    list(set_aside(lake, problems))
    return list(dict.fromkeys(commands))


def require_whole_again(study: Study, before: object, command: str) -> None:
    """Do what the command says, and see that everything newest is whole and as before."""
    assert command == "process STUDY"
    study.process()
    assert due_step(study.lake, "STUDY") is None
    assert matrix_of(study) == before
    assert [problem for problem in study.lake.verify_all().problems if problem.is_newest] == []


@pytest.fixture(params=["local", "memory"])
def processed(request: pytest.FixtureRequest, study: Study) -> Study:
    """The processed study, in a folder or a bucket."""
    if request.param == "memory":
        study = Study(study.folder, study.rows, url=f"memory://lake-{uuid4().hex}")
        study.register()
    study.process()
    return study


@pytest.mark.parametrize("asset", CHAIN)
def test_damage_of_any_file_or_table_is_made_whole_by_a_plain_request(processed: Study, asset: str) -> None:
    before = matrix_of(processed)
    lake = processed.lake
    own = [file for file in head_of(lake, asset).files if file.path.startswith("assets/")]
    for file in own:
        damage_in_place(lake, file)
    (command,) = set_all_aside(lake)
    due = due_step(lake, "STUDY")
    assert due == (asset, ("its files are no longer whole in the lake",))
    require_whole_again(processed, before, command)


def test_one_lost_table_is_enough(processed: Study) -> None:
    lake = processed.lake
    for asset in CHAIN:
        for name in head_of(lake, asset).tables.values():
            lake.storage.remove(head_of(lake, asset).file(name).path)
            due = due_step(lake, "STUDY")
            assert due is not None
            assert due[0] == asset
            processed.process()
            assert due_step(lake, "STUDY") is None


def test_raw_files_that_were_set_aside_are_brought_in_again(processed: Study) -> None:
    before, lake = matrix_of(processed), processed.lake
    raw = [file for file in head_of(lake, "raw_files").files if file.path.startswith("objects/")]
    for file in raw:
        damage_in_place(lake, file)
    (command,) = set_all_aside(lake)
    due = due_step(lake, "STUDY")
    assert due is not None
    assert due[0] == "raw_files"
    assert "quant_sf of S1 is no longer in the lake" in due[1]
    require_whole_again(processed, before, command)
    assert lake.verify_all().problems == ()


def test_quantifications_that_were_set_aside_are_made_again_and_the_matrix_stays(processed: Study) -> None:
    before, lake = matrix_of(processed), processed.lake
    damage_in_place(lake, head_of(lake, "sample_quantification", "S2").files[0])
    (command,) = set_all_aside(lake)
    assert due_step(lake, "STUDY") == (
        "sample_quantifications",
        ("S2: its quantification is no longer in the lake",),
    )
    require_whole_again(processed, before, command)


def test_a_raw_file_whose_source_is_gone_leaves_what_was_made_of_it(study: Study) -> None:
    study.process()
    before, lake = matrix_of(study), study.lake
    raw = next(file for file in head_of(lake, "raw_files").files if file.name == "S1.sf")
    damage_in_place(lake, raw)
    set_all_aside(lake)
    (study.folder / "S1.sf").unlink()
    study.process()
    assert results_of(study)["S1"]["verdict"] == "processed"
    assert matrix_of(study) == before
    rows = lake.read_table(head_of(lake, "raw_files"), "files").to_pylist()
    (file,) = (row for row in rows if (row["sample"], row["role"]) == ("S1", "quant_sf"))
    assert (file["verdict"], file["sha256"]) == ("processed", raw.sha256)
    (dropped,) = lake.read_table(head_of(lake, "raw_files"), "dropped").to_pylist()
    assert (dropped["kind"], dropped["item"]) == ("file", str(study.folder / "S1.sf"))
    assert dropped["reason"].startswith("lost from the lake, and cannot be had again: no file at")
    assert due_step(study.lake, "STUDY") is None
    assert due_step(study.lake, "STUDY", retry_failed=True) == (
        "raw_files",
        ("quant_sf of S1 is no longer in the lake",),
    )


def test_where_the_table_of_raw_files_is_lost_an_earlier_one_tells_of_files_whose_source_is_gone(
    study: Study,
) -> None:
    study.process()
    study.add_sample("S4", 4)
    study.register()
    study.process()
    lake = study.lake
    for name in head_of(lake, "raw_files").tables.values():
        damage_in_place(lake, head_of(lake, "raw_files").file(name))
    set_all_aside(lake)
    (study.folder / "S1.sf").unlink()
    outcomes = study.process()
    assert outcomes["raw_files"].dropped == ()
    assert {row["verdict"] for row in results_of(study).values()} == {"processed"}


def test_a_lost_registration_is_made_again_from_its_sheet(study: Study) -> None:
    study.process()
    lake = study.lake
    registration = head_of(lake, "experiment_registration")
    damage_in_place(lake, registration.files[0])
    assert set_all_aside(lake) == [f"process --sample-sheet {study.sheet}"]
    with pytest.raises(NotFoundError, match="no longer whole in the lake; its sample sheet makes it again"):
        due_step(lake, "STUDY")
    study.register()
    assert due_step(lake, "STUDY") is None


def test_a_damaged_record_is_set_aside_and_its_step_done_again(study: Study) -> None:
    study.process()
    before, lake = matrix_of(study), study.lake
    lake.storage.put_bytes(b'{"format": 1', head_of(lake, "sample_quantifications").entry.path)
    (command,) = set_all_aside(lake)
    due = due_step(lake, "STUDY")
    assert due is not None
    assert due[0] == "sample_quantifications"
    require_whole_again(study, before, command)


def test_corrections_that_are_lost_name_the_import_that_makes_them_again(study: Study) -> None:
    table = study.folder / "corrections.tsv"
    table.write_text("sample\tfield\tvalue\tsource\tnote\nS1\tspecimen_part\tliver\tme\t\n")
    commit, _ = import_corrections(study.lake, table, "mine")
    study.process()
    damage_in_place(study.lake, commit.files[0])
    (command,) = set_all_aside(study.lake)
    assert command == f"metadata import-corrections {table} --name mine"
    with pytest.raises(NotFoundError, match=command):
        due_step(study.lake, "STUDY")
    assert import_corrections(study.lake, table, "mine")[1], "equal content is written again"
    assert due_step(study.lake, "STUDY") is None


def test_an_earlier_version_is_said_to_be_lost_for_good(study: Study) -> None:
    study.process()
    old = head_of(study.lake, "gene_expression")
    study.write("S1.sf", study.folder.joinpath("S2.sf").read_text())
    study.process()
    damage_in_place(study.lake, old.files[0])
    (finding,) = findings(study.lake, study.lake.verify_all().problems)
    assert finding.commands == ()
    assert finding.note == "nothing makes an earlier version again; the newest is another"
    assert finding.named_by == ("an earlier version of gene_expression of STUDY",)
