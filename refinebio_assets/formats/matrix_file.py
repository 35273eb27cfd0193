"""Matrices as files: TSV, CSV, Parquet or h5ad, by the file's name."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from refinebio_assets.errors import PermanentError, RequestError
from refinebio_assets.formats.matrix_tsv import COMMA, GENE_COLUMN, write_matrix_tsv

Names = Sequence[str]
Matrix = npt.NDArray[np.floating[Any]]
Writer = Callable[[Path, Names, Names, Matrix], None]
"""Writes genes x samples, with the names of both, to a path; NaN is missing."""


def matrix_writer(output: Path, *, source: Path | None = None) -> Writer:
    """Return what writes a matrix as the name of ``output`` says.

    An h5ad keeps the annotation of observations that ``source`` has when it is h5ad, too. Raises RequestError
    for a name that says nothing.
    """
    if output.suffix.lower() == ".h5ad":
        return lambda path, genes, samples, values: _write_h5ad(path, genes, samples, values, source)
    writer = _WRITERS.get(output.suffix.lower())
    if writer is None:
        known = ", ".join(_WRITERS)
        raise RequestError(f"cannot tell the format from {output.name}; end it with {known} or .h5ad")
    return writer


def _write_tsv(path: Path, genes: Names, samples: Names, values: Matrix) -> None:
    with path.open("wb") as stream:
        write_matrix_tsv(stream, genes, samples, values)


def _write_csv(path: Path, genes: Names, samples: Names, values: Matrix) -> None:
    with path.open("wb") as stream:
        write_matrix_tsv(stream, genes, samples, values, separator=COMMA)


def _write_parquet(path: Path, genes: Names, samples: Names, values: Matrix) -> None:
    columns = [pa.array(np.ascontiguousarray(column)) for column in np.transpose(values)]
    table = pa.Table.from_arrays([pa.array(list(genes), pa.string()), *columns], [GENE_COLUMN, *samples])
    pq.write_table(table, path, compression="zstd")


def _write_h5ad(path: Path, genes: Names, samples: Names, values: Matrix, source: Path | None) -> None:
    try:
        import anndata
        import pandas as pd
    except ImportError as error:
        raise PermanentError("h5ad needs anndata: pip install 'refinebio-assets[h5ad]'") from error
    obs = pd.DataFrame(index=pd.Index(list(samples), dtype=object))
    if source is not None and source.suffix.lower() == ".h5ad":
        obs = anndata.read_h5ad(source, backed="r").obs
    data = anndata.AnnData(
        X=np.ascontiguousarray(np.transpose(values)),
        obs=obs,
        var=pd.DataFrame(index=pd.Index(list(genes), name=GENE_COLUMN)),
    )
    data.write_h5ad(path)


_WRITERS: Mapping[str, Writer] = {
    ".tsv": _write_tsv,
    ".txt": _write_tsv,
    ".csv": _write_csv,
    ".parquet": _write_parquet,
    ".pq": _write_parquet,
}
