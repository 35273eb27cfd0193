"""Gene indexes in the lake: from tables of many kinds to the genes of an array's ids, and refusals."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from refinebio_assets.errors import FormatError, NotFoundError, RequestError
from refinebio_assets.lake.rows import read_rows
from refinebio_assets.lake.store import Lake
from refinebio_assets.pipelines.references.gene_index import (
    GeneIndexInputs,
    build_gene_index,
    find_gene_index,
    register_gene_index,
)

TABLE = (
    "Probe Set ID\tEnsembl\tGene Symbol\tChromosome\n"
    "1_at\tENSG01 /// ENSG02\tA\t1\n2_at\t---\tB\t2\n3_at\tENSG03\tC\tX\n"
)


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(str(tmp_path / "lake"))


def build(lake: Lake, path: Path, platform: str = "hgu133a") -> None:
    register_gene_index(lake, GeneIndexInputs(platform, str(path)))
    build_gene_index(lake, platform)


def pairs(lake: Lake, column: str) -> set[tuple[str | None, str | None]]:
    found = find_gene_index(lake, "hgu133a")
    assert found is not None
    columns = found.read(lake).columns
    return set(zip(columns[column].to_pylist(), columns["ENSEMBL"].to_pylist(), strict=True))


@pytest.mark.parametrize("form", ["tsv", "csv", "gz", "gpl", "bom"])
def test_tables_of_every_form_give_the_same_index(lake: Lake, tmp_path: Path, form: str) -> None:
    path = tmp_path / f"table.{form}"
    if form == "gz":
        path.write_bytes(gzip.compress(TABLE.encode()))
    elif form == "csv":
        path.write_text('#%version=36\n"' + TABLE.strip().replace("\t", '","').replace("\n", '"\n"') + '"\n')
    elif form == "gpl":
        path.write_text(
            f"^PLATFORM = GPL96\n#Ensembl = genes\n!platform_table_begin\n{TABLE}!platform_table_end\n"
        )
    else:
        path.write_text(TABLE, encoding="utf-8-sig" if form == "bom" else "utf-8")
    build(lake, path)
    assert {("1_at", "ENSG01"), ("1_at", "ENSG02"), ("3_at", "ENSG03")} <= pairs(lake, "PROBEID")
    assert ("C", "ENSG03") in pairs(lake, "SYMBOL")


def test_what_is_in_the_index_and_what_is_not_is_counted(lake: Lake, tmp_path: Path) -> None:
    (tmp_path / "t.tsv").write_text(TABLE)
    build(lake, tmp_path / "t.tsv")
    found = find_gene_index(lake, "hgu133a")
    assert found is not None
    (row,) = read_rows(lake, found.commit, "gene_indexes")
    assert (row["genes"], row["columns_left_out"]) == (3, ["Chromosome"])
    columns = {each["id_kind"]: each for each in read_rows(lake, found.commit, "gene_index_columns")}
    assert (columns["PROBEID"]["ids"], columns["PROBEID"]["with_gene"]) == (3, 2)


def test_an_index_of_the_ancestor_is_taken(lake: Lake, shared_data: Path) -> None:
    build(lake, shared_data / "gene_indexes" / "yeast2.tsv.gz", platform="yeast2")
    found = find_gene_index(lake, "yeast2")
    assert found is not None and found.read(lake).rows > 5_000


def test_the_same_table_is_read_once_and_a_changed_one_again(lake: Lake, tmp_path: Path) -> None:
    path = tmp_path / "t.tsv"
    path.write_text(TABLE)
    build(lake, path)
    assert not build_gene_index(lake, "hgu133a").changed
    path.write_text(TABLE + "4_at\tENSG04\tD\t3\n")
    outcome = build_gene_index(lake, "hgu133a")
    assert outcome.changed and any("table" in reason for reason in outcome.reasons)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no rows"),
        ("Probe Set ID\tEnsembl\n", "header only"),
        ("Probe Set ID\tSymbol\n1_at\tA\n", "Ensembl genes"),
        ("Ensembl\tLength\nENSG01\t5\n", "column of probes"),
        ("Probe Set ID\tEnsembl\n1_at\tENSG01\n2_at\n", "line 3"),
        ("Probe Set ID\tEnsembl\n1_at\tENST00000000001\n", "transcripts or proteins"),
        ("Probe Set ID\tEnsembl\n1_at\t---\n", "no id at all"),
    ],
)
def test_a_table_that_is_no_index_is_refused_with_place_and_reason(
    lake: Lake, tmp_path: Path, text: str, message: str
) -> None:
    (tmp_path / "bad.tsv").write_text(text)
    with pytest.raises(FormatError, match=r"bad\.tsv") as error:
        build(lake, tmp_path / "bad.tsv")
    assert message in str(error.value)
    assert find_gene_index(lake, "hgu133a") is None


def test_other_encodings_are_refused_with_the_line(lake: Lake, tmp_path: Path) -> None:
    (tmp_path / "bad.tsv").write_bytes(TABLE.replace("C\tX", "\u00e9\tX").encode("latin-1"))
    with pytest.raises(FormatError, match=r"bad\.tsv, line 4: expected UTF-8"):
        build(lake, tmp_path / "bad.tsv")


def test_an_index_is_registered_under_refine_bios_name(lake: Lake) -> None:
    with pytest.raises(RequestError, match="hgu133a, not GPL96"):
        register_gene_index(lake, GeneIndexInputs("GPL96", "table.tsv"))
    with pytest.raises(NotFoundError, match="add-gene-index --platform hgu133a FILE"):
        build_gene_index(lake, "hgu133a")
