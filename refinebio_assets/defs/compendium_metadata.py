"""What the UI shows of a compendium of either kind."""

from collections.abc import Mapping
from typing import Any

from dagster import MetadataValue

from refinebio_assets.defs.metadata import table_value
from refinebio_assets.lake.store import Commit, Lake
from refinebio_assets.pipelines.compendia.overview import dropped_by_reason


def compendium_metadata(
    store: Lake,
    commit: Commit,
    row: Mapping[str, Any],
    *,
    row_count: int,
    read_it: str,
    shown: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Return a compendium's metadata: its ``row`` of the table, ``shown`` of its kind, what it lacks.

    ``read_it`` is Markdown that says how to read it.
    """
    summary = [
        {"what": name.replace("_", " "), "value": value} for name, value in row.items() if value is not None
    ]
    dropped = dropped_by_reason(store, commit)
    return {
        "dagster/row_count": row_count,
        "summary": table_value(summary, ["what", "value"]),
        **(shown or {}),
        **({"left out": table_value(dropped, ["kind", "number", "reason"])} if dropped else {}),
        "read it": MetadataValue.md(read_it),
    }
