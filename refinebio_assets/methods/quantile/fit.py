"""Makes a target: the mean of the samples' sorted values. Applying it is the work of ``apply``."""

from __future__ import annotations

from functools import partial

import numpy as np
import numpy.typing as npt

from refinebio_assets.methods.quantile.columns import (
    Matrix,
    Vector,
    checked_matrix,
    column_chunks,
    in_order,
    read_columns,
)
from refinebio_assets.methods.quantile.interpolation import stretch


def fit_target(matrix: npt.ArrayLike, length: int | None = None, *, threads: int | None = None) -> Vector:
    """Return the target of a genes x samples matrix: the mean over samples of their sorted values.

    ``matrix`` is float32 or float64 (integers become float64). NaN is missing, as NA in R: a sample with
    fewer values than genes is stretched to all by interpolation. A sample without values counts for
    nothing, not even in the divisor; what R makes of it is not defined. The target is ascending float64,
    of ``length`` quantiles, or one for each gene. ``threads`` None means all processors that this process
    may use; the result does not depend on it.

    Values are to the last bit those of preprocessCore 1.60.2's ``normalize.quantiles.determine.target`` on
    one thread, which adds in 80-bit floats. Where the platform's ``long double`` is not that (no x86), the
    last bit may differ.

    Raises ValueError when no sample has a value, or ``length`` is below 1.
    """
    values = checked_matrix(matrix)
    accumulator = TargetAccumulator(values.shape[0])
    accumulator.add(values, threads=threads)
    return accumulator.target(length)


class TargetAccumulator:
    """The target of samples that are added a few at a time; memory does not grow with their number.

    It is that of ``fit_target`` on all of them in the order they were added, to the last bit, however they
    were divided: ``fit_target`` does the same.
    """

    def __init__(self, genes: int) -> None:
        if genes < 1:
            raise ValueError("a target needs at least one gene")
        self._genes = genes
        self._samples = 0
        self._sum = np.zeros(genes, np.longdouble)

    @property
    def samples(self) -> int:
        """How many samples with values were added."""
        return self._samples

    def add(self, matrix: npt.ArrayLike, *, threads: int | None = None) -> npt.NDArray[np.bool_]:
        """Add the samples (columns) of a genes x samples matrix; parameters as for ``fit_target``.

        Returns for each sample whether it was counted: False when all its values are missing.
        Raises ValueError when the number of genes differs.
        """
        values = checked_matrix(matrix)
        if values.shape[0] != self._genes:
            raise ValueError(f"expected {self._genes:,} genes, got {values.shape[0]:,}")
        counted = []
        chunks = column_chunks(values.shape[1])
        with np.errstate(invalid="ignore"):  # infinity in one sample, minus infinity in another
            for samples in in_order(partial(_sorted_columns, values), chunks, threads):
                for sample in samples:
                    counted.append(sample is not None)
                    if sample is not None:
                        self._sum += sample
        self._samples += sum(counted)
        return np.array(counted, np.bool_)

    def target(self, length: int | None = None) -> Vector:
        """Return the target of the samples added so far, of ``length`` quantiles or one for each gene.

        Raises ValueError when no sample with values was added, or ``length`` is below 1.
        """
        if not self._samples:
            raise ValueError("a target needs at least one sample with values")
        if length is not None and length < 1:
            raise ValueError(f"expected a length of at least 1, got {length}")
        mean = self._sum.astype(np.float64) / self._samples  # rounded, then divided: as in R
        return mean if length in (None, self._genes) else stretch(mean, length or self._genes)


def _sorted_columns(matrix: Matrix, columns: slice) -> list[Matrix | None]:
    """Return each sample's values ascending, stretched to all genes; None for one without values."""
    samples = read_columns(matrix, columns, matrix.dtype)
    samples.sort(axis=1)  # NaN come last
    return [_stretched(sample) for sample in samples]


def _stretched(ordered: Matrix) -> Matrix | None:
    present = len(ordered) - int(np.count_nonzero(np.isnan(ordered)))
    if present == len(ordered):
        return ordered
    return stretch(ordered[:present].astype(np.float64), len(ordered)) if present else None
