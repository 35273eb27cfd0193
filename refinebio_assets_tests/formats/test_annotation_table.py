"""Annotation tables of microarrays, in the forms in which people have them, as gene indexes."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from refinebio_assets.errors import FormatError, NotFoundError
from refinebio_assets.formats.annotation_table import AnnotationTable, read_annotation_table
from refinebio_assets.formats.gene_index import read_gene_index, write_gene_index

AFFYMETRIX = """#%netaffx-annotation-date=simulated
"Probe Set ID","Gene Title","Gene Symbol","Ensembl","Entrez Gene","RefSeq Transcript ID"
"p1","a title, with a comma","A /// B","ENSG1 /// ENSG2","11","NM_1"
"p2","---","---","---","---","---"
"""
GPL = """^PLATFORM = GPL0
!Platform_title = simulated
#ID = probe
!platform_table_begin
ID\tENTREZ_GENE_ID\tSPOT_ID\tEnsembl Gene ID
p1\t11\t\tENSG1
#2\t12\t\tENSG2
!platform_table_end
^SAMPLE = GSM0
ID_REF\tVALUE
p1\t3
"""


def read(folder: Path, content: str | bytes) -> AnnotationTable:
    path = folder / "table"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_annotation_table(path, label="table.tsv")


def cells(table: AnnotationTable) -> dict[str, list[str | None]]:
    return {name: column.to_pylist() for name, column in table.index.columns.items()}


def test_an_annotation_file_of_affymetrix_is_read_with_its_comments_quotes_and_several_ids(
    tmp_path: Path,
) -> None:
    table = read(tmp_path, AFFYMETRIX)
    found = cells(table)
    assert set(zip(found["PROBEID"], found["SYMBOL"], found["ENSEMBL"], strict=True)) == {
        *[("p1", symbol, gene) for symbol in "AB" for gene in ("ENSG1", "ENSG2")],
        ("p2", None, None),
    }
    assert table.left_out == ("Gene Title",)
    assert found["REFSEQ"][0] == "NM_1"


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_a_platform_table_of_geo_ends_where_geo_says(tmp_path: Path, ends: str) -> None:
    table = read(tmp_path, GPL.replace("\n", ends))
    assert cells(table) == {
        "PROBEID": ["p1", "#2"],
        "ENTREZID": ["11", "12"],
        "ENSEMBL": ["ENSG1", "ENSG2"],
    }
    assert table.left_out == ("SPOT_ID",)


def test_an_index_that_was_made_before_gives_the_same_index(tmp_path: Path) -> None:
    table = read(tmp_path, gzip.compress(b"\xef\xbb\xbfPROBEID\tENSEMBL\tSYMBOL\np\tG\tNA\nq\tNA\tS\x0b\n"))
    write_gene_index(tmp_path / "index.tsv.gz", table.index)
    again = read_gene_index(tmp_path / "index.tsv.gz")
    assert {name: column.to_pylist() for name, column in again.columns.items()} == cells(table)
    assert cells(table)["SYMBOL"] == [None, "S"]


def test_of_columns_with_the_same_ids_the_first_is_taken(tmp_path: Path) -> None:
    table = read(tmp_path, "ID\tProbe Set ID\tEnsembl\np\tq\tG\n")
    assert cells(table) == {"PROBEID": ["p"], "ENSEMBL": ["G"]}
    assert table.left_out == ("Probe Set ID",)


def test_a_quoted_cell_may_have_line_ends_and_tabs(tmp_path: Path) -> None:
    table = read(tmp_path, 'ID,Symbol,Ensembl\n"p\n1","A\tB",G1\nq,C,G2\n')
    assert cells(table)["PROBEID"] == ["p 1", "q"] and cells(table)["SYMBOL"] == ["A B", "C"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "no rows at all"),
        (b"#only\n!comments\n", "no rows at all"),
        (b"ID\tEnsembl\n", "a header only"),
        (b"ID\tSymbol\np\tS\n", "line 1: expected a column of Ensembl genes"),
        (b"#c\nID\tEnsembl\tENSEMBL ID\np\tG\tG\n", "line 2: expected one column of Ensembl genes"),
        (b"Chromosome\tEnsembl\n1\tG\n", "line 1: expected a column of probes"),
        (b"#c\nID\tEnsembl\np\tG\nq\n", "line 4: expected 2 fields, found 1"),
        (b'ID,Ensembl\n"p\n1",G\nq\n', "line 4: expected 2 fields, found 1"),
        (b"ID\tEnsembl\np\tNA\nq\t---\n", "column ENSEMBL: expected Ensembl genes, found no id at all"),
        (b"ID\tEnsembl\np\tENST00000000001\n", "ids of transcripts or proteins, as ENST00000000001"),
        (b"ID\tEnsembl\np\tENSG1;ENSG2\n", "one Ensembl gene in a cell"),
        (b"ID\tEnsembl\np\tG\n\xff\tG\n", "line 3: expected UTF-8"),
        (gzip.compress(b"ID\tEnsembl\np\tG\n", mtime=0)[:-6], "table.tsv"),
    ],
)
def test_tables_that_make_no_index_are_refused_with_place_and_reason(
    tmp_path: Path, content: bytes, message: str
) -> None:
    with pytest.raises(FormatError, match=message.replace("(", r"\(")) as caught:
        read(tmp_path, content)
    assert "table.tsv" in str(caught.value)


def test_a_missing_table_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        read_annotation_table(tmp_path / "nothing.tsv")


@pytest.mark.parametrize(("name", "rows", "genes"), [("yeast2", 124_019, 5_000), ("rae230b", 376_013, 4_000)])
def test_the_real_indexes_of_refine_bio_are_taken_as_they_are(
    shared_data: Path, name: str, rows: int, genes: int
) -> None:
    path = shared_data / "gene_indexes" / f"{name}.tsv.gz"
    table = read_annotation_table(path)
    expected = read_gene_index(path)
    assert table.index.rows == expected.rows == rows and table.left_out == ()
    assert list(table.index.columns) == list(expected.columns)
    assert table.index.columns["ENSEMBL"].to_pylist() == expected.columns["ENSEMBL"].to_pylist()
    assert len(table.index.columns["ENSEMBL"].dictionary) > genes
