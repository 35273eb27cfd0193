"""What must hold of an experiment's results before others build on them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from refinebio_assets.domain import DropKind, Technology, Verdict
from refinebio_assets.lake.rows import read_rows
from refinebio_assets.lake.store import Lake
from refinebio_assets.pipelines import gene_expression, sample_quantifications
from refinebio_assets.pipelines.expression_matrix import column_values
from refinebio_assets.pipelines.gene_expression import read_expression
from refinebio_assets.pipelines.outcome import require_head
from refinebio_assets.pipelines.references import transcriptome_index


def matrix_problems(lake: Lake, accession: str) -> list[str]:
    """Say what is wrong with an experiment's matrices; empty when nothing is.

    Every sample is in a matrix or listed as dropped, never both and never neither; matrices have the
    genes and samples that were recorded; no more values are missing than recorded, none is infinite, and no
    abundance negative.
    """
    head = require_head(lake, gene_expression.ASSET, accession)
    rows = read_rows(lake, head, "matrices")
    matrices = {row["matrix"]: read_expression(lake, head, row["matrix"]) for row in rows}
    problems = _unaccounted(lake, accession, matrices)
    for row in rows:
        problems += _matrix_problems(row, matrices[row["matrix"]])
    return problems


def unprocessed_samples(lake: Lake, accession: str) -> list[str]:
    """Return a line for each sample that has no quantification: its name, verdict and reason."""
    head = require_head(lake, sample_quantifications.ASSET, accession)
    return [
        f"{row['sample']} ({row['verdict']}): {row['reason']}"
        for row in read_rows(lake, head, "results")
        if row["verdict"] != Verdict.PROCESSED
    ]


def unmapped_share(lake: Lake, organism: str) -> float:
    """Return the share (0 to 1) of an organism's transcripts that have no gene."""
    head = require_head(lake, transcriptome_index.ASSET, organism)
    row = read_rows(lake, head, "transcriptomes")[0]
    return 1.0 - float(row["mapped_transcripts"]) / float(row["transcripts"])


def _unaccounted(lake: Lake, accession: str, matrices: dict[str, pa.Table]) -> list[str]:
    quantified = require_head(lake, sample_quantifications.ASSET, accession)
    head = require_head(lake, gene_expression.ASSET, accession)
    wanted = {row["sample"] for row in read_rows(lake, quantified, "results")}
    columns = [name for matrix in matrices.values() for name in matrix.column_names[1:]]
    dropped = {row["item"] for row in read_rows(lake, head, "dropped") if row["kind"] == DropKind.SAMPLE}
    problems = [
        f"sample {name} is in no matrix and not listed as dropped"
        for name in sorted(wanted - set(columns) - dropped)
    ]
    problems += [
        f"sample {name} is in a matrix and listed as dropped" for name in sorted(set(columns) & dropped)
    ]
    problems += [
        f"sample {name} is in more than one matrix"
        for name in sorted(name for name, count in Counter(columns).items() if count > 1)
    ]
    return problems


def _matrix_problems(row: Mapping[str, Any], matrix: pa.Table) -> list[str]:
    name, genes, samples = row["matrix"], row["genes"], row["samples"]
    # Only abundances cannot be negative: SCAN's values are around zero for what is not expressed.
    lowest = -np.inf if row["technology"] == Technology.MICROARRAY else 0.0
    problems = []
    if (matrix.num_rows, matrix.num_columns - 1) != (genes, samples):
        problems.append(
            f"{name} has {matrix.num_rows} genes x {matrix.num_columns - 1} samples, "
            f"recorded are {genes} x {samples}"
        )
    if len(pc.unique(matrix.column(0))) != matrix.num_rows:
        problems.append(f"{name} lists a gene twice")
    missing = 0
    for sample in matrix.column_names[1:]:
        values = column_values(matrix, sample)
        absent = np.isnan(values)
        missing += int(absent.sum())
        possible = absent | (np.isfinite(values) & (values >= lowest))
        if matrix.column(sample).null_count or absent.all() or not possible.all():
            problems.append(f"{name}: sample {sample} has missing, infinite or impossible values")
    recorded = row.get("missing_values") or 0
    if missing != recorded:
        problems.append(f"{name} has {missing:,} missing values, recorded are {recorded:,}")
    return problems
