"""The command line as users meet it: what it prints, writes, refuses, and with which exit code it ends."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from dagster import DagsterInstance, RunsFilter

from refinebio_assets.cli.exit_codes import DONE, FAILED, PARTIAL, USAGE
from refinebio_assets.defs.asked_runs import BY_TAG, LAUNCHED_BY_TAG
from refinebio_assets.simulate.world import simulate_world
from refinebio_assets_tests.cli.conftest import Run, rows_of
from refinebio_assets_tests.pipelines.datasets.world import World, rna_seq
from refinebio_assets_tests.pipelines.study import Study

COMMANDS = ["process", "reference", "status", "show", "export", "catalog", "lake", "ui", "demo"]


@pytest.fixture
def dagster_home(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the test open the instance that the command used."""
    monkeypatch.setenv("DAGSTER_HOME", str(study.folder / "lake" / "dagster"))


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command: str, refinebio: Run) -> None:
    run = refinebio(command, "--help")
    assert run.returncode == DONE
    assert "Usage:" in run.stdout and len(run.stdout.splitlines()) > 4


def test_process_makes_a_matrix_in_one_run_and_asking_again_starts_none(
    study: Study, refinebio: Run, dagster_home: None
) -> None:
    study.add_sample("X1", 9, experiment="OTHER")
    run = refinebio("process", "--sample-sheet", study.sheet)
    assert run.returncode == DONE, run.stdout + run.stderr
    assert "STUDY: registered, 3 samples" in run.stdout
    assert "10 genes x 3" in run.stdout and "complete" in run.stdout
    assert "39 of 40 transcripts have a gene" in run.stdout
    again = refinebio("process", "--sample-sheet", study.sheet)
    assert again.returncode == DONE
    assert "STUDY: up to date, nothing to do" in again.stdout
    with DagsterInstance.get() as instance:
        assert set(instance.get_dynamic_partitions("experiment")) == {"STUDY", "OTHER"}
        assert set(instance.get_dynamic_partitions("sample")) == {"S1", "S2", "S3", "X1"}
        for accession in ("STUDY", "OTHER"):
            runs = instance.get_runs(RunsFilter(tags={"dagster/partition": accession}))
            assert [run.is_success for run in runs] == [True]
            assert {runs[0].tags[tag] for tag in (BY_TAG, LAUNCHED_BY_TAG)} == {"process"}


def test_a_failed_sample_ends_the_command_with_the_code_for_in_part(study: Study, refinebio: Run) -> None:
    study.write("S2.sf", "Name\tLength\n")
    run = refinebio("process", "--sample-sheet", study.sheet)
    assert run.returncode == PARTIAL
    assert "S2" in run.stdout and "expected" in run.stdout and "partial" in run.stdout
    assert refinebio("process", "STUDY").returncode == PARTIAL


def test_when_all_samples_fail_the_reasons_are_printed(study: Study, refinebio: Run) -> None:
    for name in ("S1", "S2", "S3"):
        study.write(f"{name}.sf", "nonsense\n")
    run = refinebio("process", "--sample-sheet", study.sheet)
    assert run.returncode == FAILED
    assert "no sample of STUDY could be quantified" in run.stdout
    assert rows_of(refinebio("status", "--format", "json"))[0]["state"] == "failed"


def test_all_problems_of_a_sheet_are_named_at_once(study: Study, refinebio: Run) -> None:
    study.rows[0]["organism"] = ""
    study.rows[1]["sample"] = "a/b"
    run = refinebio("process", "--sample-sheet", study.sheet)
    assert run.returncode == FAILED
    assert "2 problems" in run.stderr and "organism" in run.stderr and "a/b" in run.stderr
    assert "there is no lake" in refinebio("status").stderr, "nothing was registered"


def test_process_without_anything_to_process_is_wrong_usage(refinebio: Run) -> None:
    assert refinebio("process").returncode == USAGE


def test_an_unknown_experiment_is_refused_by_name(refinebio: Run) -> None:
    run = refinebio("process", "NOSUCH")
    assert run.returncode == FAILED
    assert "experiment NOSUCH is not registered" in run.stderr


def test_an_accession_that_its_archive_does_not_know_fails_and_registers_nothing(
    study: Study, refinebio: Run
) -> None:
    run = refinebio("process", "GSE1")
    assert run.returncode == FAILED
    assert "GSE1" in run.stdout and "no answer for" in run.stdout
    assert study.lake.assets() == []


def test_a_samples_accession_stands_for_its_series(tmp_path: Path, refinebio: Run) -> None:
    world = simulate_world(tmp_path / "world")
    archives = {"REFINEBIO_MIRROR": str(world.mirror)}
    run = refinebio("survey", "gsm90000001", env=archives)
    assert run.returncode == DONE, run.stdout
    assert "processed as GSE900001" in run.stdout
    again = refinebio("survey", "E-GEOD-900001", env=archives)
    assert "processed as GSE900001" in again.stdout
    assert "the archive says the same as before" in again.stdout


def test_a_dry_run_says_what_would_be_done_and_does_nothing(study: Study, refinebio: Run) -> None:
    run = refinebio("process", "--sample-sheet", study.sheet, "--dry-run")
    assert run.returncode == DONE and "new in the sample sheet" in run.stdout
    assert "To do: 1 experiment: harmonize metadata of 3 samples, download 3 samples" in run.stdout
    assert "no measurement yet of: harmonize, download, quantify, summarize" in run.stdout
    assert study.lake.assets() == []
    study.register()
    study.process()
    commits = [entry.id for entry in study.lake.log()]
    study.write("S1.sf", "nonsense\n")
    run = refinebio("process", "STUDY", "--dry-run")
    assert "quant_sf of S1 changed" in run.stdout
    assert "To do: 1 experiment: download 1 sample, quantify 1 sample, summarize 3 samples" in run.stdout
    assert "less than a second, as measured before" in run.stdout
    assert [entry.id for entry in study.lake.log()] == commits


def test_a_dry_run_as_json_counts_samples_by_step(study: Study, refinebio: Run) -> None:
    study.register()
    study.process()
    study.add_sample("S4", 4)
    (row,) = rows_of(refinebio("process", "--sample-sheet", study.sheet, "--dry-run", "--format", "json"))
    steps = ("survey", "harmonize", "check_files", "download", "quantify", "summarize")
    assert [row[step] for step in steps] == [0, 4, 0, 1, 1, 4]
    assert (row["samples_due"], row["not_measured"], row["why"]) == (1, [], "sample S4 added")
    assert 0 < row["hours"] < 1
    (row,) = rows_of(refinebio("process", "STUDY", "--sample", "S2", "--dry-run", "--format", "json"))
    assert [row[step] for step in steps] == [0, 0, 0, 0, 1, 3]
    assert refinebio("process", "STUDY", "--format", "json").returncode == 2


def test_a_dry_run_of_what_no_archive_has_fails(refinebio: Run, study: Study) -> None:
    assert refinebio("process", "NONE", "--dry-run").returncode == FAILED


def test_status_tells_what_is_stale_and_why(study: Study, refinebio: Run) -> None:
    study.register()
    study.process()
    nothing = refinebio("status", "--stale", "--format", "json")
    assert (nothing.stdout, nothing.stderr) == ("", "Nothing is out of date.\n")
    header = refinebio("status", "--stale", "--format", "csv").stdout
    assert {"experiment", "state", "samples_due", "why"} < set(header.strip().split(","))
    plan = refinebio("process", "STUDY", "--dry-run", "--format", "tsv")
    assert plan.stdout.startswith("experiment\tfrom\tinput\t") and "up to date" in plan.stderr
    study.write("S1.sf", "nonsense\n")
    (row,) = rows_of(refinebio("status", "--stale", "--format", "json"))
    assert ",".join(row) == header.strip()
    assert row["experiment"] == "STUDY" and "quant_sf of S1 changed" in row["why"]
    assert (row["download"], row["quantify"], row["summarize"], row["samples_due"]) == (1, 1, 3, 1)
    shown = refinebio("status", "--stale").stdout
    assert [line.split()[:2] for line in shown.splitlines() if line.strip().startswith("quantify")] == [
        ["quantify", "1"]
    ]


def test_show_tells_of_an_experiment_and_of_a_sample(study: Study, refinebio: Run) -> None:
    study.register()
    study.process()
    experiment = json.loads(refinebio("show", "STUDY", "--format", "json").stdout)
    assert experiment["state"]["state"] == "complete"
    assert [commit["asset"] for commit in experiment["commits"]][-1] == "gene_expression"
    (sample,) = json.loads(refinebio("show", "S2", "--format", "json").stdout)
    assert sample["results"][0]["verdict"] == "processed"
    assert {file["role"] for file in sample["files"]} == {"quant_sf", "gene_map"}
    assert sample["metadata"] == [
        {"experiment": "STUDY", "sample": "S2", "position": 0, "key": "tissue", "value": "tissue 1"}
        | _commit_of(sample)
    ]
    assert "S2.sf" in refinebio("show", "S2").stdout


def test_show_says_once_what_is_said_of_several_samples(refinebio: Run, tmp_path: Path) -> None:
    reason = "its reads are cut off"
    World(tmp_path).add("SRP1", rna_seq(["SRR1"]), failed={"SRR2": reason, "SRR3": reason})
    shown = refinebio("show", "SRP1").stdout
    (said,) = [line for line in shown.splitlines() if reason in line]
    assert "SRR2, SRR3" in said and "failed" in said


def test_show_does_not_call_a_file_of_a_failed_sample_processed(study: Study, refinebio: Run) -> None:
    study.write("S1.sf", "nonsense\n")
    study.register()
    study.process()
    shown = refinebio("show", "S1").stdout
    assert "File quant_sf: in the lake" in shown and "Result (current): failed" in shown


def _commit_of(sample: dict[str, list[dict[str, str]]]) -> dict[str, str]:
    return {key: sample["metadata"][0][key] for key in ("commit_id", "asset", "partition")}


def test_show_of_something_unknown_offers_near_names(study: Study, refinebio: Run) -> None:
    study.register()
    study.process()
    run = refinebio("show", "STUDDY")
    assert run.returncode == FAILED
    assert "Did you mean STUDY?" in run.stderr


def test_exports_hold_the_same_numbers_in_every_format(study: Study, refinebio: Run) -> None:
    study.register()
    study.process()
    for name in ("m.tsv", "m.csv", "m.parquet", "m.h5ad"):
        run = refinebio("export", "STUDY", "--output", study.folder / name)
        assert run.returncode == DONE, run.stderr
        assert "10 genes x 3 samples" in run.stdout
    table = pq.read_table(study.folder / "m.parquet")
    lines = (study.folder / "m.tsv").read_text(encoding="utf-8").splitlines()
    assert lines[0].split("\t") == table.column_names == ["Gene", "S1", "S2", "S3"]
    assert [float(line.split("\t")[1]) for line in lines[1:]] == table.column("S1").to_pylist()
    assert (study.folder / "m.csv").read_text(encoding="utf-8").splitlines() == [
        line.replace("\t", ",") for line in lines
    ]

    import anndata

    data = anndata.read_h5ad(study.folder / "m.h5ad")
    assert data.shape == (3, 10)
    assert list(data.obs["tissue"]) == ["tissue 0", "tissue 1", "tissue 2"]
    assert data.X[0].tolist() == table.column("S1").to_pylist()


def test_export_to_a_place_that_cannot_be_written_leaves_nothing(study: Study, refinebio: Run) -> None:
    study.register()
    study.process()
    target = study.folder / "taken"
    (target / "m.tsv").mkdir(parents=True)
    run = refinebio(
        "export", "STUDY", "--format", "tsv", "--output", target / "m.tsv" / "x" / ".." / ".." / "m.tsv"
    )
    assert run.returncode != DONE
    assert [path.name for path in target.iterdir()] == ["m.tsv"]


def test_the_catalog_answers_sql_and_is_rebuilt_to_the_same_content(study: Study, refinebio: Run) -> None:
    study.register()
    study.process()
    query = "SELECT sample, verdict, version FROM results WHERE is_current ORDER BY sample"
    before = rows_of(refinebio("catalog", "sql", query, "--format", "json"))
    assert [row["sample"] for row in before] == ["S1", "S2", "S3"]
    assert refinebio("catalog", "rebuild").returncode == DONE
    assert rows_of(refinebio("catalog", "sql", query, "--format", "json")) == before
    refused = refinebio("catalog", "sql", "DROP TABLE results")
    assert refused.returncode == FAILED and "Traceback" not in refused.stderr


def test_a_sample_is_redone_on_request(study: Study, refinebio: Run) -> None:
    study.register()
    study.process()
    run = refinebio("process", "STUDY", "--sample", "S2")
    assert run.returncode == DONE and "S2 is redone on request" in run.stdout
    unknown = refinebio("process", "STUDY", "--sample", "S9")
    assert unknown.returncode == FAILED and "no sample S9" in unknown.stderr


def test_lake_verify_finds_a_damaged_file(study: Study, refinebio: Run) -> None:
    study.register()
    study.process()
    assert refinebio("lake", "verify").returncode == DONE
    victim = next((study.folder / "lake" / "assets" / "gene_expression").rglob("*.parquet"))
    victim.chmod(0o644)
    victim.write_bytes(b"damaged")
    run = refinebio("lake", "verify")
    assert run.returncode == FAILED
    assert victim.name in run.stdout


def test_an_experiment_that_cannot_be_judged_does_not_stop_the_next(study: Study, refinebio: Run) -> None:
    study.add_sample("X1", 9, experiment="OTHER")
    study.register()
    study.process()
    (record,) = (study.folder / "lake" / "log" / "experiment_record" / "STUDY").iterdir()
    record.chmod(0o644)
    record.write_text("damaged", encoding="utf-8")
    run = refinebio("process", "STUDY", "OTHER")
    assert run.returncode == PARTIAL, run.stdout + run.stderr
    assert "STUDY: " in run.stdout and record.name in run.stdout
    assert study.lake.head("gene_expression", "OTHER") is not None
