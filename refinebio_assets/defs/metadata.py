"""What the UI shows of a materialization: tables, counts, versions and plots as Dagster metadata."""

import base64
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from dagster import (
    DataVersion,
    MaterializeResult,
    MetadataValue,
    TableColumn,
    TableColumnConstraints,
    TableMetadataValue,
    TableRecord,
    TableSchema,
)

from refinebio_assets.domain import first_lines
from refinebio_assets.lake.schema import TABLES
from refinebio_assets.pipelines.outcome import MAX_REASONS, Outcome

MAX_ROWS = 100
"""Rows of a preview table: more is read in the catalog, not in the UI."""

SHOWN_DIGITS = 6
_EMPTY: tuple[Any, ...] = (None, "", [])


def table_value(rows: Iterable[Mapping[str, Any]], columns: Sequence[str]) -> TableMetadataValue:
    """Return rows as a table the UI renders, cut to ``MAX_ROWS``; columns without any value are left out."""
    shown = [row for _, row in zip(range(MAX_ROWS), rows, strict=False)]
    filled = [column for column in columns if any(row.get(column) not in _EMPTY for row in shown)]
    kept = filled or list(columns)
    records = [TableRecord({column: _cell(row.get(column)) for column in kept}) for row in shown]
    schema = TableSchema(columns=[TableColumn(column, "string") for column in kept])
    return MetadataValue.table(records=records, schema=schema)


def declared_schema(table: str) -> TableSchema:
    """Return the column schema of one of the lake's declared tables, as the UI shows it."""
    return TableSchema(
        columns=[
            TableColumn(
                column.name,
                str(column.type),
                description=column.description,
                constraints=TableColumnConstraints(nullable=not column.required),
            )
            for column in TABLES[table].columns
        ]
    )


def matrix_schema(samples: Sequence[str], unit: str) -> TableSchema:
    """Return the column schema of an expression matrix; many samples are cut to ``MAX_ROWS``."""
    required = TableColumnConstraints(nullable=False, unique=True)
    gene = TableColumn("Gene", "string", description="Ensembl gene id", constraints=required)
    values = [TableColumn(sample, "double", description=unit) for sample in samples[:MAX_ROWS]]
    return TableSchema(columns=[gene, *values])


def image_value(png: bytes, alternative: str) -> MetadataValue:
    """Return a PNG as Markdown that the UI shows inline."""
    return MetadataValue.md(f"![{alternative}](data:image/png;base64,{base64.b64encode(png).decode()})")


def reasons_value(outcome: Outcome) -> MetadataValue:
    """Return why the work was done, or that nothing had to be."""
    if not outcome.changed:
        return MetadataValue.text("up to date: the earlier result stands")
    lines = first_lines(outcome.reasons, MAX_REASONS)
    return MetadataValue.md("\n".join(f"- {line}" for line in lines))


def materialized(outcome: Outcome, metadata: Mapping[str, Any]) -> MaterializeResult[None]:
    """Return the result of a step: its data version, why it was made, and what was left out."""
    commit = outcome.commit
    shown: dict[str, Any] = {"why": reasons_value(outcome), "commit": commit.id, **metadata}
    if commit.files:
        shown["folder"] = commit.entry.folder
        shown["files"] = table_value(
            # Long paths would make the page wider than any screen.
            (
                {"path": file.path.removeprefix(f"{commit.entry.folder}/"), "bytes": f"{file.size:,}"}
                for file in commit.files
            ),
            ["path", "bytes"],
        )
    if commit.inputs:
        inputs = (
            {"asset": ref.asset, "partition": ref.partition, "version": ref.version[:12]}
            for ref in commit.inputs
        )
        shown["made from"] = table_value(inputs, ["asset", "partition", "version"])
    shown["lineage"] = f"refinebio-assets lineage {commit.asset}:{commit.partition}@{commit.version[:12]}"
    if outcome.dropped:
        rows = [
            {"kind": str(item.kind), "item": item.item, "step": item.step, "reason": item.reason}
            for item in outcome.dropped
        ]
        shown["dropped"] = table_value(rows, ["kind", "item", "step", "reason"])
        shown["dropped count"] = len(rows)
    return MaterializeResult(metadata=shown, data_version=DataVersion(commit.version))


def _cell(value: Any) -> str | int | float | bool:
    if value is None:
        return ""
    if isinstance(value, float):
        return float(f"{value:.{SHOWN_DIGITS}g}")
    if isinstance(value, list):
        return "; ".join(str(item) for item in value)
    return value if isinstance(value, str | int | float | bool) else str(value)
