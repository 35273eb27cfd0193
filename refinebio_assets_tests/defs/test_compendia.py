"""The asset ``normalized_compendium`` and the command ``compendium``, run by Dagster's engine."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from dagster import instance_for_test

from refinebio_assets.cli.main import main
from refinebio_assets.definitions import build_definitions
from refinebio_assets.defs.sample_events import add_keys
from refinebio_assets.lake.store import Lake
from refinebio_assets.pipelines.compendia.normalized_compendium import open_compendium
from refinebio_assets.pipelines.target_quantiles import build_target
from refinebio_assets.pipelines.targets.settings import decide_samples
from refinebio_assets_tests.pipelines.expression_making import MadeMatrix, put_expression

HUMAN = "HOMO_SAPIENS"


@pytest.fixture
def lake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lake:
    """Arrays and sequencing of 40 genes, and a target."""
    monkeypatch.setenv("REFINEBIO_HOME", str(tmp_path / "lake"))
    monkeypatch.setenv("DAGSTER_HOME", "")  # so that what the command sets is taken back
    monkeypatch.delenv("DAGSTER_HOME")
    made, rng = Lake(str(tmp_path / "lake")), np.random.default_rng(1)
    genes = [f"ENSG{n:011}" for n in range(40)]
    arrays = rng.normal(size=(36, 4))
    put_expression(made, "GSE1", MadeMatrix([f"A{n}" for n in range(4)], genes[:36], arrays))
    reads = np.exp2(rng.normal(6, 2, (40, 9)))
    names = [f"R{n}" for n in range(9)]
    put_expression(made, "SRP1", MadeMatrix(names, genes, reads, "HiSeq", "RNA-SEQ", reference="index"))
    decide_samples(made, HUMAN, minimum=2)
    build_target(made, HUMAN)
    return made


def test_a_run_makes_the_store_checks_it_and_shows_what_it_is(lake: Lake) -> None:
    with instance_for_test() as instance:
        add_keys(instance, "organism", [HUMAN])
        result = (
            build_definitions()
            .resolve_job_def("build_normalized_compendium")
            .execute_in_process(
                instance=instance,
                partition_key=HUMAN,
                run_config={"ops": {"normalized_compendium": {"config": {"imputation": "ITERATIVE_SVD"}}}},
            )
        )
        (event,) = result.asset_materializations_for_node("normalized_compendium")
        (check,) = result.get_asset_check_evaluations()
    assert check.passed and check.description == "all samples accounted for, all values there"
    assert {"summary", "samples by platform", "left out", "read it"} <= event.metadata.keys()
    assert open_compendium(lake, HUMAN).about["imputation"] == "iterative_svd"


def test_the_command_builds_lists_shows_and_writes_a_slice(lake: Lake, tmp_path: Path) -> None:
    runner = CliRunner()

    def run(*words: str) -> str:
        done = runner.invoke(main, ["--home", lake.url, "compendium", *words], catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return done.output

    assert "No compendia yet" in run("list")
    assert "compendium version 1" in run("build", "homo sapiens")
    assert "up to date" in run("build", HUMAN)
    assert "HOMO_SAPIENS" in run("list")
    assert "share missing" in run("show", HUMAN)
    output = tmp_path / "slice.tsv"
    store = open_compendium(lake, HUMAN)
    gene, sample = store.gene_names[3], store.sample_names[5]
    run("slice", HUMAN, "--gene", gene, "--sample", sample, "-o", str(output))
    written = pd.read_csv(output, sep="\t", index_col=0)
    assert list(written.index) == [gene] and list(written.columns) == [sample]
    assert written.iloc[0, 0] == pytest.approx(float(store.gene(gene)[5]), rel=1e-6)
