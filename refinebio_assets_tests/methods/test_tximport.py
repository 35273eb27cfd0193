"""Parity with R's tximport, and properties that hold whatever the numbers are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from refinebio_assets.methods.tximport import (
    GeneIndex,
    RunningGeneLength,
    index_genes,
    length_scaled_tpm,
    sum_to_genes,
)

GOLDEN = Path(__file__).parent / "golden" / "tximport"
Values = npt.NDArray[np.float64]


def names(*texts: str) -> pa.StringArray:
    return pa.array(texts, pa.string())


def summarize(index: GeneIndex, tpm: Values, reads: Values, lengths: Values) -> Values:
    """Run the kernels over transcripts x samples, one sample at a time."""
    sums = []
    running = RunningGeneLength(index)
    for sample in range(tpm.shape[1]):
        sums.append(sum_to_genes(index, tpm[:, sample], reads[:, sample], lengths[:, sample]))
        running.add(sums[-1].length, lengths[:, sample])
    abundance = np.column_stack([one.abundance for one in sums])
    return length_scaled_tpm(abundance, running.mean(), np.array([one.count_total for one in sums]))


def summarize_by_the_book(gene_of: list[int], tpm: Values, reads: Values, lengths: Values) -> Values:
    """Return the same after the definition: whole matrices, one gene after the other, no shortcuts."""
    rows = [[row for row, gene in enumerate(gene_of) if gene == one] for one in sorted(set(gene_of))]
    abundance = np.array([tpm[of].sum(axis=0) for of in rows])
    counts = np.array([reads[of].sum(axis=0) for of in rows])
    gene_length = np.empty_like(abundance)
    for gene, of in enumerate(rows):
        present = abundance[gene] > 0
        weighted = (tpm[of] * lengths[of]).sum(axis=0)
        gene_length[gene, present] = weighted[present] / abundance[gene, present]
        missing = (
            np.exp(np.log(gene_length[gene, present]).mean())
            if present.any()
            else lengths[of].mean(axis=1).mean()
        )
        gene_length[gene, ~present] = missing
    scaled = abundance * gene_length.mean(axis=1, keepdims=True)
    return scaled * (counts.sum(axis=0) / scaled.sum(axis=0))


@st.composite
def quantified(draw: st.DrawFn) -> tuple[list[int], Values, Values, Values]:
    """Draw transcripts x samples with many zeros, and a gene for each transcript."""
    transcripts, samples = draw(st.integers(1, 12)), draw(st.integers(1, 5))
    gene_of = draw(st.lists(st.integers(0, 5), min_size=transcripts, max_size=transcripts))
    shape = (transcripts, samples)
    tpm = draw(arrays(np.float64, shape, elements=st.sampled_from([0.0, 0.0, 0.5, 3.25, 1e4])))
    tpm[0] += 1.0  # so that no sample is without any abundance
    lengths = draw(arrays(np.float64, shape, elements=st.floats(1.0, 1e5)))
    return gene_of, tpm, tpm * lengths / 7.0, lengths


def index_of(gene_of: list[int]) -> GeneIndex:
    transcripts = names(*(f"T{row}" for row in range(len(gene_of))))
    return index_genes(transcripts, transcripts, names(*(f"G{gene}" for gene in gene_of)))


def read_columns(path: Path) -> tuple[list[str], Values]:
    rows = [line.split("\t") for line in path.read_text(encoding="utf-8").splitlines()[1:]]
    return [row[0] for row in rows], np.array([[float(value) for value in row[1:]] for row in rows])


def test_simulated_samples_agree_with_tximport() -> None:
    genes, expected = read_columns(GOLDEN / "expected.tsv")
    tables = [read_columns(GOLDEN / f"sample_{sample}.quant.sf") for sample in range(1, 6)]
    rows = [
        line.split("\t") for line in (GOLDEN / "genes_to_transcripts.txt").read_text("utf-8").splitlines()
    ]
    index = index_genes(
        names(*tables[0][0]), names(*(row[1] for row in rows)), names(*(row[0] for row in rows))
    )
    lengths, tpm, reads = (np.column_stack([table[1][:, column] for table in tables]) for column in (1, 2, 3))
    ours = summarize(index, tpm, reads, lengths)
    assert list(index.genes) == genes
    assert not np.isnan(ours).any() and not np.isnan(expected).any()
    assert np.array_equal(ours == 0, expected == 0)
    np.testing.assert_allclose(ours, expected, rtol=1e-12, atol=0)


@given(quantified())
def test_any_samples_agree_with_the_definition(data: tuple[list[int], Values, Values, Values]) -> None:
    gene_of, tpm, reads, lengths = data
    ours = summarize(index_of(gene_of), tpm, reads, lengths)
    np.testing.assert_allclose(ours, summarize_by_the_book(gene_of, tpm, reads, lengths), rtol=1e-11, atol=0)


@given(quantified())
def test_column_sums_are_those_of_the_reads(data: tuple[list[int], Values, Values, Values]) -> None:
    gene_of, tpm, reads, lengths = data
    ours = summarize(index_of(gene_of), tpm, reads, lengths)
    np.testing.assert_allclose(ours.sum(axis=0), reads.sum(axis=0), rtol=1e-11)


@given(quantified())
def test_zero_stays_zero_and_nothing_else_becomes_zero(
    data: tuple[list[int], Values, Values, Values],
) -> None:
    gene_of, tpm, reads, lengths = data
    index = index_of(gene_of)
    abundance = np.column_stack([index.sums(column) for column in tpm.T])
    assert np.array_equal(summarize(index, tpm, reads, lengths) == 0, abundance == 0)


@given(quantified(), st.randoms(use_true_random=False))
def test_the_order_of_samples_does_not_matter(
    data: tuple[list[int], Values, Values, Values], random: object
) -> None:
    gene_of, tpm, reads, lengths = data
    order = list(range(tpm.shape[1]))
    random.shuffle(order)  # type: ignore[attr-defined]
    index = index_of(gene_of)
    shuffled = summarize(index, tpm[:, order], reads[:, order], lengths[:, order])
    np.testing.assert_allclose(shuffled, summarize(index, tpm, reads, lengths)[:, order], rtol=1e-11)


@given(quantified())
def test_one_transcript_a_gene_is_tpm_times_mean_length(
    data: tuple[list[int], Values, Values, Values],
) -> None:
    _, tpm, reads, lengths = data
    tpm = tpm + 0.25
    ours = summarize(index_of(list(range(len(tpm)))), tpm, reads, lengths)
    order = np.argsort([f"G{row}" for row in range(len(tpm))])
    scaled = (tpm * lengths.mean(axis=1, keepdims=True))[order]
    np.testing.assert_allclose(ours, scaled * (reads.sum(axis=0) / scaled.sum(axis=0)), rtol=1e-11)


def test_a_gene_silent_everywhere_takes_its_transcripts_lengths_and_stays_zero() -> None:
    index = index_of([0, 1, 1])
    tpm = np.array([[1.0, 2.0], [0.0, 0.0], [0.0, 0.0]])
    lengths = np.array([[100.0, 200.0], [10.0, 20.0], [30.0, 60.0]])
    running = RunningGeneLength(index)
    for sample in range(2):
        sums = sum_to_genes(index, tpm[:, sample], tpm[:, sample], lengths[:, sample])
        running.add(sums.length, lengths[:, sample])
    assert running.mean().tolist() == [150.0, 30.0]


def test_a_gene_silent_in_one_sample_takes_the_geometric_mean_of_the_others() -> None:
    running = RunningGeneLength(index_of([0]))
    for length in (100.0, np.nan, 400.0):
        running.add(np.array([length]), np.array([50.0]))
    np.testing.assert_allclose(running.mean(), [(100 + 200 + 400) / 3], rtol=1e-15)


def test_a_sample_without_any_abundance_becomes_nan_as_in_r() -> None:
    abundance = np.array([[1.0, 0.0], [0.0, 0.0]])
    result = length_scaled_tpm(abundance, np.array([10.0, 20.0]), np.array([5.0, 0.0]))
    assert result[:, 0].tolist() == [5.0, 0.0]
    assert np.isnan(result[:, 1]).all()


def test_the_mean_length_of_no_samples_is_refused() -> None:
    with pytest.raises(ValueError, match="no sample"):
        RunningGeneLength(index_of([0])).mean()


def test_transcripts_outside_the_map_count_for_no_gene() -> None:
    index = index_genes(names("T1", "T2", "T3"), names("T3", "T1"), names("B", "A"))
    assert index.genes == ("A", "B")
    assert index.mapped.tolist() == [True, False, True]
    assert index.sums(np.array([1.0, 10.0, 100.0])).tolist() == [1.0, 100.0]


def test_a_transcript_twice_in_the_map_uses_its_first_row() -> None:
    index = index_genes(names("T1"), names("T1", "T1"), names("B", "A"))
    assert index.genes == ("B",)


def test_genes_without_a_quantified_transcript_are_left_out() -> None:
    index = index_genes(names("T1"), names("T0", "T1"), names("A", "B"))
    assert index.genes == ("B",)


def test_no_transcript_in_the_map_gives_no_genes() -> None:
    index = index_genes(names("T1", "T2"), names("X"), names("A"))
    assert index.genes == ()
    assert index.mapped.tolist() == [False, False]


@given(st.lists(st.text(min_size=1), min_size=1, unique=True))
def test_genes_are_sorted_by_their_bytes(genes: list[str]) -> None:
    transcripts = names(*(f"T{row}" for row in range(len(genes))))
    index = index_genes(transcripts, transcripts, names(*genes))
    assert list(index.genes) == sorted(genes, key=lambda gene: gene.encode("utf-8"))
    assert [index.genes[place] for place in index.gene_of] == genes
