"""Hands an experiment's matrix out as a file people open elsewhere: TSV, CSV, Parquet or AnnData (h5ad)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from refinebio_assets.domain import Metadata, Processing
from refinebio_assets.errors import NotFoundError, PermanentError, RequestError
from refinebio_assets.formats.matrix_tsv import COMMA, TAB, write_matrix_tsv
from refinebio_assets.lake.removals import removal_note
from refinebio_assets.lake.rows import read_rows
from refinebio_assets.lake.store import Commit, Lake
from refinebio_assets.metadata.harmonized import HARMONIZED_FIELDS
from refinebio_assets.pipelines import (
    experiment_record,
    gene_expression,
    harmonized_metadata,
    sample_quantifications,
)
from refinebio_assets.pipelines.experiment_record import recorded_experiment
from refinebio_assets.pipelines.expression_matrix import GENE_COLUMN, column_values, matrix_unit
from refinebio_assets.pipelines.gene_expression import matrix_samples, read_expression
from refinebio_assets.pipelines.outcome import require_head
from refinebio_assets.pipelines.registry import registered_experiment
from refinebio_assets.pipelines.whole_file import write_whole

FORMATS = ("tsv", "csv", "parquet", "h5ad")


def choose_matrix(
    lake: Lake, accession: str, matrix: str | None = None, version: str = ""
) -> tuple[Commit, str]:
    """Return an experiment's newest ``gene_expression`` commit, or a version's, and the matrix to use.

    ``version`` may be the start of one. Raises NotFoundError when there is none, RequestError when a choice
    is needed or impossible.
    """
    registered_experiment(lake, accession)
    try:
        newest = require_head(lake, gene_expression.ASSET, accession)
    except NotFoundError as error:
        raise NotFoundError(f"experiment {accession} has no expression matrix yet") from error
    commit = _version(lake, accession, version) if version else newest
    names = [row["matrix"] for row in read_rows(lake, commit, "matrices")]
    if not names:
        raise NotFoundError(
            f"experiment {accession} has no expression matrix: see `refinebio-assets show {accession}`"
        )
    if matrix is None and len(names) > 1:
        raise RequestError(f"{accession} has several matrices; choose one with --matrix: {', '.join(names)}")
    if matrix is not None and matrix not in names:
        raise RequestError(f"{accession} has no matrix {matrix}; it has {', '.join(names)}")
    return commit, matrix or names[0]


def _version(lake: Lake, accession: str, version: str) -> Commit:
    history = lake.history(gene_expression.ASSET, accession)
    found = [commit for commit in history if commit.version.startswith(version)]
    if not found:
        listed = ", ".join(dict.fromkeys(commit.version[:12] for commit in reversed(history)))
        gone = removal_note(lake, gene_expression.ASSET, accession, version=version)
        raise NotFoundError(f"{accession} has no matrices of version {version}; there are {listed}{gone}")
    if len({commit.version for commit in found}) > 1:
        raise RequestError(f"{version} means several versions of {accession}: give more of it")
    return found[-1]


def export_matrix(
    lake: Lake,
    accession: str,
    output: Path,
    *,
    format: str,
    matrix: str | None = None,
    version: str = "",
) -> tuple[int, int]:
    """Write a matrix to ``output`` and return (genes, samples). Nothing half-written is ever visible.

    ``tsv``, ``csv``: header ``Gene`` then samples, shortest text that reads back to the same number, ``NA``
    for a missing one. ``parquet``: the same columns, float64, NaN. ``h5ad``: AnnData, samples x genes, with
    how each sample was processed and the submitter's metadata as they are now, so only of the newest version.
    """
    if format not in FORMATS:
        raise RequestError(f"there is no format {format}; formats are {', '.join(FORMATS)}")
    commit, name = choose_matrix(lake, accession, matrix, version)
    if version and format == "h5ad":
        raise RequestError("an earlier version has no metadata of its time: write it as tsv, csv or parquet")
    table = read_expression(lake, commit, name)
    writers: dict[str, Callable[[Path], None]] = {
        "tsv": lambda path: _write_text(table, path, TAB),
        "csv": lambda path: _write_text(table, path, COMMA),
        "parquet": lambda path: pq.write_table(table, path, compression="zstd"),
        "h5ad": lambda path: _write_h5ad(
            table, _sample_metadata(lake, accession, table.column_names[1:]), path
        ),
    }
    write_whole(output, writers[format])
    return table.num_rows, table.num_columns - 1


def submitted_reasons(lake: Lake, accession: str, matrix: str | None = None) -> dict[str, int]:
    """Return why the samples of a matrix are submitter-processed, and how many each; empty when none is."""
    commit, name = choose_matrix(lake, accession, matrix)
    row = next(row for row in read_rows(lake, commit, "matrices") if row["matrix"] == name)
    if row["processing"] != Processing.SUBMITTER_PROCESSED:
        return {}
    results = _results(lake, accession)
    samples = matrix_samples(lake, commit, name)
    return Counter(results.get(sample, {}).get("processing_reason") or "" for sample in samples)


def matrix_warnings(lake: Lake, accession: str, matrix: str | None = None) -> list[str]:
    """Return the warnings of an experiment's matrices without those about another matrix than this one."""
    commit, name = choose_matrix(lake, accession, matrix)
    others = [row["matrix"] for row in read_rows(lake, commit, "matrices") if row["matrix"] != name]
    starts = tuple(f"{other}: " for other in others)
    return [warning for warning in commit.info["warnings"] if not warning.startswith(starts)]


def newer_inputs(lake: Lake, accession: str) -> list[str]:
    """Name the steps that have a newer result than the one the experiment's matrices were made from."""
    commit = require_head(lake, gene_expression.ASSET, accession)
    steps = [ref for ref in commit.inputs if ref.partition == accession]
    return [ref.asset for ref in steps if require_head(lake, ref.asset, accession).version != ref.version]


def _write_text(table: pa.Table, path: Path, separator: str) -> None:
    genes = [str(gene) for gene in table.column(GENE_COLUMN).to_pylist()]
    samples = table.column_names[1:]
    with path.open("wb") as target:
        write_matrix_tsv(target, genes, samples, _sample_values(table), missing="NA", separator=separator)


def _sample_values(table: pa.Table) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return genes x samples."""
    return np.column_stack([column_values(table, sample) for sample in table.column_names[1:]])


def _sample_metadata(lake: Lake, accession: str, samples: Sequence[str]) -> dict[str, list[Any]]:
    """Return one column a key: organism, platform, the harmonized fields, all that the submitter said."""
    record = recorded_experiment(lake, require_head(lake, experiment_record.ASSET, accession))
    by_name = {sample.accession: sample for sample in record.samples}
    chosen = [by_name[name] for name in samples]
    columns: dict[str, list[Any]] = {
        "experiment": [accession] * len(chosen),
        "organism": [sample.organism for sample in chosen],
        "technology": [str(sample.technology) for sample in chosen],
        "platform": [sample.platform.name for sample in chosen],
    }
    results = _results(lake, accession)
    for name in ("processing", "processing_reason", "processor"):
        columns[name] = [results.get(sample, {}).get(name) or "" for sample in samples]
    columns |= _harmonized_columns(lake, accession, samples)
    submitted = [_joined(sample.metadata) for sample in chosen]
    for key in sorted({key for pairs in submitted for key in pairs}):
        name = key.replace("/", "_")
        while name in columns:
            name = f"submitted_{name}"
        columns[name] = [pairs.get(key, "") for pairs in submitted]
    return columns


def _results(lake: Lake, accession: str) -> dict[str, dict[str, Any]]:
    head = lake.head(sample_quantifications.ASSET, accession)
    return {row["sample"]: row for row in read_rows(lake, head, "results")} if head else {}


def _harmonized_columns(lake: Lake, accession: str, samples: Sequence[str]) -> dict[str, list[Any]]:
    """Return the harmonized fields that any of the samples has, named ``refinebio_<field>``."""
    head = lake.head(harmonized_metadata.ASSET, accession)
    rows = {row["sample"]: row for row in read_rows(lake, head, "harmonized_metadata")} if head else {}
    columns = {}
    for field in HARMONIZED_FIELDS:
        values = [rows.get(sample, {}).get(field) for sample in samples]
        if any(value not in (None, "") for value in values):
            numeric = field in ("age", "age_years")
            columns[f"refinebio_{field}"] = [
                float("nan") if numeric and value is None else value if numeric else value or ""
                for value in values
            ]
    return columns


def _joined(metadata: Metadata) -> dict[str, str]:
    """Return one text a key; values of a key that comes again are joined with ``; ``."""
    values: dict[str, list[str]] = {}
    for key, value in metadata:
        values.setdefault(key, []).append(value)
    return {key: "; ".join(texts) for key, texts in values.items()}


def _write_h5ad(table: pa.Table, obs: dict[str, list[Any]], path: Path) -> None:
    try:
        import anndata
        import pandas as pd
    except ImportError as error:
        raise PermanentError("h5ad needs anndata: pip install 'refinebio-assets[h5ad]'") from error
    samples = table.column_names[1:]
    data = anndata.AnnData(
        X=np.ascontiguousarray(_sample_values(table).T),
        obs=pd.DataFrame(obs, index=pd.Index(samples, name="sample")),
        var=pd.DataFrame(index=pd.Index(table.column(GENE_COLUMN).to_pylist(), name=GENE_COLUMN)),
        uns={"unit": matrix_unit(table)},
    )
    data.write_h5ad(path)
