"""``/v2``: lineage, versions, provenance, lockfiles, gene loss, and slices of matrices."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from typing import Any

import httpx
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from refinebio_assets.api.models import v2 as models
from refinebio_assets.api.v2 import expression
from refinebio_assets.lake.store import Lake
from refinebio_assets.pipelines.datasets.bundle import build_bundle
from refinebio_assets.pipelines.datasets.dataset_matrices import build_matrices
from refinebio_assets.pipelines.gene_expression import read_expression
from refinebio_assets_tests.api.serving import serving, wait_until_ready
from refinebio_assets_tests.pipelines.datasets.world import GENES, World, arrays, rna_seq


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    world = World(tmp_path_factory.mktemp("v2"))
    world.add("GSE10", arrays(["A1", "A2"], genes=GENES[:40]), failed={"A3": "cut"})
    world.add("SRP20", rna_seq(["R1", "R2"], genes=GENES[20:]))
    world.target()
    world.ask("mixed", {"GSE10": "ALL", "SRP20": "ALL"}, aggregate_by="SPECIES")
    build_matrices(world.lake, "mixed")
    build_bundle(world.lake, "mixed")
    world.catalog.sync()
    return world.lake


@pytest.fixture(scope="module")
def client(lake: Lake) -> Iterator[httpx.Client]:
    with serving(lake) as found:
        wait_until_ready(found)
        yield found


def get(client: httpx.Client, path: str, status: int = 200) -> Any:
    answer = client.get(f"/v2/{path}")
    assert answer.status_code == status, answer.text
    return answer.json()


def test_a_datasets_lineage_reaches_its_experiments_and_goes_down_again(client: httpx.Client) -> None:
    up = get(client, "lineage/?of=dataset:mixed")
    models.Lineage.model_validate(up)
    assert {("gene_expression", "GSE10"), ("target_quantiles", "HOMO_SAPIENS")} <= {
        (thing["asset"], thing["partition"]) for thing in up["things"]
    }
    down = get(client, "lineage?of=experiment:GSE10&direction=down")
    assert "dataset_bundle" in {thing["asset"] for thing in down["things"]}
    for name in ("NOPE", "%00", "'", "%27%3B--"):
        assert get(client, f"lineage?of=experiment:{name}", 404) == {"detail": "Not found."}
    for query in ("of=nonsense", "", "of=dataset:mixed&direction=left", "of=dataset:mixed&limit=0"):
        assert get(client, f"lineage?{query}", 400)["error_type"]


def test_versions_and_provenance_are_told(client: httpx.Client) -> None:
    (version,) = get(client, "versions/gene_expression/SRP20")
    models.Version.model_validate(version)
    assert version["is_current"] is True
    (found,) = get(client, "samples/A1/provenance")
    assert found["results"][0]["processor"] == "Affymetrix SCAN"
    for path in ("versions/gene_expression/NOPE", "samples/NOPE/provenance"):
        assert get(client, path, 404) == {"detail": "Not found."}


def test_a_datasets_lock_and_gene_loss_are_told(client: httpx.Client) -> None:
    lock = get(client, "datasets/mixed/lockfile")
    assert lock["dataset"] == "mixed"
    loss = get(client, "datasets/mixed/gene-loss")
    assert {models.GeneLoss.model_validate(row).alone_removed for row in loss} == {20}
    for path in ("datasets/nope/lockfile", "datasets/nope/gene-loss"):
        assert get(client, path, 404) == {"detail": "Not found."}


def test_slices_of_matrices_have_the_values_of_the_matrices(client: httpx.Client, lake: Lake) -> None:
    genes = [GENES[5], GENES[25], GENES[50], "unknown"]
    query = f"/v2/expression/?samples=R2,A1&genes={','.join(genes)}"
    table = pa.ipc.open_stream(client.get(query).content).read_all()
    assert table.column_names == ["Gene", "R2", "A1"]
    assert table.column("Gene").to_pylist() == genes
    commit = lake.head("gene_expression", "SRP20")
    assert commit is not None
    matrix = read_expression(lake, commit, "rna-seq_illuminahiseq2000_homo_sapiens", ["R2"])
    values = dict(zip(matrix.column("Gene").to_pylist(), matrix.column("R2").to_pylist(), strict=True))
    assert table.column("R2").to_pylist() == [None, values[genes[1]], values[genes[2]], None]
    assert table.column("A1").to_pylist()[2:] == [None, None]
    assert table.schema.field("A1").metadata != table.schema.field("R2").metadata
    whole = pq.read_table(BytesIO(client.get("/v2/expression?samples=R1&format=parquet").content))
    assert whole.column("Gene").to_pylist() == list(GENES[20:])


def test_more_values_than_memory_should_hold_are_refused(
    client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(expression, "MOST_VALUES", 50)
    assert "name fewer genes" in get(client, "expression/?samples=R1,R2,A1", 400)["message"]
    assert client.get(f"/v2/expression/?samples=R1,A1&genes={GENES[25]}").status_code == 200


@pytest.mark.parametrize(
    ("query", "details"),
    [
        ("", "samples"),
        ("samples=A1&format=csv", "format"),
        ("samples=A3,A1,NOPE", ["A3", "NOPE"]),
        (f"samples={','.join(f'S{n}' for n in range(1001))}", "samples"),
    ],
)
def test_slices_that_there_are_not_are_refused(client: httpx.Client, query: str, details: Any) -> None:
    assert get(client, f"expression/?{query}", 400)["details"] == details
