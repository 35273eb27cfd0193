"""The unmodified pyrefinebio, library and command, against a running server; datasets are really built."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from refinebio_assets.api.building import Built
from refinebio_assets.domain import Publication
from refinebio_assets.errors import RefinebioError
from refinebio_assets.lake.catalog import Catalog
from refinebio_assets.lake.store import Lake
from refinebio_assets.pipelines.compendia.bundle.compendium_bundle import build_compendium_bundle
from refinebio_assets.pipelines.compendia.model import Imputation
from refinebio_assets.pipelines.compendia.normalized_compendium import build_normalized_compendium
from refinebio_assets.pipelines.compendia.rnaseq_samples.rnaseq_sample_compendium import (
    build_rnaseq_sample_compendium,
)
from refinebio_assets.pipelines.datasets.bundle import build_bundle
from refinebio_assets.pipelines.datasets.dataset_matrices import build_matrices
from refinebio_assets_tests.api import client_flows
from refinebio_assets_tests.api.serving import serving, wait_until_ready
from refinebio_assets_tests.api.world import HUMAN, commit_index
from refinebio_assets_tests.pipelines.datasets.world import MOUSE, World, arrays, rna_seq

QUANT_SF = b"Name\tLength\tEffectiveLength\tTPM\tNumReads\nT1\t500\t350.0\t1000000.0\t10.0\n"


class ThreadBuilder:
    """Builds datasets as the Dagster job does, without Dagster."""

    def __init__(self, lake: Lake) -> None:
        self.lake = lake

    def start(self, dataset: str, done: Callable[[Built], None]) -> None:
        threading.Thread(target=self._build, args=[dataset, done], daemon=True).start()

    def _build(self, dataset: str, done: Callable[[Built], None]) -> None:
        try:
            build_matrices(self.lake, dataset)
            build_bundle(self.lake, dataset)
            done(Built(True))
        except RefinebioError as error:
            done(Built(False, str(error)))

    def stop(self) -> None:
        """Let what is running end."""


def make_lake(folder: Path) -> Lake:
    """Arrays and reads of humans, who have a target, compendia and an index; reads of mice."""
    world = World(folder)
    world.add(
        "GSE10",
        arrays(["A1", "A2"]),
        failed={"A3": "the CEL file is cut"},
        title="Medulloblastoma in children",
        publication=Publication(pubmed_id="1", title="A study", authors=("Curie M",)),
    )
    quant_sf = {"R1": QUANT_SF, "R2": QUANT_SF}
    world.add("SRP20", rna_seq(["R1", "R2"]), quant_sf=quant_sf, title="Atlas of the liver")
    world.add("SRP30", rna_seq(["M1", "M2"], organism=MOUSE), title="Mice")
    world.target()
    commit_index(world.lake)
    build_rnaseq_sample_compendium(world.lake, HUMAN)
    for imputation in (Imputation.NONE, Imputation.ITERATIVE_SVD):
        build_normalized_compendium(world.lake, HUMAN, imputation=imputation)
        build_compendium_bundle(world.lake, HUMAN)
    Catalog(world.lake).sync()
    return world.lake


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    lake = make_lake(tmp_path_factory.mktemp("clients"))
    with serving(lake, builder=ThreadBuilder(lake)) as found:
        wait_until_ready(found)
        yield found


def test_what_users_of_pyrefinebio_do_works(client: httpx.Client, tmp_path: Path) -> None:
    environment = os.environ | {
        "REFINEBIO_BASE_URL": f"{client.base_url}/v1/".replace("//v1", "/v1"),
        "REFINEBIO_CONFIG_FILE": str(tmp_path / "refinebio.yaml"),
        "REFINEBIO_API_MAX_CALLS_PER_SECOND": "1000",
    }
    done = subprocess.run(
        [sys.executable, "-m", client_flows.__name__, str(tmp_path)],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    found = json.loads(done.stdout)
    assert found["flows"] >= 70
    assert found["problems"] == {}, "\n\n".join(f"{k}\n{v}" for k, v in found["problems"].items())
