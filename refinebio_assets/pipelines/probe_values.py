"""One sample's values in the lake, a row a probe and gene: BeadArrays, and submitters' own values.

Parquet with the columns ``probe``, ``gene`` and ``value`` (float64, NaN where the sample has none), in the
order of the method that made them. A gene of several probes has several rows; matrices take their mean.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from refinebio_assets.errors import FormatError
from refinebio_assets.formats.illumina_annotation import string_array
from refinebio_assets.methods.probe_conversion import mean_by_gene
from refinebio_assets.pipelines.array_values import (
    GENES,
    ArrayValues,
    is_array_values,
    read_array_values,
)
from refinebio_assets.pipelines.expression_matrix import column_values

FORMAT_VERSION = "1"
_FORMAT_KEY = b"refinebio_assets.probe_values"
_LOG2_KEY = b"refinebio_assets.log2_taken"
_COLUMNS = ["probe", "gene", "value"]


@dataclass(frozen=True, slots=True, eq=False)
class ProbeValues:
    """A value for each row of probe and gene; neither need be there once only.

    ``log2_taken`` tells that the values are logarithms (base 2) which were taken here: a gene's mean is then
    taken before the logarithm, as refine.bio does.
    """

    probes: Sequence[str]
    genes: Sequence[str]
    values: npt.NDArray[np.float64]
    log2_taken: bool = False

    def by_gene(self) -> ArrayValues:
        """Return each gene once, sorted, with the mean of its rows' values, NaN where it has none."""
        if not self.log2_taken:
            names, values = mean_by_gene(self.genes, self.values)
            return ArrayValues(names, values, GENES)
        names, means = mean_by_gene(self.genes, np.exp2(self.values))
        single = np.log2(means)
        return ArrayValues(names, single, GENES)


def write_probe_values(path: Path, content: ProbeValues) -> str:
    """Write a sample's values and return the SHA-256 of probes, genes and values."""
    fields: list[pa.Field[Any]] = [
        pa.field("probe", pa.string(), nullable=False),
        pa.field("gene", pa.string(), nullable=False),
        pa.field("value", pa.float64(), nullable=False),
    ]
    metadata: dict[bytes | str, bytes | str] = {_FORMAT_KEY: FORMAT_VERSION}
    if content.log2_taken:
        metadata[_LOG2_KEY] = "yes"
    columns: list[pa.Array[Any]] = [
        *(string_array(texts) for texts in (content.probes, content.genes)),
        pa.array(content.values),
    ]
    table = pa.Table.from_arrays(columns, schema=pa.schema(fields, metadata=metadata))
    pq.write_table(table, path, compression="zstd")
    digest = hashlib.sha256("\n".join((str(content.log2_taken), *content.probes)).encode())
    digest.update("\n".join(content.genes).encode())
    digest.update(np.ascontiguousarray(content.values).tobytes())
    return digest.hexdigest()


def read_probe_values(path: Path) -> ProbeValues:
    """Read what ``write_probe_values`` wrote; FormatError when it is something else."""
    table = pq.read_table(path)
    metadata = table.schema.metadata or {}
    version = metadata.get(_FORMAT_KEY, b"").decode()
    if version != FORMAT_VERSION or table.column_names != _COLUMNS:
        raise FormatError(
            path,
            expected=f"a sample's values of probes, format {FORMAT_VERSION}",
            found=f"format {version or 'unknown'} with columns {', '.join(table.column_names)}",
        )
    probes, genes = (_texts(table, name) for name in ("probe", "gene"))
    return ProbeValues(probes, genes, column_values(table, "value"), _LOG2_KEY in metadata)


def read_gene_values(path: Path) -> ArrayValues:
    """Return a sample's values, each gene (or probe set) once, whichever of the two formats the file has."""
    return read_array_values(path) if is_array_values(path) else read_probe_values(path).by_gene()


def _texts(table: pa.Table, column: str) -> tuple[str, ...]:
    return tuple(str(scalar.as_py()) for chunk in table.column(column).chunks for scalar in chunk)
