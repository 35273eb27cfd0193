"""The asset ``normalized_compendium`` and the command ``compendium``, run by Dagster's engine."""

from __future__ import annotations

from pathlib import Path

import anndata
import pandas as pd
import pytest
from click.testing import CliRunner
from dagster import instance_for_test

from refinebio_assets.cli.main import main
from refinebio_assets.definitions import build_definitions
from refinebio_assets.defs.gate_checks import check_name
from refinebio_assets.defs.sample_events import add_keys
from refinebio_assets.lake.store import Lake
from refinebio_assets.pipelines.compendia.normalized_compendium import open_compendium
from refinebio_assets.pipelines.delivery.gate import Defect
from refinebio_assets_tests.pipelines.compendia.world import compendium_world

HUMAN = "HOMO_SAPIENS"


@pytest.fixture
def lake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lake:
    """Arrays and sequencing of 80 genes, and a target."""
    monkeypatch.setenv("REFINEBIO_HOME", str(tmp_path / "lake"))
    monkeypatch.setenv("DAGSTER_HOME", "")  # so that what the command sets is taken back
    monkeypatch.delenv("DAGSTER_HOME")
    return compendium_world(tmp_path).lake


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
        (bundle,) = result.asset_materializations_for_node("compendium_bundle")
        checks = {item.check_name: item for item in result.get_asset_check_evaluations()}
    whole = checks.pop("the_compendium_is_whole")
    assert whole.passed and whole.description == "all samples accounted for, all values there"
    assert {name: item.passed for name, item in checks.items()} == {check_name(item): True for item in Defect}
    assert all(item.blocking for item in checks.values())
    assert {"summary", "samples by platform", "left out", "read it"} <= event.metadata.keys()
    assert {"zip", "report", "sha256", "before groups are compared"} <= bundle.metadata.keys()
    assert Path(str(bundle.metadata["report"].value)).is_file()
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
    shown = run("show", HUMAN)
    assert "share missing" in shown and "Imputation's errors" in shown
    assert "Technology cannot be separated from experiment" in shown
    output, frame = tmp_path / "slice.tsv", tmp_path / "slice.h5ad"
    store = open_compendium(lake, HUMAN)
    gene, sample = store.gene_names[3], store.sample_names[5]
    run("slice", HUMAN, "--gene", gene, "--sample", sample, "-o", str(output))
    run("slice", HUMAN, "--sample", sample, "-o", str(frame))
    made = anndata.read_h5ad(frame)
    assert (list(made.obs_names), list(made.var_names)) == ([sample], list(store.gene_names))
    refused = runner.invoke(main, ["--home", lake.url, "compendium", "slice", HUMAN, "-o", "g.xlsx"])
    assert refused.exit_code == 1 and "cannot tell the format from g.xlsx" in refused.output
    written = pd.read_csv(output, sep="\t", index_col=0)
    assert list(written.index) == [gene] and list(written.columns) == [sample]
    assert written.iloc[0, 0] == pytest.approx(float(store.gene(gene)[5]), rel=1e-6)
