"""Datasets of real samples: 20 of zebrafish, as R's tximport summarized them."""

from __future__ import annotations

import csv
import gzip
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from refinebio_assets.methods.quantile import apply_target
from refinebio_assets.pipelines.datasets.bundle import build_bundle
from refinebio_assets.pipelines.datasets.dataset_matrices import build_matrices
from refinebio_assets.pipelines.target_quantiles import build_target
from refinebio_assets.pipelines.targets.settings import decide_samples
from refinebio_assets.pipelines.targets.target import require_target
from refinebio_assets_tests.pipelines.datasets.world import Made, World

ZEBRAFISH = "DANIO_RERIO"


@pytest.fixture(scope="module")
def made(shared_data: Path) -> Made:
    """R's matrix, genes and runs as it names them."""
    path = shared_data / "rnaseq_zebrafish" / "SRP095529.tximport_1.26.1.lengthScaledTPM.tsv.gz"
    with gzip.open(path, "rt", encoding="utf-8") as file:
        header, *rows = csv.reader(file, delimiter="\t")
    values = np.array([row[1:] for row in rows], float)
    return Made(
        [name.split("_")[0] for name in header[1:]], values, [row[0] for row in rows], organism=ZEBRAFISH
    )


@pytest.fixture(scope="module")
def world(made: Made, tmp_path_factory: pytest.TempPathFactory) -> World:
    """The experiment, and a target of its own samples, as zebrafish has no arrays here."""
    world = World(tmp_path_factory.mktemp("zebrafish"), source="SRA")
    world.add("SRP095529", made)
    decide_samples(world.lake, ZEBRAFISH, minimum=20)
    build_target(world.lake, ZEBRAFISH)
    return world


def delivered(world: World, dataset: str, key: str) -> pd.DataFrame:
    build_matrices(world.lake, dataset)
    commit = build_bundle(world.lake, dataset).commit
    options = {"sep": "\t", "index_col": "Gene", "float_precision": "round_trip"}
    with zipfile.ZipFile(world.lake.local(commit.file(f"{dataset}.zip"))) as bundle:
        return pd.read_csv(bundle.open(f"{key}/{key}.tsv"), **options)


def test_without_normalization_the_numbers_are_rs_rounded_to_float32(world: World, made: Made) -> None:
    world.ask("raw", {"SRP095529": ["ALL"]}, quantile_normalize=False)
    values = delivered(world, "raw", "SRP095529")[list(made.samples)]
    assert list(values.index) == list(made.genes)
    np.testing.assert_array_equal(values.to_numpy().astype(np.float32), made.abundances.astype(np.float32))


def test_one_download_of_refine_bio_gives_the_target_that_makes_another(shared_data: Path) -> None:
    """Both are of the zebrafish array, normalized by refine.bio to one target; ties of its samples aside."""
    first, second = (
        pd.read_csv(
            shared_data / "refinebio_downloads" / name / f"{name}.tsv.gz",
            sep="\t",
            index_col="Gene",
            float_precision="round_trip",
        ).to_numpy()
        for name in ("GSE12955", "GSE71270")
    )
    made = apply_target(second, np.sort(first[:, 0]))
    assert (made == second).mean() > 0.9995
    np.testing.assert_allclose(made, second, rtol=0, atol=1e-4)


def test_by_species_the_numbers_are_logs_normalized_to_the_target_of_rna_seq(
    world: World, made: Made
) -> None:
    world.ask("species", {"SRP095529": ["ALL"]}, aggregate_by="SPECIES")
    values = delivered(world, "species", ZEBRAFISH)[list(made.samples)]
    logs = np.log2(made.abundances.astype(np.float32) + np.float32(1))
    target = require_target(world.lake, ZEBRAFISH).values(world.lake)
    np.testing.assert_array_equal(values.to_numpy(), apply_target(logs, target))
