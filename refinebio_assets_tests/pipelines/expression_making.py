"""Writes matrices of experiments into a lake as ``gene_expression`` does, without samples to process."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from refinebio_assets.lake.store import Commit, Lake
from refinebio_assets.pipelines import gene_expression
from refinebio_assets.pipelines.expression_matrix import (
    LENGTH_SCALED_TPM,
    SCAN,
    matrix_table,
    matrix_version,
    write_matrix,
)

HGU95 = "Affymetrix Human Genome U95 Version 2 Array (hgu95av2)"


@dataclass
class MadeMatrix:
    """One matrix to write; the defaults are those of a from-raw Affymetrix array."""

    samples: Sequence[str]
    genes: Sequence[str]
    values: npt.NDArray[np.float64]
    platform: str = HGU95
    technology: str = "MICROARRAY"
    organism: str = "HOMO_SAPIENS"
    processing: str | None = "from raw"
    level: str = "gene"
    reference: str | None = "annotation"
    name: str = ""
    extra: dict[str, object] = field(default_factory=dict)


def put_expression(lake: Lake, experiment: str, *matrices: MadeMatrix) -> Commit:
    """Commit the matrices of one experiment."""
    rows = []
    with lake.draft(gene_expression.ASSET, experiment) as draft:
        for number, made in enumerate(matrices):
            name = made.name or f"matrix_{number}"
            unit = SCAN if made.technology == "MICROARRAY" else LENGTH_SCALED_TPM
            table = matrix_table(made.genes, made.samples, made.values, unit)
            write_matrix(draft.folder / f"{name}.parquet", table)
            rows.append(
                {
                    "experiment": experiment,
                    "matrix": name,
                    "technology": made.technology,
                    "processing": made.processing,
                    "platform": made.platform,
                    "level": made.level,
                    "organism": made.organism,
                    "genes": len(made.genes),
                    "samples": len(made.samples),
                    "path": f"{name}.parquet",
                    "version": matrix_version(table),
                    "reference": made.reference,
                    **made.extra,
                }
            )
        draft.write_table("matrices", rows)
        draft.write_table("dropped", [])
        return draft.commit(
            version="-".join(str(row["version"]) for row in rows),
            code_version=gene_expression.CODE_VERSION,
            info={"basis": {}, "warnings": [], "matrices": len(rows)},
        )
