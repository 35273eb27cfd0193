"""Values of genes as a submitter publishes them: some software's, under another database's ids."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from refinebio_assets.simulate.arrays import SIGNAL, SILENT_SHARE, ArrayExperiment
from refinebio_assets.simulate.design import simulate_gene_expression
from refinebio_assets.simulate.genome import Genome

Matrix = npt.NDArray[np.float64]

_FLOOR = 40.0
_NOISE_SD = 0.08


@dataclass(frozen=True, slots=True, eq=False)
class SubmittedValues:
    """One experiment's values and what is true of them: both samples x genes of the genome.

    ``log2_expression`` as in ``arrays``; ``values`` are on a linear scale, some tens for what is silent.
    """

    experiment: ArrayExperiment
    log2_expression: Matrix
    log2_fold_change: npt.NDArray[np.float64]
    values: Matrix


def simulate_submitted(
    experiment: ArrayExperiment, genome: Genome, rng: np.random.Generator
) -> SubmittedValues:
    """Draw the expression of an experiment's genes, and what its submitter says of it."""
    altered = [sample.altered for sample in experiment.samples]
    expression = simulate_gene_expression(genome, altered, rng, silent_share=SILENT_SHARE)
    log2_expression = np.log2(1 + SIGNAL * expression.levels)
    return SubmittedValues(
        experiment, log2_expression, expression.log2_fold_change, published(log2_expression, rng)
    )


def published(log2_expression: Matrix, rng: np.random.Generator) -> Matrix:
    """Return values that a submitter may publish for an expression, on a linear scale, to two decimals."""
    values: Matrix = (_FLOOR + 2.0**log2_expression) * rng.lognormal(0, _NOISE_SD, log2_expression.shape)
    return values.round(2)
