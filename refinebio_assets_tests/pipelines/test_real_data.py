"""Real reads and real quantifications, from registration to matrix (skipped where the data are absent)."""

from __future__ import annotations

import csv
import gzip
from pathlib import Path

import numpy as np

from refinebio_assets.domain import Experiment, FileRole, Platform, Sample, SourceFile, Technology
from refinebio_assets.lake.rows import read_rows
from refinebio_assets.lake.store import Lake
from refinebio_assets.pipelines.experiment_record import record_experiment
from refinebio_assets.pipelines.export import export_matrix
from refinebio_assets.pipelines.expression_checks import matrix_problems
from refinebio_assets.pipelines.expression_matrix import column_values
from refinebio_assets.pipelines.gene_expression import read_expression, summarize_expression
from refinebio_assets.pipelines.outcome import Outcome
from refinebio_assets.pipelines.raw_files import collect_raw_files
from refinebio_assets.pipelines.references.platform_annotation import build_annotation
from refinebio_assets.pipelines.references.platform_registry import PlatformInputs, register_platform
from refinebio_assets.pipelines.references.transcriptome_index import build_transcriptome_index
from refinebio_assets.pipelines.references.transcriptome_registry import (
    TranscriptomeInputs,
    register_transcriptome,
)
from refinebio_assets.pipelines.registry import register_experiment
from refinebio_assets.pipelines.sample_quantifications import quantify_samples

RELATIVE = 1e-12
"""What the matrix promises; float64 sums in another order than R's long double differ by 1e-15."""


def experiment(accession: str, organism: str, samples: dict[str, dict[FileRole, Path]]) -> Experiment:
    made = tuple(
        Sample(
            name,
            organism,
            Technology.RNA_SEQ,
            files=tuple(SourceFile(role, str(path)) for role, path in files.items()),
        )
        for name, files in samples.items()
    )
    return Experiment(accession, "test", made)


def process(lake: Lake, made: Experiment) -> Outcome:
    register_experiment(lake, made, origin="test")
    record_experiment(lake, made.accession)
    collect_raw_files(lake, made.accession)
    quantify_samples(lake, made.accession)
    return summarize_expression(lake, made.accession)


def golden_matrix(path: Path) -> tuple[list[str], list[str], np.ndarray]:
    """Read R's matrix: genes, samples (named by run), values."""
    with gzip.open(path, "rt", encoding="utf-8") as stream:
        rows = list(csv.reader(stream, delimiter="\t"))
    values = np.array([[float(value) for value in row[1:]] for row in rows[1:]])
    return [row[0] for row in rows[1:]], [name.split("_")[0] for name in rows[0][1:]], values


def test_the_zebrafish_experiment_is_rs_matrix(shared_data: Path, tmp_path: Path) -> None:
    folder = shared_data / "rnaseq_zebrafish"
    gene_map = folder / "genes_to_transcripts.txt.gz"
    samples = {
        path.name.split("_")[0]: {FileRole.QUANT_SF: path, FileRole.GENE_MAP: gene_map}
        for path in sorted((folder / "SRP095529").iterdir())
    }
    lake = Lake(str(tmp_path / "lake"))
    commit = process(lake, experiment("SRP095529", "DANIO_RERIO", samples)).commit
    matrix = read_expression(lake, commit, "rna-seq_danio_rerio")
    genes, names, expected = golden_matrix(folder / "SRP095529.tximport_1.26.1.lengthScaledTPM.tsv.gz")
    assert matrix.column("Gene").to_pylist() == genes
    assert matrix.column_names[1:] == names
    values = np.column_stack([column_values(matrix, name) for name in names])
    assert ((values == 0) == (expected == 0)).all()
    np.testing.assert_allclose(values, expected, rtol=RELATIVE, atol=0)
    export_matrix(lake, "SRP095529", tmp_path / "z.tsv", format="tsv")
    lines = (tmp_path / "z.tsv").read_text(encoding="utf-8").splitlines()[1:]
    exported = np.array([[float(text) for text in line.split("\t")[1:]] for line in lines])
    assert (exported == values).all()


def test_the_human_reads_become_a_matrix_of_the_genes_in_the_map(shared_data: Path, tmp_path: Path) -> None:
    folder = shared_data / "rnaseq_human_chr21"
    lake = Lake(str(tmp_path / "lake"))
    transcripts, gene_map = folder / "transcripts.fa.gz", folder / "genes_to_transcripts.txt"
    inputs = TranscriptomeInputs("HOMO_SAPIENS", transcripts=str(transcripts), gene_map=str(gene_map))
    register_transcriptome(lake, inputs)
    index = build_transcriptome_index(lake, "HOMO_SAPIENS")
    (facts,) = read_rows(lake, index.commit, "transcriptomes")
    assert (facts["transcripts"], facts["mapped_transcripts"]) == (2457, 229)
    assert not build_transcriptome_index(lake, "HOMO_SAPIENS").changed
    samples = {
        f"sample_{name}": {
            FileRole.FASTQ_1: folder / f"sample_{name}_1.fastq.gz",
            FileRole.FASTQ_2: folder / f"sample_{name}_2.fastq.gz",
        }
        for name in "ab"
    }
    commit = process(lake, experiment("HUMAN", "HOMO_SAPIENS", samples)).commit
    assert matrix_problems(lake, "HUMAN") == []
    (row,) = read_rows(lake, commit, "matrices")
    assert row["samples"] == 2 and 140 <= row["genes"] <= 147
    quantified = lake.head("sample_quantifications", "HUMAN")
    assert quantified is not None
    results = read_rows(lake, quantified, "results")
    assert [result["reads_processed"] for result in results] == [4857, 4898]
    for result in results:
        assert result["processor"] == "Salmon" and result["library_type"] == "IU"
        assert 0.1 < result["mapping_rate"] < 0.5
        # Mean read length is below 75: the index for short reads.
        assert "/k23 " in result["command"] and "--gcBias" in result["command"]


SCAN_TOLERANCE = 2e-8
"""R rounds to 8 decimals; where the two differ, it is by one unit of the last."""


def golden_values(path: Path) -> dict[str, float]:
    """Read SCANfast's file: one name fewer in the header than in the rows."""
    with gzip.open(path, "rt", encoding="utf-8") as stream:
        return {name: float(value) for name, value in list(csv.reader(stream, delimiter="\t"))[1:]}


def array_experiment(cel: Path) -> Experiment:
    file = SourceFile(FileRole.CEL, str(cel))
    sample = Sample("A1", "HOMO_SAPIENS", Technology.MICROARRAY, Platform(name="GPL96"), (file,))
    return Experiment("ARRAYS", "sample_sheet", (sample,))


def test_a_real_array_gets_the_genes_of_rs_scanfast(shared_data: Path, tmp_path: Path) -> None:
    folder = shared_data / "affymetrix"
    lake = Lake(str(tmp_path / "lake"))
    register_platform(
        lake,
        PlatformInputs(
            "hgu95av2",
            probe_tab=str(folder / "HG-U95Av2_probe_tab.gz"),
            brainarray=str(folder / "hgu95av2hsensg_brainarray_format.tsv.xz"),
        ),
    )
    build_annotation(lake, "hgu95av2")
    commit = process(lake, array_experiment(folder / "C30057.CEL.gz")).commit
    matrix = read_expression(lake, commit, "microarray_hgu95av2")
    expected = golden_values(folder / "golden/C30057.SCANfast.hgu95av2hsensg.PCL.gz")
    genes = [str(gene) for gene in matrix.column("Gene").to_pylist()]
    assert sorted(genes) == sorted(name.removesuffix("_at") for name in expected)
    values = np.array([expected[f"{gene}_at"] for gene in genes])
    assert np.abs(column_values(matrix, "A1") - values).max() <= SCAN_TOLERANCE
    assert matrix_problems(lake, "ARRAYS") == []
    results = lake.head("sample_quantifications", "ARRAYS")
    assert results is not None
    (row,) = read_rows(lake, results, "results")
    assert row["warnings"] == ["its source calls the platform hgu133a; the CEL file is of hgu95av2"]
    (quality,) = read_rows(lake, results, "array_quality")
    assert (quality["iterations"], quality["converged"]) == (8, True)
    assert quality["sequence_share"] > 0.2


def test_a_real_array_without_genes_gets_rs_probe_sets_and_says_so(shared_data: Path, tmp_path: Path) -> None:
    folder = shared_data / "affymetrix"
    lake = Lake(str(tmp_path / "lake"))
    table = str(folder / "clariom_s_mouse_probes.tsv.xz")
    register_platform(lake, PlatformInputs("clariomsmouse", probe_tab=table))
    build_annotation(lake, "clariomsmouse")
    commit = process(lake, array_experiment(folder / "MN_2_3.CEL.gz")).commit
    matrix = read_expression(lake, commit, "microarray_clariomsmouse")
    expected = golden_values(folder / "golden/MN_2_3.SCANfast.probesets.PCL.gz")
    names = [str(name) for name in matrix.column("Gene").to_pylist()]
    assert sorted(names) == sorted(expected)
    difference = column_values(matrix, "A1") - np.array([expected[name] for name in names])
    assert np.abs(difference).max() <= SCAN_TOLERANCE
    assert "rows are probe sets" in commit.info["warnings"][0]


def test_probe_tables_of_another_array_are_noticed(shared_data: Path, tmp_path: Path) -> None:
    folder = shared_data / "affymetrix"
    lake = Lake(str(tmp_path / "lake"))
    table = str(folder / "clariom_s_mouse_probes.tsv.xz")
    register_platform(lake, PlatformInputs("hgu95av2", probe_tab=table))
    build_annotation(lake, "hgu95av2")
    process(lake, array_experiment(folder / "C30057.CEL.gz"))
    head = lake.head("sample_quantifications", "ARRAYS")
    assert head is not None
    (row,) = read_rows(lake, head, "results")
    assert any("explain next to nothing" in warning for warning in row["warnings"])
