"""The asset ``rnaseq_sample_compendium`` and its commands, run by Dagster's engine."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
from click.testing import CliRunner
from dagster import instance_for_test

from refinebio_assets.cli.main import main
from refinebio_assets.definitions import build_definitions
from refinebio_assets.defs.sample_events import add_keys
from refinebio_assets.pipelines.compendia.kinds import CompendiumKind, require_version, zip_of
from refinebio_assets_tests.pipelines.compendia.test_rnaseq_samples import add_reads
from refinebio_assets_tests.pipelines.datasets.world import HUMAN, World


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """An experiment of two samples, one of them damaged."""
    monkeypatch.setenv("REFINEBIO_HOME", str(tmp_path / "lake"))
    monkeypatch.setenv("DAGSTER_HOME", "")  # so that what the command sets is taken back
    monkeypatch.delenv("DAGSTER_HOME")
    made = World(tmp_path, source="SRA")
    add_reads(made, "SRP1", "SRR1", files={"SRR2": b"Name"})
    return made


def test_a_run_makes_the_zip_checks_it_and_shows_what_it_is(world: World) -> None:
    with instance_for_test() as instance:
        add_keys(instance, "organism", [HUMAN])
        job = build_definitions().resolve_job_def("build_rnaseq_sample_compendium")
        result = job.execute_in_process(instance=instance, partition_key=HUMAN)
        (event,) = result.asset_materializations_for_node("rnaseq_sample_compendium")
        (check,) = result.get_asset_check_evaluations()
    assert check.passed and check.description == "all samples accounted for, files as promised"
    assert {"summary", "left out", "read it"} <= event.metadata.keys()
    assert event.metadata["dagster/row_count"].value == 1


def test_a_zip_that_was_damaged_fails_the_check(world: World) -> None:
    job = build_definitions().resolve_job_def("build_rnaseq_sample_compendium")
    with instance_for_test() as instance:
        add_keys(instance, "organism", [HUMAN])
        job.execute_in_process(instance=instance, partition_key=HUMAN)
        path = world.lake.local(zip_of(require_version(world.lake, CompendiumKind.RNASEQ_SAMPLE, HUMAN)))
        path.chmod(0o600)
        data = bytearray(path.read_bytes())
        data[100] ^= 1  # in the first file
        path.write_bytes(data)
        result = job.execute_in_process(instance=instance, partition_key=HUMAN, raise_on_error=False)
    (check,) = result.get_asset_check_evaluations()
    assert not check.passed and not result.success
    assert check.description == "SRP1/SRR1_quant.sf has not the checksum that the manifest promises"


def test_the_command_builds_lists_shows_and_copies_the_zip(world: World, tmp_path: Path) -> None:
    runner = CliRunner()

    def run(*words: str) -> str:
        done = runner.invoke(main, ["--home", world.lake.url, "compendium", *words], catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return done.output

    kind = ("--kind", "rnaseq-sample")
    built = run("build", "homo sapiens", *kind)
    assert "compendium version 1 of quant.sf files of 1 RNA-seq sample of 1 experiment" in built
    assert "left out: 1 sample, see" in built
    assert "up to date" in run("build", HUMAN, *kind)
    assert "rnaseq-sample" in run("list")
    shown = run("show", HUMAN, *kind)
    assert "HOMO_SAPIENS_rnaseq_sample_compendium.zip" in shown and "truncated" in shown
    run("download", HUMAN, *kind, "-o", str(tmp_path / "taken.zip"))
    with zipfile.ZipFile(tmp_path / "taken.zip") as archive:
        assert "SRP1/SRR1_quant.sf" in archive.namelist()
