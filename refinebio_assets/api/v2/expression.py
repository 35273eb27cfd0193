"""``/v2/expression/``: genes x samples, cut out of experiments' matrices, as Arrow IPC or Parquet."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from fastapi import APIRouter, Request
from fastapi.responses import Response

from refinebio_assets.api.answers import add_route, query_parameter
from refinebio_assets.api.parameters import split_codes
from refinebio_assets.api.problems import Invalid, bad_request
from refinebio_assets.api.services import Services, holdings_of, services
from refinebio_assets.lake.rows import read_rows
from refinebio_assets.lake.store import Commit
from refinebio_assets.pipelines import gene_expression
from refinebio_assets.pipelines.expression_matrix import GENE_COLUMN, matrix_unit
from refinebio_assets.pipelines.gene_expression import matrix_samples, read_expression

MOST_SAMPLES = 1000
MOST_GENES = 10_000
MOST_VALUES = 10_000_000
"""Values of one answer: 80 MB."""
_MEDIA = {
    "arrow": "application/vnd.apache.arrow.stream",
    "parquet": "application/vnd.apache.parquet",
}


def expression(request: Request) -> Response:
    """Return values of samples, of some genes or all.

    A gene that a sample's matrix has not is null. The unit of each column is in its metadata.
    """
    given = request.query_params
    samples = list(dict.fromkeys(split_codes(given.get("samples", ""))))
    genes = list(dict.fromkeys(split_codes(given.get("genes", ""))))
    form = given.get("format", "arrow")
    if form not in _MEDIA:
        raise bad_request(Invalid("invalid_choice", f"It is one of {', '.join(_MEDIA)}.", "format"))
    if not 0 < len(samples) <= MOST_SAMPLES:
        raise bad_request(Invalid("invalid", f"Name 1 to {MOST_SAMPLES:,} samples.", "samples"))
    if len(genes) > MOST_GENES:
        raise bad_request(Invalid("invalid", f"Name at most {MOST_GENES:,} genes.", "genes"))
    table = _slice(request, samples, genes)
    headers = {"Content-Disposition": f'attachment; filename="expression.{form}"'}
    return Response(_bytes(table, form), 200, headers, media_type=_MEDIA[form])


def _slice(request: Request, samples: Sequence[str], genes: Sequence[str]) -> pa.Table:
    """Return the values of samples, in their order.

    Raises ApiProblemError naming those without values, or when there are too many of them.
    """
    found = services(request)
    columns: dict[str, pa.Table] = {}
    for experiment in _experiments(request, samples):
        commit = found.lake.head(gene_expression.ASSET, experiment)
        if commit is not None:
            wanted = [name for name in samples if name not in columns]
            columns |= _of_experiment(found, commit, wanted, genes)
            _require_few(sum(table.num_rows for table in columns.values()))
    missing = [name for name in samples if name not in columns]
    if missing:
        raise bad_request(Invalid("invalid_data", "These samples have no expression values.", missing))
    tables = {id(table): table for table in columns.values()}
    rows = list(genes) or sorted({gene for table in tables.values() for gene in _genes(table)})
    _require_few(len(rows) * len(samples))
    places = {key: _places(table, rows) for key, table in tables.items()}
    arrays = [_values(columns[name], name, places[id(columns[name])]) for name in samples]
    fields: list[pa.Field[Any]] = [pa.field(GENE_COLUMN, pa.string())]
    fields += [
        pa.field(name, pa.float64(), metadata={"unit": matrix_unit(columns[name])}) for name in samples
    ]
    return pa.Table.from_arrays([pa.array(rows, pa.string()), *arrays], schema=pa.schema(fields))


def _require_few(values: int) -> None:
    if values > MOST_VALUES:
        message = f"At most {MOST_VALUES:,} values at once: name fewer genes or samples."
        raise bad_request(Invalid("invalid", message, "samples"))


def _experiments(request: Request, samples: Sequence[str]) -> list[str]:
    """Return the experiments that have processed these samples."""
    rows = holdings_of(request).rows(
        """SELECT DISTINCT experiment FROM members
           WHERE accession_code IN (SELECT unnest(?)) AND is_processed ORDER BY experiment""",
        [list(samples)],
    )
    return [row["experiment"] for row in rows]


def _of_experiment(
    found: Services, commit: Commit, samples: Sequence[str], genes: Sequence[str]
) -> dict[str, pa.Table]:
    """Return for each sample the table that has its column, with these genes only, where they are given."""
    columns: dict[str, pa.Table] = {}
    for row in read_rows(found.lake, commit, "matrices"):
        there = set(matrix_samples(found.lake, commit, row["matrix"]))
        chosen = [name for name in samples if name in there and name not in columns]
        if chosen:
            table = read_expression(found.lake, commit, row["matrix"], chosen)
            if genes:
                table = table.filter(pc.is_in(table.column(GENE_COLUMN), pa.array(genes, pa.string())))
            columns |= dict.fromkeys(chosen, table)
    return columns


def _genes(table: pa.Table) -> list[str]:
    return [str(gene) for gene in table.column(GENE_COLUMN).to_pylist()]


def _places(table: pa.Table, genes: Sequence[str]) -> Any:
    """Return where a table has these genes, null for those that it has not."""
    places = {gene: place for place, gene in enumerate(_genes(table))}
    return pa.array([places.get(gene) for gene in genes], pa.int64())


def _values(table: pa.Table, sample: str, places: Any) -> Any:
    return table.column(sample).combine_chunks().take(places).cast(pa.float64())


def _bytes(table: pa.Table, form: str) -> bytes:
    sink = pa.BufferOutputStream()
    if form == "parquet":
        pq.write_table(table, sink, compression="zstd")
    else:
        with pa.ipc.new_stream(sink, table.schema) as writer:
            writer.write_table(table)
    content: bytes = sink.getvalue().to_pybytes()
    return content


def add_to(router: APIRouter) -> None:
    """Add this endpoint."""
    samples = f"Accessions, separated by commas; at most {MOST_SAMPLES:,}."
    genes = f"Ensembl genes, separated by commas; at most {MOST_GENES:,}. Default: all."
    parameters = [
        query_parameter("samples", samples, {"type": "string", "pattern": "[^, ]"}, required=True),
        query_parameter("genes", genes),
        query_parameter("format", "`arrow` (IPC stream, default) or `parquet`.", {"enum": list(_MEDIA)}),
    ]
    media = list(_MEDIA.values())
    add_route(router, "/expression", expression, None, problems=(400,), parameters=parameters, content=media)
