"""A compendium store gives back, slice by slice, what was written; also to DuckDB, pandas and AnnData."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest

from refinebio_assets.errors import FormatError, NotFoundError
from refinebio_assets.formats.compendium_store import CompendiumStore, layout, write_store
from refinebio_assets.formats.compendium_store.writing import StoreMatrices
from refinebio_assets.formats.row_matrix import RowMatrix

Values = npt.NDArray[np.float32]
SAMPLES, GENES = 9, 13


@pytest.fixture(scope="module")
def matrices() -> dict[str, Values]:
    """Three layers, genes x samples."""
    rng = np.random.default_rng(7)
    filled = rng.normal(8.0, 2.0, (GENES, SAMPLES)).astype(np.float32)
    measured = np.where(rng.random(filled.shape) < 0.3, np.float32(np.nan), filled)
    return {"measured": measured, "filled": filled, "final": filled + 1}


@pytest.fixture(scope="module")
def store(matrices: dict[str, Values], tmp_path_factory: pytest.TempPathFactory) -> CompendiumStore:
    scratch = tmp_path_factory.mktemp("scratch")
    return make_store(tmp_path_factory.mktemp("store"), scratch, matrices)


def make_store(folder: Path, scratch: Path, matrices: dict[str, Values]) -> CompendiumStore:
    """Write a store in blocks of a few rows, row groups of two."""
    files = {name: RowMatrix(scratch / name, (SAMPLES, GENES), np.float32) for name in matrices}
    for name, values in matrices.items():
        files[name][0:SAMPLES] = values.T
    genes = pa.table({"gene": gene_names(), "rmse_random": np.linspace(0, 1, GENES)})
    samples = pa.table({"sample": sample_names(), "platform": ["a", "b", "c"] * 3})
    write_store(
        folder,
        StoreMatrices(**files),
        genes,
        samples,
        about={"organism": "X"},
        block_bytes=200,
        group_bytes=2 * 4 * GENES,
    )
    for file in files.values():
        file.close()
    return CompendiumStore(folder)


def gene_names() -> list[str]:
    return [f"G{number}" for number in range(GENES)]


def sample_names() -> list[str]:
    return [f"S{number}" for number in range(SAMPLES)]


def test_a_gene_and_a_sample_are_what_was_written(
    store: CompendiumStore, matrices: dict[str, Values]
) -> None:
    missing = np.isnan(matrices["measured"])
    expected = matrices | {"imputed": np.where(missing, matrices["filled"], np.nan)}
    assert store.shape == (GENES, SAMPLES) and store.about["organism"] == "X"
    for layer, values in expected.items():
        for number, gene in enumerate(gene_names()):
            np.testing.assert_array_equal(store.gene(gene, layer), values[number])
        for number, sample in enumerate(sample_names()):
            np.testing.assert_array_equal(store.sample(sample, layer), values[:, number])


@pytest.mark.parametrize("genes", [None, ["G12", "G0", "G5"], ["G3"]])
@pytest.mark.parametrize("samples", [None, ["S8", "S1"]])
def test_a_part_has_genes_and_samples_in_the_order_asked_for(
    store: CompendiumStore, matrices: dict[str, Values], genes: list[str] | None, samples: list[str] | None
) -> None:
    rows = [gene_names().index(gene) for gene in genes or gene_names()]
    columns = [sample_names().index(sample) for sample in samples or sample_names()]
    expected = matrices["final"][np.ix_(rows, columns)]
    np.testing.assert_array_equal(store.matrix(genes, samples), expected)
    frame = store.frame(genes, samples)
    np.testing.assert_array_equal(frame.to_numpy(), expected)
    assert list(frame.index) == (genes or gene_names()) and list(frame.columns) == (samples or sample_names())


def test_tables_tell_what_is_known_of_genes_and_samples_and_their_places(store: CompendiumStore) -> None:
    assert store.genes.column("position").to_pylist() == list(range(GENES))
    assert store.samples.column_names == ["sample", "position", "platform"]
    table = store.table(["G2"], "measured")
    assert table.column_names == ["sample", "G2"]
    assert table.column("G2").null_count == int(np.isnan(store.gene("G2", "measured")).sum())


def test_anndata_has_samples_genes_layers_and_the_mask(
    store: CompendiumStore, matrices: dict[str, Values]
) -> None:
    annotated = store.anndata(samples=["S4", "S2"])
    np.testing.assert_array_equal(annotated.X, matrices["final"][:, [4, 2]].T)
    np.testing.assert_array_equal(annotated.layers["is_imputed"], np.isnan(matrices["measured"])[:, [4, 2]].T)
    assert list(annotated.obs["platform"]) == ["b", "c"] and list(annotated.var_names) == gene_names()


def test_duckdb_reads_a_gene_with_its_samples(store: CompendiumStore, matrices: dict[str, Values]) -> None:
    query = f"""
        SELECT s.sample, g.value FROM (
            SELECT unnest(final) AS value, generate_subscripts(final, 1) - 1 AS position
            FROM '{store.folder}/by_gene.parquet' WHERE gene = 'G5') g
        JOIN '{store.folder}/samples.parquet' s USING (position) WHERE s.platform = 'b' ORDER BY position
    """
    expected = [(f"S{number}", float(matrices["final"][5, number])) for number in (1, 4, 7)]
    assert duckdb.sql(query).fetchall() == expected
    nulls = f"SELECT sum(len(measured) - list_count(measured)) FROM '{store.folder}/by_sample.parquet'"
    assert duckdb.sql(nulls).fetchall() == [(int(np.isnan(matrices["measured"]).sum()),)]


def test_where_nothing_was_imputed_values_stay_missing(matrices: dict[str, Values], tmp_path: Path) -> None:
    (tmp_path / "store").mkdir()
    bare = make_store(tmp_path / "store", tmp_path, matrices | {"filled": matrices["measured"]})
    np.testing.assert_array_equal(bare.gene("G1", "filled"), matrices["measured"][1])
    assert np.isnan(bare.matrix(layer="imputed")).all()


def test_what_is_not_there_is_named(store: CompendiumStore, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match=r"not among the genes of .*: nope"):
        store.gene("nope")
    with pytest.raises(NotFoundError, match=r"S100, S101, S102, S103, S104 and 2 more"):
        store.matrix(samples=[f"S{number}" for number in range(100, 107)])
    with pytest.raises(NotFoundError, match="'raw': there are measured, imputed, filled, final"):
        store.gene("G1", "raw")
    with pytest.raises(NotFoundError, match=r"no compendium\.json"):
        CompendiumStore(tmp_path)


def test_a_store_of_a_newer_format_is_refused(tmp_path: Path) -> None:
    manifest = {"format": layout.FORMAT, "format_version": 99}
    (tmp_path / layout.MANIFEST).write_text(json.dumps(manifest))
    with pytest.raises(FormatError, match=r"compendium\.json: expected .*version 1, found .*version 99"):
        CompendiumStore(tmp_path)


def test_tables_that_do_not_fit_the_matrices_are_refused(tmp_path: Path) -> None:
    matrix = RowMatrix(tmp_path / "m", (2, 3), np.float32)
    good, short = pa.table({"sample": ["a", "b"]}), pa.table({"gene": ["x"]})
    with pytest.raises(FormatError, match="table of genes: expected 3 rows"):
        write_store(tmp_path, StoreMatrices(matrix, matrix, matrix), short, good, about={})
    matrix.close()
