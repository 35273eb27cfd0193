"""How well estimates agree with the truth of a simulated world."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from refinebio_assets.lake.rows import read_rows
from refinebio_assets.lake.store import Lake
from refinebio_assets.pipelines import gene_expression
from refinebio_assets.pipelines.export import choose_matrix
from refinebio_assets.pipelines.expression_matrix import GENE_COLUMN, column_values
from refinebio_assets.pipelines.gene_expression import read_expression
from refinebio_assets.pipelines.outcome import require_head
from refinebio_assets.simulate.world import World

Vector = npt.NDArray[np.float64]
EXPRESSED = 10
"""Fragments from which a gene counts as expressed: below, chance decides."""


def agreement_with_truth(lake: Lake, world: World) -> list[dict[str, Any]]:
    """Return a row for each sample of the world's experiments: how estimates compare with what was drawn.

    ``expressed_genes`` have at least 10 simulated fragments; ``spearman`` and ``pearson_log2`` are
    correlations over all genes, ``median_error`` is the median relative error over the expressed ones.
    Estimates are lengthScaledTPM, truth the fragments drawn from each gene.
    """
    truth = world.gene_counts()
    rows = []
    for accession in world.experiments:
        commit, name = choose_matrix(lake, accession)
        matrix = read_expression(lake, commit, name)
        genes = [str(gene) for gene in matrix.column(GENE_COLUMN).to_pylist()]
        for sample in matrix.column_names[1:]:
            drawn = np.array([truth[sample].get(gene, 0) for gene in genes], dtype=np.float64)
            rows.append(
                {"experiment": accession, "sample": sample} | _agreement(column_values(matrix, sample), drawn)
            )
    return rows


def agreement_of_arrays(lake: Lake, world: World) -> list[dict[str, Any]]:
    """Return a row for each of the world's arrays: how its values rank genes, beside their expression.

    Of several matrices of an experiment each has its own samples. Genes without a value are left out.
    """
    truth = world.array_expression()
    return [
        {"experiment": accession, "sample": sample, "processing": processing, **agreement}
        for accession in world.array_experiments
        for matrix, processing in _matrices(lake, accession)
        for sample, agreement in _agreement_of_matrix(matrix, truth)
    ]


def _matrices(lake: Lake, accession: str) -> Iterator[tuple[pa.Table, str]]:
    """Yield an experiment's matrices, and how each one's samples were processed."""
    commit = require_head(lake, gene_expression.ASSET, accession)
    for row in read_rows(lake, commit, "matrices"):
        yield read_expression(lake, commit, row["matrix"]), row["processing"]


def _agreement_of_matrix(
    matrix: pa.Table, truth: Mapping[str, Mapping[str, float]]
) -> Iterator[tuple[str, dict[str, Any]]]:
    genes = [str(gene) for gene in matrix.column(GENE_COLUMN).to_pylist()]
    for sample in matrix.column_names[1:]:
        values = column_values(matrix, sample)
        known = np.isfinite(values)
        expressed = np.array([truth[sample][gene] for gene in genes])
        spearman = float(np.corrcoef(_ranks(values[known]), _ranks(expressed[known]))[0, 1])
        yield sample, {"genes": int(known.sum()), "spearman": spearman}


def _agreement(estimated: Vector, drawn: Vector) -> dict[str, Any]:
    expressed = drawn >= EXPRESSED
    errors = np.abs(estimated[expressed] - drawn[expressed]) / drawn[expressed]
    return {
        "expressed_genes": int(expressed.sum()),
        "spearman": float(np.corrcoef(_ranks(estimated), _ranks(drawn))[0, 1]),
        "pearson_log2": float(np.corrcoef(np.log2(estimated + 1), np.log2(drawn + 1))[0, 1]),
        "median_error": float(np.median(errors)),
    }


def _ranks(values: Vector) -> Vector:
    """Return average ranks, 1 for the smallest."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    return ((ends - counts + 1 + ends) / 2)[inverse]
