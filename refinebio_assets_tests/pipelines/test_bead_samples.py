"""BeadArray tables from sample sheet to matrix: what is processed from raw data, what is not, and why."""

from __future__ import annotations

import csv
import gzip
import json
from pathlib import Path

import numpy as np
import pytest

from refinebio_assets.errors import AllFailedError
from refinebio_assets.lake.catalog import Catalog
from refinebio_assets.lake.rows import read_rows
from refinebio_assets.pipelines.due import due_step
from refinebio_assets.pipelines.export import export_matrix, submitted_reasons
from refinebio_assets.pipelines.expression_checks import matrix_problems
from refinebio_assets.pipelines.expression_matrix import column_values
from refinebio_assets.pipelines.gene_expression import read_expression
from refinebio_assets.pipelines.outcome import require_head
from refinebio_assets.pipelines.overview import experiment_details, experiment_states, sample_details
from refinebio_assets.pipelines.probe_values import read_probe_values
from refinebio_assets.pipelines.sample_answers import find_gene, sample_answers
from refinebio_assets_tests.pipelines.bead_study import (
    NAMES,
    Beads,
    TableStudy,
    annotate,
    bead_study,
    index_genes,
)

RAW, SUBMITTED = "microarray_illuminasimulatumv2", "submitter-processed_illuminasimulatumv2"


@pytest.fixture
def beads(tmp_path: Path) -> TableStudy:
    return bead_study(tmp_path)


def failure(study: TableStudy) -> str:
    with pytest.raises(AllFailedError) as raised:
        study.run()
    return str(raised.value)


def test_the_samples_of_one_table_are_quantified_each_by_itself(beads: TableStudy) -> None:
    beads.run()
    assert matrix_problems(beads.lake, "STUDY") == []
    for name, row in beads.results().items():
        assert (row["processor"], row["processing"]) == ("Illumina SCAN", "from raw")
        assert (row["platform"], row["detected_platform"]) == ("illuminaSimulatumv2", "illuminaSimulatumv2")
        assert (row["detection_percentage"], row["mapped_percentage"]) == (100.0, 100.0)
        commit = require_head(beads.lake, "sample_quantification", name)
        assert {ref.asset for ref in commit.inputs} == {"file", "platform_annotation"}
        values = read_probe_values(beads.lake.local(commit.file("values.parquet")))
        assert list(values.probes) == beads.beads.ids and len(set(values.genes)) == 650
    columns = [(row["header"], row["role"]) for row in beads.rows_of("table_columns")]
    assert columns[:3] == [
        ("ID_REF", "probe id"),
        ("liver_1.AVG_Signal", "values"),
        ("liver_1.Detection Pval", "detection p-values"),
    ]
    assert [row["iterations"] for row in beads.rows_of("array_quality")]
    assert due_step(beads.lake, "STUDY") is None


def test_the_matrix_has_each_gene_once_with_the_mean_of_its_probes(beads: TableStudy) -> None:
    beads.run()
    head = require_head(beads.lake, "gene_expression", "STUDY")
    matrix = read_expression(beads.lake, head, RAW)
    commit = require_head(beads.lake, "sample_quantification", NAMES[0])
    values = read_probe_values(beads.lake.local(commit.file("values.parquet"))).values
    assert matrix.column("Gene").to_pylist() == sorted(set(beads.beads.genes))
    np.testing.assert_allclose(column_values(matrix, NAMES[0]), values.reshape(-1, 2).mean(axis=1))
    assert beads.matrices()[RAW]["unit"] == "SCAN"


def test_whether_a_gene_is_measured_is_told_from_the_annotation_of_the_array(beads: TableStudy) -> None:
    annotate(beads, "illuminaSimulatumv1", Beads.random(1_000, first=600))
    beads.run()
    inputs = require_head(beads.lake, "sample_quantification", NAMES[0]).inputs
    assert sum(ref.asset == "platform_annotation" for ref in inputs) == 2, "both were compared with the table"
    catalog = Catalog(beads.lake)
    catalog.sync()
    answers = sample_answers(catalog, NAMES[0])
    gene = next(name for name in beads.beads.genes if name)
    (there,) = find_gene(beads.lake, answers, gene)
    assert (there.reference, there.part, there.parts > 0) == ("illuminaSimulatumv2", "probes", True)
    (absent,) = find_gene(beads.lake, answers, "ENSG99999999999")
    assert absent.parts == 0


def test_a_missing_cell_loses_that_probe_of_that_sample_only(beads: TableStudy, tmp_path: Path) -> None:
    signals = [str(value) for value in beads.beads.signals(0)[0].tolist()]
    signals[0] = signals[1] = ""
    beads.write_beads(columns={"liver_1.AVG_Signal": signals})
    beads.run()
    assert beads.matrices()[RAW]["missing_values"] == 1
    assert matrix_problems(beads.lake, "STUDY") == []
    lost = "2 of 1,300 probes have no usable signal in this sample"
    warned = {name: row["warnings"] for name, row in beads.results().items()}
    assert lost in str(warned["liver_1"]) and "no usable" not in str(warned["liver_2"])
    export_matrix(beads.lake, "STUDY", tmp_path / "m.tsv", format="tsv")
    gene, first, second = (tmp_path / "m.tsv").read_text().splitlines()[1].split("\t")
    assert (gene, first) == ("ENSG00000", "NA") and float(second) != 0


def test_values_of_zero_or_less_count_as_corrected_before(beads: TableStudy) -> None:
    signals = beads.beads.signals(0)[0] - 120
    beads.write_beads(columns={"liver_1.AVG_Signal": signals.round(1).tolist()})
    beads.run()
    for row in beads.results().values():
        assert row["processing"] == "from raw"
        assert any("count as background-corrected" in str(text) for text in row["warnings"])  # type: ignore[attr-defined]


def test_a_table_below_the_gate_is_submitter_processed_and_says_why(beads: TableStudy) -> None:
    # Exactly 75 % of the table's ids are probes: not more.
    foreign = [*beads.beads.ids[:975], *(f"ILMN_X{number}" for number in range(325))]
    beads.write_beads(columns={"ID_REF": foreign})
    beads.run()
    for row in beads.results().values():
        assert (row["processor"], row["processing"]) == ("Submitter-processed", "submitter-processed")
        reason = str(row["processing_reason"])
        assert reason.startswith("raw processing was not possible because illuminaSimulatumv2: 75 % of")
        assert (row["detection_percentage"], row["mapped_percentage"]) == (75.0, 75.0)
    (matrix,) = beads.matrices().values()
    assert (matrix["matrix"], matrix["processing"]) == (SUBMITTED, "submitter-processed")
    assert matrix["unit"] == "submitter's log2" and matrix["genes"] == 488
    (first, _) = beads.rows_of("submitted_values")
    assert (first["id_kind"], first["overlap"], first["rows_without_gene"]) == ("PROBEID", 0.75, 325)
    assert first["log2_taken"] is True and "above 100" in str(first["log2_reason"])
    assert sum(submitted_reasons(beads.lake, "STUDY").values()) == 2
    assert matrix_problems(beads.lake, "STUDY") == []


def test_an_experiment_that_mixes_both_shows_which_is_which_and_why(beads: TableStudy) -> None:
    beads.write_beads(columns={"liver_2.Detection Pval": []})
    beads.run()
    assert {name: row["samples"] for name, row in beads.matrices().items()} == {RAW: 1, SUBMITTED: 1}
    catalog = beads.catalog
    (state,) = experiment_states(catalog)
    assert (state["processed"], state["submitter_processed"]) == (2, 1)
    details = experiment_details(catalog, "STUDY")
    assert details is not None
    shown = {row["sample"]: (row["processing"], row["processing_reason"]) for row in details.samples}
    assert shown["liver_1"] == ("from raw", None)
    assert shown["liver_2"][0] == "submitter-processed"
    assert "no detection p-values" in shown["liver_2"][1]
    (sample,) = sample_details(catalog, "liver_2")
    assert [row["header"] for row in sample.columns] == ["ID_REF", "liver_2.AVG_Signal"]
    assert sample.detection[0]["platform"] == "illuminaSimulatumv2" and len(sample.submitted) == 1
    assert submitted_reasons(beads.lake, "STUDY", RAW) == {}


def test_the_platform_with_most_of_its_probes_in_the_table_wins(beads: TableStudy) -> None:
    own = Beads.random(400, first=5_000)
    half = Beads(beads.beads.ids[::2] + own.ids, beads.beads.sequences[::2] + own.sequences,
                 beads.beads.genes[::2] + own.genes)  # fmt: skip
    annotate(beads, "illuminaSimulatumv1", half)
    beads.run()
    rows = {row["platform"]: row for row in beads.rows_of("platform_detection")}
    assert rows["illuminaSimulatumv2"]["detected"] and not rows["illuminaSimulatumv1"]["detected"]
    assert beads.results()["liver_1"]["platform"] == "illuminaSimulatumv2"
    annotate(beads, "illuminaSimulatumv3", Beads.random(30, first=9_000))
    due = due_step(beads.lake, "STUDY")
    assert due is not None and "annotation of illuminaSimulatumv3 added" in due[1][0]


def test_an_annotation_that_is_not_here_is_a_failure_with_its_command(beads: TableStudy) -> None:
    for row in beads.rows:
        row |= {"organism": "Homo sapiens", "platform": "GPL10558"}
    message = failure(beads)
    assert "`refinebio-assets reference add-platform --platform illuminaHumanv4`" in message
    assert "illuminaHumanv3" not in message


def test_a_table_below_the_gate_waits_for_annotations_that_are_not_here(beads: TableStudy) -> None:
    annotate(beads, "illuminaHumanv4", Beads.random(first=50_000), "HOMO_SAPIENS")
    for row in beads.rows:
        row |= {"organism": "Homo sapiens", "platform": "GPL10558"}
    message = failure(beads)
    assert "none of the file's 1,300 ids is a probe" in message
    for version in (1, 2, 3):
        assert f"--platform illuminaHumanv{version}`" in message
    annotate(beads, "illuminaHumanv3", beads.beads, "HOMO_SAPIENS")
    beads.run()
    row = beads.results()["liver_1"]
    assert (row["platform"], row["processing"]) == ("illuminaHumanv3", "from raw")
    assert "without illuminaHumanv1, illuminaHumanv2" in str(row["warnings"])


def test_ids_that_no_annotation_knows_may_be_in_the_gene_index(beads: TableStudy, tmp_path: Path) -> None:
    symbols = [f"SYM{number}" for number in range(len(beads.beads.ids))]
    beads.write_beads(columns={"ID_REF": symbols})
    for row in beads.rows:
        row["platform"] = "Illumina_HumanHT-12_V4.0"
    message = failure(beads)
    assert "raw processing was not possible because none of the file's 1,300 ids is a probe" in message
    assert "cannot be converted to genes" in message
    lines = [f"p{number}\tENSG{number:05d}\t{symbol}" for number, symbol in enumerate(symbols)]
    (tmp_path / "index.tsv").write_text("\n".join(["PROBEID\tENSEMBL\tSYMBOL", *lines, ""]))
    index_genes(beads, "Illumina_HumanHT-12_V4.0", tmp_path / "index.tsv")
    beads.run()
    assert beads.results()["liver_1"]["processing"] == "submitter-processed"
    assert beads.rows_of("submitted_values")[0]["id_kind"] == "SYMBOL"


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"ID_REF": [], "Symbol": ["a"] * 1300}, "expected a column of probe ids"),
        ({"liver_1.AVG_Signal": [], "liver_1.Detection Pval": [], "liver_2.AVG_Signal": [],
          "other.AVG_Signal": [200.5] * 1300}, "'ID_REF | liver_2.Detection Pval | other.AVG_Signal'"),
        ({f"{name}.AVG_Signal": [""] * 1300 for name in NAMES}, "no cell below the samples' headers"),
        ({"liver_1.AVG_Signal": ["n/k"] * 1299 + ["3"]}, "liver_1"),
    ],
    ids=["no ids", "no sample", "all missing", "text"],
)  # fmt: skip
def test_a_table_that_cannot_be_read_fails_its_samples_and_quotes_it(
    columns: dict[str, list[object]], words: str, beads: TableStudy
) -> None:
    beads.write_beads(columns=columns)
    message = ""
    try:
        beads.run()
    except AllFailedError as error:
        message = str(error)
    assert words in message or words in str(beads.results()["liver_1"]["reason"])


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40, "beads.txt"),
        (b"ID_REF\tliver_1\tliver_2\n", "expected rows below the header"),
        (b"", "beads.txt"),
    ],
    ids=["no text", "no rows", "nothing"],
)
def test_a_file_that_is_no_table_fails_its_samples(content: bytes, words: str, beads: TableStudy) -> None:
    (beads.folder / "beads.txt").write_bytes(content)
    assert words in failure(beads)


def test_a_cut_file_fails_its_samples(beads: TableStudy) -> None:
    whole = (beads.folder / "beads.txt").read_bytes()
    (beads.folder / "beads.txt").write_bytes(whole[: len(whole) // 2])
    assert "cut" in failure(beads) or "truncated" in failure(beads)


def test_an_id_that_comes_twice_counts_once(beads: TableStudy) -> None:
    ids = beads.beads.ids
    beads.write_beads(columns={"ID_REF": [*ids[:-1], ids[0]]})
    beads.run()
    commit = require_head(beads.lake, "sample_quantification", "liver_1")
    assert list(read_probe_values(beads.lake.local(commit.file("values.parquet"))).probes) == ids[:-1]


def test_a_sample_that_the_table_lacks_fails_alone(beads: TableStudy) -> None:
    beads.add_table_sample("kidney", "beadarray", "beads.txt")
    beads.run()
    assert beads.results()["liver_1"]["verdict"] == "processed"
    row = beads.results()["kidney"]
    assert row["verdict"] == "failed" and "liver_1.AVG_Signal" in str(row["reason"])


def test_a_column_may_be_named_in_the_sheet(beads: TableStudy) -> None:
    for row in beads.rows:
        row |= {"table_column": row["sample"], "sample": row["sample"].replace("liver", "S")}
    beads.run()
    assert beads.results()["S_1"]["verdict"] == "processed"


R_TOLERANCE = 2e-8


def test_the_barnes_arrays_are_rs_from_the_sheet_to_the_matrix(shared_data: Path, tmp_path: Path) -> None:
    folder = shared_data / "illumina"
    with (folder / "ilmn_humanv1_8000_annotation.tsv").open() as stream:
        rows = list(csv.DictReader(stream, delimiter="\t"))
    study = TableStudy(tmp_path)
    probes = Beads(
        [row["probe_id"] for row in rows],
        [row["sequence"] for row in rows],
        [row["probe_id"] for row in rows],
    )
    annotate(study, "barnes", probes)
    names = ("A01", "A02", "B01", "B02")
    for name in names:
        study.add_table_sample(name, "beadarray", str(folder / "lumi_barnes_8000_nonnormalized.txt.gz"))
    study.run()
    with gzip.open(folder / "barnes.illumina.probes.tsv.gz", "rt") as stream:
        expected = {row["id"]: row for row in csv.DictReader(stream, delimiter="\t")}
    parameters = json.loads((folder / "barnes.illumina.params.json").read_text())["samples"]
    iterations = {row["sample"]: row["iterations"] for row in study.rows_of("array_quality")}
    head = require_head(study.lake, "gene_expression", "STUDY")
    matrix = read_expression(study.lake, head, "microarray_barnes")
    genes = matrix.column("Gene").to_pylist()
    for name in names:
        assert iterations[name] == parameters[f"{name}.AVG_Signal"]["iterations"]
        in_r = np.array([float(expected[gene][f"{name}.AVG_Signal|y_norm"]) for gene in genes])
        assert np.abs(column_values(matrix, name) - in_r).max() <= R_TOLERANCE
    assert len(read_rows(study.lake, head, "matrices")) == 1
