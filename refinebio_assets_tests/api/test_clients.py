"""The unmodified pyrefinebio, library and command, against a running server; datasets are really built."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

import httpx
import pytest

from refinebio_assets.api.building import Built
from refinebio_assets.domain import Publication
from refinebio_assets.errors import RefinebioError
from refinebio_assets.lake.catalog import Catalog
from refinebio_assets.lake.store import Lake
from refinebio_assets.pipelines.datasets.acceptance import accept_request
from refinebio_assets.pipelines.datasets.bundle import build_bundle
from refinebio_assets.pipelines.datasets.dataset_matrices import build_matrices
from refinebio_assets.pipelines.datasets.registry import register_dataset
from refinebio_assets.pipelines.datasets.request import parse_request
from refinebio_assets_tests.api import client_flows
from refinebio_assets_tests.api.serving import serving, wait_until, wait_until_ready
from refinebio_assets_tests.api.test_published import commit_compendium
from refinebio_assets_tests.api.world import commit_index
from refinebio_assets_tests.defs.servers import free_port
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
    for asset, contents in {
        "compendium_bundle": (b"first", b"second"),
        "rnaseq_sample_compendium": (b"quantfiles",),
    }.items():
        for content in contents:
            commit_compendium(world.lake, asset, content)
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


@contextmanager
def command(lake: Lake, *options: str) -> Iterator[httpx.Client]:
    """Run `refinebio-assets api` and yield a client of it."""
    port = free_port()
    program = Path(sys.executable).with_name("refinebio-assets")
    words = [program, "--home", lake.url, "api", "--port", str(port), *options]
    environment = {name: value for name, value in os.environ.items() if name != "DAGSTER_HOME"}
    server = subprocess.Popen(words, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
            wait_until(lambda: _is_ready(client), "the API is ready")
            yield client
    finally:
        server.send_signal(signal.SIGINT)
        assert server.wait(60) == 0


def _is_ready(client: httpx.Client) -> bool:
    try:
        return client.get("/health").status_code == 200
    except httpx.TransportError:
        return False


def test_a_dataset_is_built_by_a_dagster_run_and_equals_one_that_was_built_without_the_api(
    tmp_path: Path,
) -> None:
    lake = make_lake(tmp_path)
    data = {"GSE10": ["ALL"], "SRP20": ["ALL"]}
    with command(lake, "--rate-limit", "0") as client:
        key = {"API-KEY": client.post("/v1/token/", json={"is_activated": True}).json()["id"]}
        body = {"data": data, "aggregate_by": "SPECIES", "start": True, "email_address": "a@example.org"}
        made = client.post("/v1/dataset/", json=body, headers=key).json()
        path = f"/v1/dataset/{made['id']}/"
        wait_until(lambda: not client.get(path).json()["is_processing"], "the dataset is built", 240)
        found = client.get(path, headers=key).json()
        assert found["success"] is True, found["failure_reason"]
        content = client.get(found["download_url"]).content
        (job,) = client.get("/v1/jobs/processor/?pipeline_applied=build_dataset").json()["results"]
        assert (job["success"], job["datasets"]) == (True, [made["id"]])
        assert client.get(f"/v1/jobs/processor/{job['id']}/").json() == job
    accepted = accept_request(lake, Catalog(lake), parse_request({"data": data, "aggregate_by": "SPECIES"}))
    register_dataset(lake, accepted, dataset="other")
    build_matrices(lake, "other")
    bundle = build_bundle(lake, "other").commit
    name = "HOMO_SAPIENS/HOMO_SAPIENS.tsv"
    with zipfile.ZipFile(BytesIO(content)) as ours, lake.open(bundle.file("other.zip")) as stream:
        assert ours.read(name) == zipfile.ZipFile(BytesIO(stream.read())).read(name)
