"""Transcript to gene summarization: tximport's lengthScaledTPM, one sample at a time.

Arrays only. The order of use: ``index_genes`` once, ``sum_to_genes`` and ``RunningGeneLength.add`` for
each sample, ``length_scaled_tpm`` at the end. What is kept per sample is its gene abundance and one
number, so memory is that of the result. Reading quant.sf is the work of ``formats.quant_sf``.

Source: Soneson, Love, Robinson (2015), doi:10.12688/f1000research.7563.2; R's tximport 1.26.1,
``summarizeToGene`` and ``makeCountsFromAbundance(countsFromAbundance = "lengthScaledTPM")``.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import compress
from typing import cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Vector = npt.NDArray[np.float64]
Values = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class GeneIndex:
    """Which gene each quantified transcript counts for.

    ``genes`` are those with at least one quantified transcript, sorted by id in byte order (R's C
    locale). ``gene_of`` holds for each transcript the position of its gene, or ``len(genes)`` for a
    transcript without a gene.
    """

    genes: tuple[str, ...]
    gene_of: npt.NDArray[np.intp]

    @property
    def mapped(self) -> npt.NDArray[np.bool_]:
        """Whether each transcript has a gene."""
        return self.gene_of < len(self.genes)

    def sums(self, values: Vector) -> Vector:
        """Return, for each gene, the sum of its transcripts' values."""
        sums = np.bincount(self.gene_of, weights=values, minlength=len(self.genes) + 1)
        return sums[:-1].astype(np.float64, copy=False)


@dataclass(frozen=True, slots=True, eq=False)
class GeneSums:
    """One sample by gene: ``abundance`` (sum of TPM, per gene), ``length`` (mean of effective lengths
    in bases weighted by TPM, per gene, NaN where abundance is 0), ``count_total`` (reads of all genes).
    """

    abundance: Vector
    length: Vector
    count_total: float


def index_genes(
    transcripts: pa.StringArray, map_transcripts: pa.StringArray, map_genes: pa.StringArray
) -> GeneIndex:
    """Find the gene of each transcript in a map: its row i says which gene ``map_transcripts[i]`` is of.

    Transcripts that are not in the map count for no gene; for one that is in it twice the first row
    counts. Arrow hashes and sorts the names; as Python texts that takes twice as long (80 ms for 60,000).
    """
    rows = pc.index_in(transcripts, value_set=map_transcripts)
    found = _not_null(rows)
    coded = map_genes.dictionary_encode()
    order = pc.array_sort_indices(coded.dictionary)
    rank = np.empty(len(order), np.intp)
    rank[np.from_dlpack(order)] = np.arange(len(order))
    ranks = rank[np.from_dlpack(coded.indices)[_values(rows)[found]]]
    quantified = np.zeros(len(order), np.bool_)
    quantified[ranks] = True
    names = cast(list[str], coded.dictionary.take(order).to_pylist())
    genes = tuple(compress(names, quantified.tolist()))
    gene_of = np.full(len(transcripts), len(genes), np.intp)
    gene_of[found] = (np.cumsum(quantified) - 1)[ranks]
    return GeneIndex(genes, gene_of)


def sum_to_genes(index: GeneIndex, tpm: Vector, num_reads: Vector, effective_length: Vector) -> GeneSums:
    """Sum one sample's transcripts to genes.

    The three vectors have one finite value per transcript, in the order that ``index`` was made for:
    transcripts per million, reads, and effective length in bases.
    """
    abundance = index.sums(tpm)
    with np.errstate(invalid="ignore"):  # 0 / 0: a gene without abundance has no length here
        length = index.sums(tpm * effective_length) / abundance
    return GeneSums(abundance, length, float(num_reads[index.mapped].sum()))


class RunningGeneLength:
    """The mean length of each gene over samples, which are added one at a time.

    A gene without abundance in a sample has no length there; it then takes the geometric mean of its
    lengths in the other samples or, where it has none, the mean over its transcripts of their mean
    effective length over all samples.
    """

    def __init__(self, index: GeneIndex) -> None:
        genes, transcripts = len(index.genes), len(index.gene_of)
        self._index = index
        self._samples = 0
        self._present = np.zeros(genes, np.int64)
        self._length_sum = np.zeros(genes)
        self._log_sum = np.zeros(genes)
        self._transcript_sum = np.zeros(transcripts)

    def add(self, length: Vector, effective_length: Vector) -> None:
        """Add a sample: ``length`` per gene (NaN where absent), ``effective_length`` per transcript."""
        present = ~np.isnan(length)
        known = np.where(present, length, 1.0)
        with np.errstate(divide="ignore"):  # a length of 0 has log -inf and geometric mean 0, as in R
            self._log_sum += np.log(known)
        self._length_sum += np.where(present, length, 0.0)
        self._present += present
        self._transcript_sum += effective_length
        self._samples += 1

    def mean(self) -> Vector:
        """Return the mean length of each gene over all samples added so far, in bases; never NaN.

        Raises ValueError when no sample was added.
        """
        if not self._samples:
            raise ValueError("no sample was added")
        nowhere = self._present == 0
        everywhere = self._present == self._samples
        geometric = np.exp(self._log_sum / np.where(nowhere, 1, self._present))
        missing = np.where(nowhere, self._transcript_mean(), np.where(everywhere, 0.0, geometric))
        return (self._length_sum + (self._samples - self._present) * missing) / self._samples

    def _transcript_mean(self) -> Vector:
        transcripts = self._index.sums(np.ones(len(self._transcript_sum)))
        return self._index.sums(self._transcript_sum / self._samples) / transcripts


def length_scaled_tpm(
    abundance: Values, mean_length: Vector, count_totals: Values | np.float64 | float
) -> Values:
    """Turn gene abundances into counts that are comparable between samples.

    ``abundance`` is genes x samples (TPM) with a count total (reads) per sample, or one sample's genes
    with its count total: samples are independent once ``mean_length`` (per gene, bases, over all samples)
    is known. Returns the same shape: abundance times length, each sample scaled to its count total.
    Zero stays zero; a sample whose abundance is 0 in every gene becomes NaN, as in R.
    """
    scaled: Values = (abundance.T * mean_length).T
    with np.errstate(invalid="ignore", divide="ignore"):
        factors = count_totals / scaled.sum(axis=0)
    result: Values = scaled * factors
    return result


def _values(rows: pa.Int32Array) -> npt.NDArray[np.int32]:
    """Return the values of an array just made by Arrow; anything where they are null."""
    buffer = rows.buffers()[1]
    return np.frombuffer(memoryview(buffer), np.int32, len(rows)) if buffer else np.empty(0, np.int32)


def _not_null(rows: pa.Int32Array) -> npt.NDArray[np.bool_]:
    """Return where an array just made by Arrow has values. Not ``to_numpy``, which imports pandas (2 s)."""
    valid = rows.buffers()[0]
    if valid is None:
        return np.ones(len(rows), np.bool_)
    bits = np.frombuffer(memoryview(valid), np.uint8)
    return np.unpackbits(bits, count=len(rows), bitorder="little").view(np.bool_)
