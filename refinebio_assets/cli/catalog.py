"""``refinebio-assets catalog``: query the DuckDB catalog, bring it up to date, rebuild it."""

from __future__ import annotations

import click

from refinebio_assets.cli.home import lake_catalog, open_catalog
from refinebio_assets.cli.tables import rows_format, terminal, write_rows
from refinebio_assets.domain import counted
from refinebio_assets.lake.catalog import SyncReport
from refinebio_assets.lake.rows import query_rows

_INTRODUCTION = """# The catalog's tables

Made by `refinebio-assets catalog tables --format markdown`. Query them with
`refinebio-assets catalog sql QUERY`, or open `catalog/catalog-<n>.duckdb` in the lake read-only with
DuckDB (`CURRENT` names the newest). Views come last.
"""


@click.group()
def catalog() -> None:
    """Query and maintain the DuckDB catalog of the lake."""


@catalog.command()
def sync() -> None:
    """Take up commits that the catalog has not seen."""
    _say(lake_catalog().sync())


@catalog.command()
def rebuild() -> None:
    """Make the catalog anew from the lake; its content is the same."""
    _say(lake_catalog().rebuild())


@catalog.command()
@click.argument("query")
@rows_format()
def sql(query: str, form: str) -> None:
    """Run a read-only SQL QUERY, for example: "SELECT * FROM results WHERE verdict = 'failed'"."""
    write_rows(query_rows(open_catalog(), query), form)


@catalog.command()
@click.option(
    "--format", "form", type=click.Choice(["table", "markdown"]), default="table", show_default=True
)
def tables(form: str) -> None:
    """List the catalog's tables and their columns, with what they mean."""
    from refinebio_assets.lake.schema import TABLES, tables_markdown

    if form == "markdown":
        click.echo(f"{_INTRODUCTION}\n{tables_markdown()}", nl=False)
        return
    rows = [
        {
            "table": table.name,
            "column": column.name,
            "type": str(column.type),
            "description": column.description,
        }
        for table in TABLES.values()
        for column in table.columns
    ]
    write_rows(rows, "table")


def _say(report: SyncReport) -> None:
    console = terminal()
    verb = "rebuilt" if report.rebuilt else "up to date"
    console.print(
        f"Catalog {verb}: {counted(report.commits, 'commit')}, {report.added:,} new, {report.seconds:.1f} s",
        highlight=False,
    )
    for problem in report.problems:
        where = f"{problem.asset} of {problem.partition}, commit {problem.commit_id}"
        console.print(f"Left out: {where}: {problem.problem}", style="red", highlight=False, markup=False)
