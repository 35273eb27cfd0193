"""A dataset's matrix as AnnData (h5ad): samples x genes, the metadata as ``obs``."""

from __future__ import annotations

from collections.abc import Container, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from refinebio_assets.errors import PermanentError
from refinebio_assets.formats.matrix_tsv import GENE_COLUMN
from refinebio_assets.pipelines.delivery.metadata import SampleMetadata
from refinebio_assets.pipelines.delivery.metadata_files import ACCESSION, EXPERIMENT

_AGE = "refinebio_age"


def write_h5ad(
    path: Path,
    genes: Sequence[str],
    values: npt.NDArray[np.floating[Any]],
    rows: Sequence[tuple[SampleMetadata, str]],
) -> None:
    """Write genes x samples ``values`` with the metadata of the samples, in their order.

    Raises PermanentError when the optional package anndata is not installed.
    """
    try:
        import anndata
        import pandas as pd
    except ImportError as error:
        raise PermanentError("h5ad needs anndata: pip install 'refinebio-assets[h5ad]'") from error
    index = pd.Index([sample.sample for sample, _ in rows], name=ACCESSION)
    data = anndata.AnnData(
        X=np.ascontiguousarray(values.T),
        obs=pd.DataFrame(_columns(rows), index=index),
        var=pd.DataFrame(index=pd.Index(list(genes), name=GENE_COLUMN)),
    )
    data.write_h5ad(path)


def _columns(rows: Sequence[tuple[SampleMetadata, str]]) -> dict[str, list[Any]]:
    """Return the columns of ``obs``.

    A slash in a name would make a group of the file; it becomes ``_``, several where that name is taken.
    """
    columns: dict[str, list[Any]] = {EXPERIMENT: [experiment for _, experiment in rows]}
    own = sorted({name for sample, _ in rows for name in sample.refinebio} - {ACCESSION})
    for name in own:
        given = [sample.refinebio.get(name, "") for sample, _ in rows]
        if name == _AGE:
            columns[name] = [float("nan") if value == "" else value for value in given]
        else:
            columns[name] = [str(value) for value in given]
    for name in sorted({name for sample, _ in rows for name in sample.submitted}):
        columns[_free_name(name, columns)] = [sample.submitted.get(name, "") for sample, _ in rows]
    return columns


def _free_name(name: str, taken: Container[str]) -> str:
    free = name.replace("/", "_")
    while free in taken:
        free += "_"
    return free
