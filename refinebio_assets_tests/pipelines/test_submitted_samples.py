"""Submitters' own values from the sheet to the matrix: found in their table, converted, marked."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from refinebio_assets.errors import AllFailedError
from refinebio_assets.lake.catalog import Catalog
from refinebio_assets.pipelines.due import due_step
from refinebio_assets.pipelines.export import export_matrix
from refinebio_assets.pipelines.expression_checks import matrix_problems
from refinebio_assets.pipelines.expression_matrix import column_values
from refinebio_assets.pipelines.gene_expression import read_expression
from refinebio_assets.pipelines.outcome import require_head
from refinebio_assets.pipelines.probe_values import read_probe_values
from refinebio_assets.pipelines.sample_answers import find_gene, sample_answers
from refinebio_assets_tests.pipelines.bead_study import ORGANISM, TableStudy, index_genes

MATRIX = "submitter-processed_hgu133a"
INDEX = """PROBEID\tENSEMBL\tSYMBOL\tENTREZID
1_at\tENSG01\tALPHA\t101
2_at\tENSG02\tBETA\t102
3_at\tENSG02\tBETA\t102
4_at\tENSG03 /// ENSG04\tGAMMA\t103
5_at\tENSG05\tDELTA\t104
"""
VALUES = {"1_at": 8.0, "2_at": 4.0, "3_at": 6.0, "4_at": 10.0, "5_at": 2.5}


@pytest.fixture
def study(tmp_path: Path) -> TableStudy:
    made = TableStudy(tmp_path)
    (tmp_path / "index.tsv").write_text(INDEX)
    index_genes(made, "hgu133a", tmp_path / "index.tsv")
    return made


def write(study: TableStudy, name: str, rows: dict[str, float], header: str = "ID_REF\tVALUE\n") -> None:
    lines = [f"{probe}\t{value}\n" for probe, value in rows.items()]
    (study.folder / name).write_text(header + "".join(lines))


def add(study: TableStudy, name: str, rows: dict[str, float], header: str = "ID_REF\tVALUE\n") -> None:
    write(study, f"{name}.txt", rows, header)
    study.add_table_sample(name, "processed", f"{name}.txt", platform="hgu133a")


def values_of(study: TableStudy, sample: str) -> dict[str, float]:
    matrix = read_expression(
        study.lake, require_head(study.lake, "gene_expression", "STUDY"), next(iter(study.matrices()))
    )
    genes = [str(gene) for gene in matrix.column("Gene").to_pylist()]
    return dict(zip(genes, column_values(matrix, sample).tolist(), strict=True))


def failure(study: TableStudy) -> str:
    with pytest.raises(AllFailedError) as raised:
        study.run()
    return str(raised.value)


def test_values_on_a_log_scale_are_kept_and_means_of_a_gene_taken_in_the_matrix(study: TableStudy) -> None:
    add(study, "S1", VALUES)
    study.run()
    expected = {"ENSG01": 8.0, "ENSG02": 5.0, "ENSG03": 10.0, "ENSG04": 10.0, "ENSG05": 2.5}
    assert values_of(study, "S1") == expected
    row = study.results()["S1"]
    assert (row["processor"], row["platform"]) == ("Submitter-processed", "hgu133a")
    assert "submitter's own values are converted" in str(row["processing_reason"])
    assert study.matrices()[MATRIX]["processing"] == "submitter-processed"
    commit = require_head(study.lake, "sample_quantification", "S1")
    own = read_probe_values(commit_file(study, "S1"))
    assert list(zip(own.probes, own.genes, own.values.tolist(), strict=True))[1:3] == [
        ("2_at", "ENSG02", 4.0),
        ("3_at", "ENSG02", 6.0),
    ]
    assert {ref.asset for ref in commit.inputs} == {"file", "gene_index"}
    assert due_step(study.lake, "STUDY") is None


def test_whether_a_gene_is_measured_is_told_from_the_index_of_the_array(study: TableStudy) -> None:
    add(study, "S1", VALUES)
    study.run()
    catalog = Catalog(study.lake)
    catalog.sync()
    (gene, *_) = values_of(study, "S1")
    (there,) = find_gene(study.lake, sample_answers(catalog, "S1"), gene)
    assert (there.reference, there.part, there.parts > 0) == ("hgu133a", "ids", True)
    (absent,) = find_gene(study.lake, sample_answers(catalog, "S1"), "ENSG99999999999")
    assert absent.parts == 0


def commit_file(study: TableStudy, sample: str) -> Path:
    return study.lake.local(require_head(study.lake, "sample_quantification", sample).file("values.parquet"))


def test_other_values_get_their_logarithm_after_the_mean_and_the_evidence_is_stored(
    study: TableStudy, tmp_path: Path
) -> None:
    add(study, "S1", {"1_at": 1024, "2_at": 100, "3_at": 156, "4_at": 0, "5_at": 64})
    add(study, "S2", {"1_at": 512, "2_at": 100, "3_at": 28, "4_at": 8, "5_at": 32})
    study.run()
    first = values_of(study, "S1")
    assert (first["ENSG01"], first["ENSG02"], first["ENSG05"]) == (10.0, 7.0, 6.0)
    assert np.isnan(first["ENSG03"]) and np.isnan(first["ENSG04"])
    assert matrix_problems(study.lake, "STUDY") == []
    row = study.rows_of("submitted_values")[0]
    assert (row["log2_taken"], row["without_logarithm"], row["maximum"]) == (True, 2, 1024)
    assert "above 100: the largest is 1024" in str(row["log2_reason"])
    assert "2 values of 0 or less have no logarithm" in str(study.results()["S1"]["warnings"])
    export_matrix(study.lake, "STUDY", tmp_path / "m.h5ad", format="h5ad")
    anndata = pytest.importorskip("anndata")
    obs = anndata.read_h5ad(tmp_path / "m.h5ad").obs
    assert set(obs["processing"]) == {"submitter-processed"} and all(obs["processing_reason"])


@pytest.mark.parametrize(("column", "kind"), [("SYMBOL", "SYMBOL"), ("ENTREZID", "ENTREZID")])
def test_foreign_ids_are_found_in_any_column_of_the_index(column: str, kind: str, study: TableStudy) -> None:
    place = INDEX.splitlines()[0].split("\t").index(column)
    ids = list(dict.fromkeys(line.split("\t")[place] for line in INDEX.splitlines()[1:]))
    add(study, "S1", {name: 3.0 + number for number, name in enumerate(ids)})
    study.run()
    assert study.rows_of("submitted_values")[0]["id_kind"] == kind
    assert values_of(study, "S1")["ENSG01"] == 3.0


def test_of_a_table_of_several_samples_each_takes_its_own_column(study: TableStudy) -> None:
    rows = [f"{probe}\t{value}\t{value + 1}\t{value + 2}" for probe, value in VALUES.items()]
    (study.folder / "all.txt").write_text("\n".join(["ID_REF\tS1\ttwo\tthird sample", *rows, ""]))
    for name, more in (
        ("S1", {}),
        ("S2", {"table_column": "two"}),
        ("S3", {"title": "third sample"}),
        ("S4", {}),
    ):
        study.add_table_sample(name, "processed", "all.txt", platform="GPL96", **more)
    study.run()
    assert [values_of(study, name)["ENSG01"] for name in ("S1", "S2", "S3")] == [8, 9, 10]
    row = study.results()["S4"]
    assert row["verdict"] == "failed" and "third sample" in str(row["reason"])


def test_an_index_of_another_platform_is_told_by_the_ids(study: TableStudy) -> None:
    add(study, "S1", {f"{number}_other_at": 5.0 + number for number in range(10)})
    message = failure(study)
    assert "fewer than 50% of 10 submitted ids" in message and "PROBEID 0.0%" in message


def test_without_an_index_the_sample_fails_with_its_command_and_is_done_once_it_is_there(
    tmp_path: Path,
) -> None:
    study = TableStudy(tmp_path)
    add(study, "S1", VALUES)
    assert "`refinebio-assets reference add-gene-index --platform hgu133a FILE`" in failure(study)
    (tmp_path / "index.tsv").write_text(INDEX)
    index_genes(study, "hgu133a", tmp_path / "index.tsv")
    study.run()
    assert study.results()["S1"]["verdict"] == "processed"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"ID_REF\tVALUE\n", "rows below the header"),
        (b"", "no line"),
        (b"\x00\x01\x02\x03" * 100, "expected text"),
        (b"ID_REF\tVALUE\n1_at\tNA\n2_at\t\n3_at\tnull\n4_at\t\n5_at\t\n", "S1.txt: the submitter's"),
        (b"ID_REF\tVALUE\n1_at\t3\n2_at\tmany\n", "many"),
        (b"ID_REF\tVALUE\n1_at\t3\t4\t5\n2_at\t3\n3_at\t3\n", "at most 2 fields"),
        (b"ID_REF\n1_at\n", "one column"),
        (b"ID_REF\tVALUE\n1_at\t3\n2_at\t3\n3_at\t3\n4_at\t3\n5_at\t3\n", "all 6 values are the same, 3"),
    ],
    ids=["no rows", "nothing", "no text", "all missing", "a word", "too many", "one column", "the same"],
)
def test_a_table_that_is_of_no_use_fails_its_sample(content: bytes, words: str, study: TableStudy) -> None:
    add(study, "S1", VALUES)
    (study.folder / "S1.txt").write_bytes(content)
    assert words in failure(study)


def test_every_conversion_of_refinebio_goes_through_the_lake(shared_data: Path, tmp_path: Path) -> None:
    folder = shared_data / "metadata_oracles"
    lines = (folder / "no_op.jsonl").read_text().splitlines()
    cases = [case for case in map(json.loads, lines) if case["function"] == "gene_convert.R"]
    study = TableStudy(tmp_path)
    for index in sorted({case["gene_index"] for case in cases}):
        index_genes(study, index.removesuffix(".tsv.gz"), shared_data / "gene_indexes" / index)
    for case in cases:
        platform = case["gene_index"].removesuffix(".tsv.gz")
        name = case["id"].partition(":")[2]
        study.add_table_sample(name, "processed", str(folder / case["input"]), platform=platform)
    study.run()
    results = study.results()
    for case in cases:
        row = results[case["id"].partition(":")[2]]
        if case["id"] == "gene_convert:y_entrez":  # numbers are compared as text here
            assert row["verdict"] == "processed"
        elif case["expected"] is None:
            assert row["verdict"] == "failed" and "fewer than 50%" in str(row["reason"])
        else:
            own = read_probe_values(commit_file(study, str(row["sample"])))
            values = np.exp2(own.values) if own.log2_taken else own.values
            with (folder / case["expected"]).open() as stream:
                expected = list(csv.reader(stream, delimiter="\t"))[1:]
            assert list(own.genes) == [line[0] for line in expected]
            np.testing.assert_allclose(values, [float(line[1]) for line in expected], rtol=1e-12)


def test_the_organism_of_a_submitted_sample_names_no_annotation_of_beads(study: TableStudy) -> None:
    add(study, "S1", VALUES)
    study.run()
    assert ORGANISM and study.results()["S1"]["detected_platform"] is None
