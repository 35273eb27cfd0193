"""Datasets on the command line: asked for, refused with every reason, listed, deleted."""

from __future__ import annotations

import json

import pytest

from refinebio_assets.cli.exit_codes import DONE, FAILED, USAGE
from refinebio_assets_tests.cli.conftest import Run, rows_of
from refinebio_assets_tests.pipelines.study import Study


@pytest.fixture
def processed(study: Study) -> Study:
    study.add_sample("X1", 9, experiment="OTHER")
    study.register()
    study.process()
    study.process("OTHER")
    return study


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
    assert run.returncode == FAILED
    assert "lists the sample S1 2 times" in run.stderr
    run = refinebio(
        *("dataset", "create", "--experiment", "STUDY:S1,X1", "--experiment", "STUDI"),
        *("--aggregate-by", "all", "--no-quantile-normalize"),
    )
    assert run.returncode == FAILED and "3 problems" in run.stderr
    assert "X1 is no sample of STUDY but of OTHER" in run.stderr and "did you mean STUDY?" in run.stderr
    assert "comparable only after quantile normalization" in run.stderr
    assert rows_of(refinebio("dataset", "list", "--format", "json")) == []


def test_a_file_with_a_syntax_error_is_refused_with_its_line(processed: Study, refinebio: Run) -> None:
    processed.write("broken.yaml", "data:\n  STUDY: [S1\nname: d\n")
    run = refinebio("dataset", "create", "--from", "broken.yaml")
    assert run.returncode == FAILED and "broken.yaml, line 3" in run.stderr
    both = refinebio("dataset", "create", "--from", "broken.yaml", "--experiment", "STUDY")
    assert both.returncode == USAGE
    assert refinebio("dataset", "create").returncode == USAGE


def test_a_deleted_dataset_is_no_longer_listed_and_its_name_is_kept(processed: Study, refinebio: Run) -> None:
    refinebio("dataset", "create", "--experiment", "OTHER", "--name", "d")
    assert refinebio("dataset", "delete", "d", "--yes").returncode == DONE
    assert rows_of(refinebio("dataset", "list", "--format", "json")) == []
    (row,) = rows_of(refinebio("dataset", "list", "--deleted", "--format", "json"))
    assert row["state"] == "deleted"
    again = refinebio("dataset", "create", "--experiment", "OTHER", "--name", "d")
    assert again.returncode == FAILED and "--update" in again.stderr
    assert refinebio("dataset", "delete", "nosuch", "--yes").returncode == FAILED
