"""Summaries of quant.sf files: parity with tximport, and what becomes of files that do not fit."""

from __future__ import annotations

import gzip
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from refinebio_assets.domain import DropKind
from refinebio_assets.errors import AllFailedError, PermanentError, StorageError
from refinebio_assets.formats.gene_map import GeneMap, read_gene_map
from refinebio_assets.pipelines.transcript_summary import (
    QuantFile,
    TranscriptSummary,
    summarize_quant_files,
)

GOLDEN = Path(__file__).parents[1] / "methods" / "golden" / "tximport"
HEADER = "Name\tLength\tEffectiveLength\tTPM\tNumReads\n"
TRANSCRIPTS = ("T1", "T2", "T3")
GENE_MAP = GeneMap(("G2", "G1", "G2"), TRANSCRIPTS)
TPM = {"T1": 250_000.0, "T2": 250_000.0, "T3": 500_000.0}


def quant_file(
    folder: Path, sample: str, transcripts: Sequence[str] = TRANSCRIPTS, *, factor: float = 1.0
) -> QuantFile:
    """Write a sample in which a transcript's numbers depend on its name only."""
    rows = [f"{name}\t100\t{50 + len(name)}\t{TPM.get(name, 0.0) * factor}\t10\n" for name in transcripts]
    return content_file(folder, sample, HEADER + "".join(rows))


def content_file(folder: Path, sample: str, content: str) -> QuantFile:
    path = folder / sample
    path.write_text(content, encoding="utf-8")
    return QuantFile(sample, path, f"quant.sf of {sample}")


def expected_of(path: Path) -> tuple[list[str], npt.NDArray[np.float64]]:
    content = path.read_bytes()
    text = (gzip.decompress(content) if path.suffix == ".gz" else content).decode("utf-8")
    rows = [line.split("\t") for line in text.splitlines()[1:]]
    return [row[0] for row in rows], np.array([[float(value) for value in row[1:]] for row in rows])


def assert_agrees(summary: TranscriptSummary, path: Path) -> None:
    genes, values = expected_of(path)
    assert summary.genes == genes
    assert not np.isnan(values).any() and not np.isnan(summary.values).any()
    assert np.array_equal(summary.values == 0, values == 0)
    np.testing.assert_allclose(summary.values, values, rtol=1e-12, atol=0)


def test_simulated_samples_agree_with_tximport() -> None:
    files = [QuantFile(f"sample_{n}", GOLDEN / f"sample_{n}.quant.sf", f"sample_{n}") for n in range(1, 6)]
    summary = summarize_quant_files(files, read_gene_map(GOLDEN / "genes_to_transcripts.txt"), threads=2)
    assert_agrees(summary, GOLDEN / "expected.tsv")
    assert (summary.n_transcripts, summary.n_mapped, len(summary.unmapped)) == (300, 288, 12)
    assert summary.dropped == () and summary.warnings == ()


def test_twenty_real_samples_agree_with_tximport(shared_data: Path) -> None:
    folder = shared_data / "rnaseq_zebrafish"
    files = [
        QuantFile(path.name.removesuffix("_quant.sf.gz"), path, path.name)
        for path in sorted((folder / "SRP095529").iterdir())
    ]
    summary = summarize_quant_files(files, read_gene_map(folder / "genes_to_transcripts.txt.gz"), threads=2)
    assert_agrees(summary, folder / "SRP095529.tximport_1.26.1.lengthScaledTPM.tsv.gz")
    assert summary.values.shape == (31_882, 20)
    assert (summary.n_transcripts, summary.n_mapped, summary.unmapped) == (59_071, 59_071, [])
    assert summary.dropped == () and summary.warnings == ()


def test_the_result_is_the_same_bits_whatever_the_number_of_threads(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    files = []
    for number in range(12):
        values = rng.gamma(0.5, 100.0, (3, 3)).tolist()
        rows = [f"T{row + 1}\t100\t{a}\t{b}\t{c}\n" for row, (a, b, c) in enumerate(values)]
        files.append(content_file(tmp_path, f"S{number}", HEADER + "".join(rows)))
    one, many = (summarize_quant_files(files, GENE_MAP, threads=threads) for threads in (1, 7))
    assert one.values.tobytes(order="F") == many.values.tobytes(order="F")


def test_samples_keep_their_order_and_progress_is_told(tmp_path: Path) -> None:
    files = [quant_file(tmp_path, name) for name in ("S3", "S1", "S2")]
    told: list[tuple[int, int]] = []
    summary = summarize_quant_files(
        files, GENE_MAP, threads=2, progress=lambda done, of: told.append((done, of))
    )
    assert summary.samples == ["S3", "S1", "S2"]
    assert told == [(1, 3), (2, 3), (3, 3)]
    assert summary.values.flags.f_contiguous


def test_a_damaged_file_is_dropped_and_the_others_go_on(tmp_path: Path) -> None:
    files = [
        quant_file(tmp_path, "S1"),
        content_file(tmp_path, "S2", HEADER + "T1\t1\n"),
        quant_file(tmp_path, "S3"),
        QuantFile("S4", tmp_path / "absent", "quant.sf of S4"),
    ]
    summary = summarize_quant_files(files, GENE_MAP, threads=2)
    assert summary.samples == ["S1", "S3"]
    assert [(item.kind, item.item, item.step) for item in summary.dropped] == [
        (DropKind.SAMPLE, "S2", "gene_expression"),
        (DropKind.SAMPLE, "S4", "gene_expression"),
    ]
    assert summary.dropped[0].reason.startswith("quant.sf of S2, line 2: expected 5 fields")
    alone = summarize_quant_files([files[0], files[2]], GENE_MAP, threads=2)
    assert np.array_equal(summary.values, alone.values)


def test_the_list_that_most_files_share_decides(tmp_path: Path) -> None:
    files = [
        quant_file(tmp_path, "S1", ("T1", "T2")),
        quant_file(tmp_path, "S2"),
        quant_file(tmp_path, "S3"),
        quant_file(tmp_path, "S4", ("T2", "T1", "T3")),
    ]
    summary = summarize_quant_files(files, GENE_MAP, threads=2)
    assert summary.samples == ["S2", "S3"]
    reasons = {item.item: item.reason for item in summary.dropped}
    assert reasons["S1"].startswith(
        "quant.sf of S1, line 4: expected transcript 'T3', as in quant.sf of S2 and 1 more"
    )
    assert "line 2: expected transcript 'T1'" in reasons["S4"]
    assert "the same 3 transcripts in another order" in reasons["S4"]


def test_of_equally_common_lists_that_of_the_first_file_decides(tmp_path: Path) -> None:
    files = [quant_file(tmp_path, "S1", ("T1", "T2")), quant_file(tmp_path, "S2")]
    summary = summarize_quant_files(files, GENE_MAP, threads=2)
    assert summary.samples == ["S1"]
    assert "as in quant.sf of S1, found" in summary.dropped[0].reason


def test_expected_transcripts_decide_against_the_majority(tmp_path: Path) -> None:
    files = [quant_file(tmp_path, f"S{number}", ("T1", "T2")) for number in (1, 2)] + [
        quant_file(tmp_path, "S3")
    ]
    summary = summarize_quant_files(files, GENE_MAP, threads=2, expected_transcripts=TRANSCRIPTS)
    assert summary.samples == ["S3"]
    assert "line 4: expected transcript 'T3', as in the transcriptome index" in summary.dropped[0].reason


def test_a_sample_without_abundance_is_dropped_and_not_nan(tmp_path: Path) -> None:
    files = [quant_file(tmp_path, "S1"), quant_file(tmp_path, "S2", factor=0.0)]
    summary = summarize_quant_files(files, GENE_MAP, threads=1)
    assert summary.samples == ["S1"]
    assert "none of the 3 transcripts that have a gene has any abundance" in summary.dropped[0].reason
    assert not np.isnan(summary.values).any()


def test_transcripts_without_a_gene_are_listed(tmp_path: Path) -> None:
    summary = summarize_quant_files([quant_file(tmp_path, "S1")], GeneMap(("G",), ("T2",)), threads=1)
    assert (summary.genes, summary.unmapped) == (["G"], ["T1", "T3"])
    assert (summary.n_transcripts, summary.n_mapped) == (3, 1)


def test_tpm_that_do_not_sum_to_a_million_are_a_warning(tmp_path: Path) -> None:
    files = [quant_file(tmp_path, "S1"), quant_file(tmp_path, "S2", factor=0.5)]
    summary = summarize_quant_files(files, GENE_MAP, threads=1)
    assert [warning.sample for warning in summary.warnings] == ["S2"]
    assert "TPM of quant.sf of S2 sum to 500,000, not 1,000,000" in summary.warnings[0].text


def test_when_all_files_fail_every_reason_is_listed(tmp_path: Path) -> None:
    files = [content_file(tmp_path, "S1", ""), content_file(tmp_path, "S2", "@read\n")]
    with pytest.raises(AllFailedError) as caught:
        summarize_quant_files(files, GENE_MAP, threads=2)
    assert "S1: quant.sf of S1" in str(caught.value)
    assert "S2: quant.sf of S2, line 1" in str(caught.value)


def test_a_gene_map_that_fits_nothing_says_why(tmp_path: Path) -> None:
    swapped = GeneMap(TRANSCRIPTS, ("G2", "G1", "G2"))
    with pytest.raises(PermanentError, match=r"none of the 3 transcripts .* seem to be swapped"):
        summarize_quant_files([quant_file(tmp_path, "S1")], swapped, threads=1)


def test_two_files_of_one_sample_are_refused(tmp_path: Path) -> None:
    file = quant_file(tmp_path, "S1")
    with pytest.raises(PermanentError, match=r"'S1' has several quant.sf files"):
        summarize_quant_files([file, file], GENE_MAP, threads=1)


def test_no_files_are_refused() -> None:
    with pytest.raises(PermanentError, match=r"no quant.sf files"):
        summarize_quant_files([], GENE_MAP, threads=1)


def test_a_passing_failure_ends_the_run_so_that_it_can_be_tried_again(tmp_path: Path) -> None:
    # Reading a process's memory at 0 is an I/O error, as a failing disk gives one.
    broken = QuantFile("S2", Path("/proc/self/mem"), "quant.sf of S2")
    with pytest.raises(StorageError):
        summarize_quant_files([quant_file(tmp_path, "S1"), broken], GENE_MAP, threads=2)
