"""What the report and the README of a dataset say: what matters, and each thing once."""

from __future__ import annotations

import zipfile

import numpy as np
import pytest

from refinebio_assets.lake.rows import read_rows
from refinebio_assets.pipelines.datasets.bundle import build_bundle
from refinebio_assets.pipelines.datasets.dataset_matrices import build_matrices, dataset_versions
from refinebio_assets.pipelines.datasets.explanations import WHY_FEW_GENES
from refinebio_assets.pipelines.delivery.explanations import NOT_BATCH_CORRECTED
from refinebio_assets_tests.pipelines.datasets.world import (
    ARRAY,
    GENES,
    HUMAN,
    OTHER_ARRAY,
    World,
    arrays,
    changed,
)

SHAPES = {"GSE1": (3.0, 0.0), "GSE2": (0.0, 2.0), "GSE3": (-3.0, -2.0)}
"""How far the samples of an experiment go along two patterns of genes."""


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """A dataset D by species: three experiments apart in two ways, and one of an old array of few genes."""
    made = World(tmp_path_factory.mktemp("report"))
    patterns = np.random.default_rng(0).normal(0, 1, (2, len(GENES)))
    for number, (name, shape) in enumerate(SHAPES.items()):
        noise = arrays([f"GSM{number}{at}" for at in range(3)], number)
        level = (np.array(shape) @ patterns)[:, None]
        made.add(name, changed(noise, abundances=level + 0.01 * noise.abundances))
    made.add("GSE4", arrays(["GSM40"], genes=GENES[:20], platform=OTHER_ARRAY))
    made.target()
    made.ask("D", dict.fromkeys([*SHAPES, "GSE4"], "ALL"), aggregate_by="SPECIES")
    build_matrices(made.lake, "D")
    build_bundle(made.lake, "D")
    return made


def delivered(world: World, name: str) -> str:
    head = world.lake.head("dataset_bundle", "D")
    assert head is not None
    with zipfile.ZipFile(world.lake.local(head.file("D.zip"))) as bundle:
        return bundle.read(name).decode()


def test_the_readme_and_the_report_say_what_matters(world: World) -> None:
    readme = delivered(world, "README.md")
    assert f'pd.read_parquet("{HUMAN}/{HUMAN}.parquet")' in readme
    assert "Homo sapiens" in readme
    report = delivered(world, "report.html")
    assert report.count("data:image/png;base64,") == 2
    assert ARRAY.name.split("] ")[1] in report


def test_why_there_are_few_genes_is_said_once(world: World) -> None:
    (row,) = read_rows(world.lake, dataset_versions(world.lake, "D")[-1], "datasets")
    assert any(WHY_FEW_GENES in line for line in row["warnings"])
    assert delivered(world, "report.html").count(WHY_FEW_GENES) == 1


def test_a_factor_that_dominates_several_components_is_warned_of_once(world: World) -> None:
    (row,) = read_rows(world.lake, dataset_versions(world.lake, "D")[-1], "datasets")
    (warning,) = [line for line in row["warnings"] if "explains" in line]
    assert "Experiment explains" in warning
    assert "of component 1 (" in warning and "of component 2 (" in warning
    assert warning.count(NOT_BATCH_CORRECTED) == 1
