"""What the definitions promise to people who see them in the UI."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from dagster import AssetKey, AssetSpec, Definitions

from refinebio_assets.definitions import build_definitions
from refinebio_assets_tests.conftest import REPOSITORY

GRAPH = {
    "transcriptome_index": ("reference", "organism", set()),
    "platform_annotation": ("reference", "platform", set()),
    "gene_index": ("reference", "platform", set()),
    "experiment_record": ("source", "experiment", set()),
    "harmonized_metadata": ("metadata", "experiment", {"experiment_record"}),
    "raw_files": ("source", "experiment", {"experiment_record"}),
    "sample_quantifications": (
        "expression",
        "experiment",
        {"raw_files", "transcriptome_index", "platform_annotation", "gene_index"},
    ),
    "gene_expression": ("expression", "experiment", {"sample_quantifications"}),
    "sample_quantification": ("expression", "sample", set()),
    "target_quantiles": ("targets", "organism", {"gene_expression"}),
    "dataset_request": ("datasets", "dataset", set()),
    "dataset_matrices": (
        "datasets",
        "dataset",
        {"dataset_request", "gene_expression", "harmonized_metadata", "target_quantiles"},
    ),
    "dataset_bundle": ("datasets", "dataset", {"dataset_matrices"}),
    "normalized_compendium": ("compendia", "organism", {"gene_expression", "target_quantiles"}),
    "rnaseq_sample_compendium": ("compendia", "organism", {"sample_quantifications", "harmonized_metadata"}),
    "compendium_bundle": ("compendia", "organism", {"normalized_compendium", "harmonized_metadata"}),
}


@pytest.fixture(scope="module")
def definitions() -> Definitions:
    return build_definitions()


@pytest.fixture(scope="module")
def specs(definitions: Definitions) -> dict[str, AssetSpec]:
    return {spec.key.to_user_string(): spec for spec in definitions.resolve_all_asset_specs()}


def test_the_asset_graph_is_the_documented_one(specs: dict[str, AssetSpec]) -> None:
    found = {
        name: (
            spec.group_name,
            spec.partitions_def.name,  # type: ignore[union-attr]
            {dep.asset_key.to_user_string() for dep in spec.deps},
        )
        for name, spec in specs.items()
    }
    assert found == GRAPH


@pytest.mark.parametrize("name", GRAPH)
def test_every_asset_says_what_it_is_whose_it_is_and_which_code_makes_it(
    name: str, specs: dict[str, AssetSpec]
) -> None:
    spec = specs[name]
    assert spec.description
    assert spec.owners
    assert spec.kinds
    assert spec.code_version


def test_heavy_steps_belong_to_pools(definitions: Definitions) -> None:
    graph = definitions.resolve_asset_graph()
    pools = {
        name: graph.get(AssetKey(name)).pools
        for name in (
            "transcriptome_index",
            "platform_annotation",
            "gene_index",
            "raw_files",
            "sample_quantifications",
            "gene_expression",
            "target_quantiles",
            "normalized_compendium",
        )
    }
    assert pools == {
        "transcriptome_index": {"salmon"},
        "platform_annotation": {"memory"},
        "gene_index": {"memory"},
        "raw_files": {"download"},
        "sample_quantifications": {"salmon"},
        "gene_expression": {"memory"},
        "target_quantiles": {"memory"},
        "normalized_compendium": {"memory"},
    }


def test_definitions_validate_with_an_empty_environment(tmp_path: Path) -> None:
    """Also loads workspace.yaml and dagster.yaml as an operator's services would."""
    settings = tmp_path / "dagster.yaml"
    settings.write_text((REPOSITORY / "dagster.yaml").read_text(encoding="utf-8"), encoding="utf-8")
    run = subprocess.run(
        [
            sys.executable,
            "-m",
            "dagster",
            "definitions",
            "validate",
            "-w",
            str(REPOSITORY / "workspace.yaml"),
        ],
        env={"DAGSTER_HOME": str(tmp_path), "PATH": os.defpath},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert "All code locations passed validation" in run.stdout + run.stderr
