"""What a compendium tells of its genes and samples: what was imputed, and how well."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from refinebio_assets.methods.impute.cells import row_blocks
from refinebio_assets.methods.impute.held_out import HeldOutErrors
from refinebio_assets.pipelines.compendia.imputing import Imputed
from refinebio_assets.pipelines.compendia.joining import Joined

_CHUNK_CELLS = 4_000_000


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """How many samples measure each gene, and how many genes each sample has measured."""

    of_genes: npt.NDArray[np.intp]
    of_samples: npt.NDArray[np.intp]

    @property
    def share_missing(self) -> float:
        """The share of the values that were not measured."""
        cells = len(self.of_genes) * len(self.of_samples)
        return 1.0 - int(self.of_genes.sum()) / cells


def count_measured(joined: Joined) -> Measured:
    """Count the measured values by gene and by sample."""
    samples, genes = joined.measured.shape
    of_genes, of_samples = np.zeros(genes, np.intp), np.zeros(samples, np.intp)
    for rows in row_blocks((samples, genes), _CHUNK_CELLS, 1):
        known = ~np.isnan(joined.measured[rows])
        of_genes += np.count_nonzero(known, axis=0)
        of_samples[rows] = np.count_nonzero(known, axis=1)
    return Measured(of_genes, of_samples)


def gene_table(joined: Joined, imputed: Imputed, measured: Measured) -> pa.Table:
    """Return a row a gene: samples measured, share missing, and the errors on values held out (log2).

    ``rmse_random`` is of values hidden one by one, ``rmse_block`` of all values of a platform hidden together
    (for a tenth of the genes); null where none was hidden.
    """
    samples = len(joined.samples)
    columns: dict[str, Any] = {
        "gene": pa.array(joined.genes, pa.string()),
        "samples_measured": pa.array(measured.of_genes, pa.int32()),
        "share_missing": pa.array(1.0 - measured.of_genes / samples, pa.float64()),
        "sequencing_left_out": pa.array([gene in joined.weak for gene in joined.genes], pa.bool_()),
    }
    return pa.table(columns | _errors_by_gene(imputed.errors, len(joined.genes)))


def sample_table(joined: Joined, measured: Measured) -> pa.Table:
    """Return a row a sample: where it is from, genes measured, and the share that was not."""
    samples = joined.samples
    return pa.table(
        {
            "sample": pa.array([sample.accession for sample in samples], pa.string()),
            "experiment": pa.array([sample.experiment for sample in samples], pa.string()),
            "organism": pa.array([sample.organism for sample in samples], pa.string()),
            "technology": pa.array([str(sample.technology) for sample in samples], pa.string()),
            "platform": pa.array([sample.platform for sample in samples], pa.string()),
            "genes_measured": pa.array(measured.of_samples, pa.int32()),
            "share_missing": pa.array(1.0 - measured.of_samples / len(joined.genes), pa.float64()),
        }
    )


def _errors_by_gene(errors: HeldOutErrors | None, genes: int) -> dict[str, Any]:
    columns: dict[str, Any] = {}
    for name, in_block in (("random", False), ("block", True)):
        rmse, counts = np.full(genes, np.nan), np.zeros(genes, np.intp)
        if errors is not None:
            rmse, counts = errors.by_gene(in_block=in_block)
        columns[f"rmse_{name}"] = pa.array(rmse, pa.float64(), mask=counts == 0)
        columns[f"hidden_{name}"] = pa.array(counts, pa.int32())
    return columns
