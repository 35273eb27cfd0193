"""The samples that files belong to: how lists of files are filtered by them, and show them."""

from __future__ import annotations

from collections.abc import Sequence

from refinebio_assets.api.holdings.holdings import Holdings, Row
from refinebio_assets.api.parameters import Filter, Kind, Selection
from refinebio_assets.api.v1.shaping import SAMPLE_IN_EXPERIMENT

OF_SAMPLE = Filter(
    "samples",
    Kind.NUMBER,
    "list_contains(samples, (SELECT accession_code FROM samples WHERE id = ?))",
    "Id of a sample.",
)


def samples_of_files(holdings: Holdings, rows: Sequence[Row]) -> dict[str, Row]:
    """Return what lists of files say of their samples, by accession, in its order."""
    selection = Selection()
    selection.add(
        "accession_code IN (SELECT unnest(?))", sorted({name for row in rows for name in row["samples"]})
    )
    columns = ", ".join(("id", *SAMPLE_IN_EXPERIMENT))
    found = holdings.rows(
        f"SELECT {columns} FROM samples {selection.where} ORDER BY accession_code", selection.values
    )
    return {row["accession_code"]: row for row in found}
