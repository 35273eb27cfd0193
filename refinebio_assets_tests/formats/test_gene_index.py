"""Gene indexes: reading, annotation tables under other names, and writing the same table again."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from refinebio_assets.errors import FormatError
from refinebio_assets.formats.gene_index import GeneIndex, make_gene_index, read_gene_index, write_gene_index

INDEX = "PROBEID\tENSEMBL\tENTREZID\np1\tG1\t851643\np1\tG2\tNA\np2\tG1\t\n"


def read(folder: Path, content: str) -> GeneIndex:
    path = folder / "index.tsv"
    path.write_text(content, encoding="utf-8")
    return read_gene_index(path, label="index.tsv")


def cells(index: GeneIndex) -> dict[str, list[str | None]]:
    return {name: column.to_pylist() for name, column in index.columns.items()}


def test_all_columns_are_text_and_missing_ids_are_null(tmp_path: Path) -> None:
    assert cells(read(tmp_path, INDEX)) == {
        "PROBEID": ["p1", "p1", "p2"],
        "ENSEMBL": ["G1", "G2", "G1"],
        "ENTREZID": ["851643", None, None],
    }


def test_columns_of_an_annotation_table_get_the_names_of_an_index(tmp_path: Path) -> None:
    index = read(tmp_path, "Probe Set ID\tGene Symbol\tEntrez_Gene\tEnsembl\tChromosome\np\tS\t1\tG\tX\n")
    assert list(index.columns) == ["PROBEID", "SYMBOL", "ENTREZID", "ENSEMBL", "Chromosome"]


def test_several_ids_of_a_cell_become_rows_with_each_gene(tmp_path: Path) -> None:
    index = read(tmp_path, "ID\tEnsembl\tSymbol\np\tG1 /// G2\tA /// B /// C\nq\t---\tD\n")
    found = cells(index)
    pairs = set(zip(found["PROBEID"], found["ENSEMBL"], found["SYMBOL"], strict=True))
    assert pairs == {*[("p", gene, symbol) for gene in ("G1", "G2") for symbol in "ABC"], ("q", None, "D")}


def test_one_id_among_missing_ones_is_that_id(tmp_path: Path) -> None:
    assert cells(read(tmp_path, "ID\tEnsembl\np\tG1 /// ---\nq\t--- /// G1\n"))["ENSEMBL"] == ["G1", "G1"]


def test_an_index_is_written_and_read_again_the_same(tmp_path: Path) -> None:
    index = read(tmp_path, INDEX)
    paths = [tmp_path / "a.tsv.gz", tmp_path / "b.tsv.gz"]
    for path in paths:
        write_gene_index(path, index)
    assert cells(read_gene_index(paths[0])) == cells(index)
    assert paths[0].read_bytes() == paths[1].read_bytes()
    assert gzip.decompress(paths[0].read_bytes()).splitlines()[2] == b"p1\tG2\tNA"


def test_an_index_is_made_from_columns() -> None:
    index = make_gene_index(
        {"probe_id": ["p", "q", "r"], "Ensembl": ["G\xe9", "NA", "G\xe9"], "Symbol": [None, " A ", ""]}
    )
    assert cells(index) == {
        "PROBEID": ["p", "q", "r"],
        "ENSEMBL": ["G\xe9", None, "G\xe9"],
        "SYMBOL": [None, "A", None],
    }
    assert index.rows == 3


@pytest.mark.parametrize("columns", [{}, {"PROBEID": ["p"]}, {"PROBEID": ["p"], "ENSEMBL": ["G", "H"]}])
def test_columns_that_make_no_index_are_refused(columns: dict[str, list[str]]) -> None:
    with pytest.raises(ValueError, match="no gene index"):
        make_gene_index(columns)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("PROBEID\tSYMBOL\np\tS\n", "line 1: expected column names with one ENSEMBL"),
        ("PROBEID\tENSEMBL\tEnsembl ID\np\tG\tG\n", "line 1: expected column names with one ENSEMBL"),
        ("PROBEID\tENSEMBL\np\tG\nq\n", "line 3: expected 2 fields, found 1"),
        ("PROBEID\tENSEMBL\n", "line 2: expected a row"),
        ("", "line 1: expected column names"),
    ],
)
def test_what_is_no_index_is_named_with_its_place(tmp_path: Path, content: str, message: str) -> None:
    with pytest.raises(FormatError, match=message):
        read(tmp_path, content)


@pytest.mark.parametrize(("name", "rows", "genes"), [("rae230b", 376_013, 4_667), ("yeast2", 124_019, 5_732)])
def test_real_indexes_are_read_whole(shared_data: Path, name: str, rows: int, genes: int) -> None:
    index = read_gene_index(shared_data / "gene_indexes" / f"{name}.tsv.gz")
    assert index.rows == rows
    assert len(index.columns["ENSEMBL"].dictionary) == genes
    assert index.columns["ENTREZID"].null_count == {"rae230b": 6_202, "yeast2": 2_692}[name]
