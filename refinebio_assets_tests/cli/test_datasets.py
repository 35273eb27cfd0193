"""Datasets on the command line: asked for, refused with every reason, listed, deleted."""

from __future__ import annotations

import json
import os
import time
import zipfile
from pathlib import Path

import pandas as pd
import pytest

from refinebio_assets.cli.exit_codes import DONE, FAILED, PARTIAL, USAGE
from refinebio_assets.pipelines.datasets.bundle import build_bundle
from refinebio_assets.pipelines.datasets.dataset_matrices import build_matrices
from refinebio_assets_tests.cli.conftest import Run, rows_of
from refinebio_assets_tests.pipelines.datasets.world import HUMAN, World, arrays, rna_seq
from refinebio_assets_tests.pipelines.study import Study


@pytest.fixture
def processed(study: Study) -> Study:
    study.add_sample("X1", 9, experiment="OTHER")
    study.register()
    study.process()
    study.process("OTHER")
    return study


def test_names_that_are_empty_or_look_like_a_version_are_refused(processed: Study, refinebio: Run) -> None:
    empty = refinebio("dataset", "create", "--experiment", "OTHER", "--name", "")
    assert empty.returncode == USAGE and "--name is empty" in empty.stderr
    version = refinebio("dataset", "create", "--experiment", "OTHER", "--name", "v@1")
    assert version.returncode == FAILED and "contains @" in version.stderr
    assert rows_of(refinebio("dataset", "list", "--format", "json")) == []


def test_options_and_a_file_ask_for_the_same_dataset(processed: Study, refinebio: Run) -> None:
    options = ("--experiment", "STUDY:S1, S2", "--experiment", "OTHER", "--aggregate-by", "species")
    run = refinebio("dataset", "create", *options, "--scale-by", "MinMax", "--name", "d", "--h5ad")
    assert run.returncode == DONE, run.stderr
    assert "Dataset d asked for: 3 samples of 2 experiments, by species" in run.stdout
    assert "Danio rerio has no target" in run.stdout
    processed.write(
        "request.yaml",
        "data: {STUDY: [S1, S2], OTHER: ALL}\naggregate_by: species\nscale_by: minmax\nh5ad: true\n",
    )
    again = refinebio("dataset", "create", "--from", "request.yaml", "--name", "d", "--format", "json")
    assert json.loads(again.stdout)["data"] == {"OTHER": ["X1"], "STUDY": ["S1", "S2"]}
    assert len(processed.lake.history("dataset_request", "d")) == 1


def test_a_dataset_without_a_name_gets_an_id_that_is_printed(processed: Study, refinebio: Run) -> None:
    run = refinebio("dataset", "create", "--experiment", "OTHER", "--format", "json")
    made = json.loads(run.stdout)
    assert len(made["id"].split("-")) == 5
    (row,) = rows_of(refinebio("dataset", "list", "--format", "json"))
    assert (row["dataset"], row["state"], row["samples"]) == (made["id"], "requested", 1)


def test_a_request_that_cannot_be_met_names_all_that_stands_against_it(
    processed: Study, refinebio: Run
) -> None:
    run = refinebio(
        *("dataset", "create", "--experiment", "STUDY:S1,S1,X1", "--experiment", "STUDI"),
        *("--aggregate-by", "all", "--no-quantile-normalize"),
    )
    assert run.returncode == FAILED and "4 problems" in run.stderr
    assert "lists the sample S1 2 times" in run.stderr
    assert "X1 is no sample of STUDY but of OTHER" in run.stderr and "did you mean STUDY?" in run.stderr
    assert "comparable only after quantile normalization" in run.stderr
    assert rows_of(refinebio("dataset", "list", "--format", "json")) == []


def test_commands_that_are_suggested_work_as_they_are_printed(processed: Study, refinebio: Run) -> None:
    created = refinebio("dataset", "create", "--experiment", "OTHER", "--name", "my liver")
    assert "`refinebio-assets dataset build 'my liver'`" in created.stdout
    unbuilt = refinebio("dataset", "download", "my liver", "--output", "a.zip")
    assert "is not built yet: `refinebio-assets dataset build 'my liver'`" in unbuilt.stderr
    unknown = refinebio("dataset", "download", "my livr", "--output", "a.zip")
    assert unknown.returncode == FAILED
    assert "there is no dataset my livr; did you mean my liver?" in unknown.stderr


def test_a_file_with_a_syntax_error_is_refused_with_its_line(processed: Study, refinebio: Run) -> None:
    processed.write("broken.yaml", "data:\n  STUDY: [S1\nname: d\n")
    run = refinebio("dataset", "create", "--from", "broken.yaml")
    assert run.returncode == FAILED and "broken.yaml, line 3" in run.stderr
    both = refinebio("dataset", "create", "--from", "broken.yaml", "--experiment", "STUDY")
    assert both.returncode == USAGE
    assert refinebio("dataset", "create").returncode == USAGE


def test_a_deleted_dataset_is_no_longer_listed_and_its_name_is_kept(processed: Study, refinebio: Run) -> None:
    refinebio("dataset", "create", "--experiment", "OTHER", "--name", "d")
    unanswered = refinebio("dataset", "delete", "d")
    assert unanswered.returncode == USAGE and "--yes" in unanswered.stderr
    assert refinebio("dataset", "delete", "d", "--yes").returncode == DONE
    assert rows_of(refinebio("dataset", "list", "--format", "json")) == []
    (row,) = rows_of(refinebio("dataset", "list", "--deleted", "--format", "json"))
    assert row["state"] == "deleted"
    again = refinebio("dataset", "create", "--experiment", "OTHER", "--name", "d")
    assert again.returncode == FAILED and "--update" in again.stderr
    assert refinebio("dataset", "delete", "nosuch", "--yes").returncode == FAILED


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Arrays and RNA-seq of people, with a target."""
    made = World(tmp_path)
    made.add("GSE1", arrays(["GSM1", "GSM2", "GSM3"]))
    made.add("SRP1", rna_seq(["SRR1", "SRR2"], seed=1), failed={"SRR3": "its reads are cut off"})
    made.target()
    return made


def test_an_array_experiment_becomes_a_zip_that_show_explains(
    world: World, refinebio: Run, tmp_path: Path
) -> None:
    asked = ("--experiment", "GSE1", "--experiment", "SRP1", "--aggregate-by", "species", "--name", "d")
    assert refinebio("dataset", "create", *asked).returncode == DONE
    run = refinebio("dataset", "build", "d", "--output", "d.zip")
    assert run.returncode == DONE, run.stdout + run.stderr
    assert "HOMO_SAPIENS" in run.stdout and "Kolmogorov-Smirnov" in run.stdout and "d.zip" in run.stdout
    with (
        zipfile.ZipFile(tmp_path / "d.zip") as archive,
        archive.open("HOMO_SAPIENS/HOMO_SAPIENS.tsv") as file,
    ):
        matrix = pd.read_csv(file, sep="\t", index_col="Gene")
    assert list(matrix.columns) == ["GSM1", "GSM2", "GSM3", "SRR1", "SRR2"]
    shown = json.loads(refinebio("dataset", "show", "d", "--format", "json").stdout)
    assert shown["state"]["state"] == "built" and shown["lock"]["targets"].keys() == {HUMAN}
    assert [(row["experiment"], row["delivered"]) for row in shown["experiments"]] == [
        ("GSE1", 3),
        ("SRP1", 2),
    ]
    assert "Target of HOMO_SAPIENS" in refinebio("dataset", "show", "d").stdout
    again = refinebio("dataset", "build", "--all")
    assert again.returncode == DONE and "up to date, nothing to do" in again.stdout
    (row,) = rows_of(refinebio("dataset", "list", "--format", "json"))
    assert (row["state"], row["matrices"], row["built_version"]) == ("built", 1, 1)


def test_a_build_that_ended_before_its_zip_says_so_and_delivers_nothing_yet(
    world: World, refinebio: Run
) -> None:
    refinebio("dataset", "create", "--experiment", "GSE1", "--name", "d")
    build_matrices(world.lake, "d")
    shown = json.loads(refinebio("dataset", "show", "d", "--format", "json").stdout)
    assert (shown["state"]["state"], shown["state"]["built_version"]) == ("unfinished", None)
    assert [(row["requested"], row["delivered"]) for row in shown["experiments"]] == [(3, None)]
    told = refinebio("dataset", "show", "d").stdout
    assert "no zip yet" in told and "`refinebio-assets dataset build d` finishes it" in told
    build_bundle(world.lake, "d")
    world.express("GSE1", arrays(["GSM1", "GSM2", "GSM3"], seed=5))
    build_matrices(world.lake, "d")
    (row,) = rows_of(refinebio("dataset", "list", "--format", "json"))
    assert (row["state"], row["built_version"]) == ("unfinished", 1)


def test_regenerating_says_what_changed_first_and_an_earlier_version_comes_back_from_its_lock(
    world: World, refinebio: Run, tmp_path: Path
) -> None:
    refinebio("dataset", "create", "--experiment", "SRP1", "--name", "d", "--build")
    assert refinebio("dataset", "download", "d", "--output", "first.zip").returncode == DONE
    assert "nothing has changed" in refinebio("dataset", "regenerate", "d").stdout
    world.express("SRP1", rna_seq(["SRR1", "SRR2", "SRR3"], seed=2))
    (stale,) = rows_of(refinebio("dataset", "status", "d", "--format", "json"))
    assert stale["state"] == "due from dataset_matrices on" and "gene_expression of SRP1" in stale["why"]
    dry = refinebio("dataset", "regenerate", "d", "--dry-run")
    assert "sample SRR3 is new: it was processed since" in dry.stdout
    assert len(world.lake.history("dataset_matrices", "d")) == 1
    assert refinebio("dataset", "regenerate", "d", "--yes").returncode == DONE
    told = refinebio("dataset", "diff", "d@1", "d").stdout
    assert "sample SRR3 is new in SRP1" in told and "1 sample added: SRR3" in told
    assert "sample SRR3 is new in SRP1" in refinebio("dataset", "diff", "first.zip", "d").stdout
    back = refinebio("dataset", "regenerate", "--from-lock", "first.zip", "--yes")
    assert back.returncode == DONE, back.stdout + back.stderr
    refinebio("dataset", "download", "d", "--output", "third.zip")
    with zipfile.ZipFile(tmp_path / "first.zip") as first, zipfile.ZipFile(tmp_path / "third.zip") as third:
        assert first.read("SRP1/SRP1.tsv") == third.read("SRP1/SRP1.tsv")


def test_a_sample_that_lost_its_values_is_named_and_the_code_says_in_part(
    world: World, refinebio: Run
) -> None:
    refinebio("dataset", "create", "--experiment", "SRP1", "--name", "d")
    world.express("SRP1", rna_seq(["SRR1"], seed=1), failed={"SRR2": "its file is damaged"})
    run = refinebio("dataset", "build", "d")
    assert run.returncode == PARTIAL
    assert "Samples that are not in it" in run.stdout and "its file is damaged" in run.stdout


def test_without_a_target_the_build_fails_and_says_how_to_make_one(refinebio: Run, tmp_path: Path) -> None:
    World(tmp_path).add("GSE1", arrays(["GSM1", "GSM2"]))
    run = refinebio("dataset", "create", "--experiment", "GSE1", "--name", "d", "--build")
    assert run.returncode == FAILED
    assert "refinebio-assets target build" in run.stdout and "Traceback" not in run.stdout + run.stderr
    again = refinebio("dataset", "regenerate", "d")
    assert again.returncode == FAILED and "has no target" in again.stderr
    assert not (tmp_path / "lake" / "dagster").exists(), "a run was started"


def drop(folder: Path, **requests: str) -> None:
    """Write requests, by name, into the inbox of the lake in a folder, a minute ago."""
    inbox = folder / "lake" / "inbox"
    inbox.mkdir(exist_ok=True)
    for name, text in requests.items():
        path = inbox / f"{name}.yaml"
        path.write_text(text, encoding="utf-8")
        os.utime(path, (time.time() - 60,) * 2)


GOOD, BAD = "data: {GSE1: [GSM1, GSM2]}\nname: d\n", "data: {GSE7: [GSM9]}\n"


def test_requests_that_are_only_taken_say_by_their_code_whether_some_were_refused(
    world: World, refinebio: Run, tmp_path: Path
) -> None:
    drop(tmp_path, good=GOOD, bad=BAD)
    run = refinebio("dataset", "inbox", "--no-build")
    assert run.returncode == PARTIAL, run.stdout + run.stderr
    assert "good.yaml: accepted as dataset d" in run.stdout and "bad.yaml: refused" in run.stdout
    assert [row["state"] for row in rows_of(refinebio("dataset", "list", "--format", "json"))] == [
        "requested"
    ]
    assert world.lake.head("dataset_matrices", "d") is None
    drop(tmp_path, bad=BAD)
    assert refinebio("dataset", "inbox", "--no-build").returncode == FAILED
    drop(tmp_path, good=GOOD)
    assert refinebio("dataset", "inbox", "--no-build").returncode == DONE
    assert refinebio("dataset", "inbox", "--no-build").returncode == DONE


def test_the_inbox_is_taken_and_built_in_one_pass(world: World, refinebio: Run, tmp_path: Path) -> None:
    drop(tmp_path, good=GOOD, bad=BAD)
    run = refinebio("dataset", "inbox")
    assert run.returncode == PARTIAL, run.stdout + run.stderr
    assert "good.yaml: accepted as dataset d" in run.stdout and "bad.yaml: refused" in run.stdout
    assert world.lake.head("dataset_bundle", "d") is not None
    again = refinebio("dataset", "inbox")
    assert again.returncode == DONE and "No requests in" in again.stdout


def test_files_of_a_deleted_dataset_are_removed_only_when_that_is_asked(world: World, refinebio: Run) -> None:
    refinebio("dataset", "create", "--experiment", "GSE1", "--name", "d", "--build")
    assert "its versions stay" in refinebio("dataset", "delete", "d", "--yes").stdout
    assert world.lake.head("dataset_bundle", "d") is not None
    assert "bytes removed" in refinebio("dataset", "delete", "d", "--files", "--yes").stdout
    assert world.lake.head("dataset_bundle", "d") is None and world.lake.head("dataset_matrices", "d") is None
    assert "nothing that was built of it is in the lake" in refinebio("dataset", "build", "d").stderr
    (row,) = rows_of(refinebio("dataset", "list", "--deleted", "--format", "json"))
    assert row["state"] == "deleted"
