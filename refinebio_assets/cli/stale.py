"""``refinebio-assets status --stale``: experiments, targets and compendia that are out of date, and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import click

from refinebio_assets.cli.due_table import due_columns, due_row, due_table
from refinebio_assets.cli.home import lake_url, open_lake, rules_of_runs, the_web
from refinebio_assets.cli.status import COLUMNS as STATE_COLUMNS
from refinebio_assets.cli.tables import table, terminal, write_rows
from refinebio_assets.lake.catalog import Catalog
from refinebio_assets.lake.store import Lake
from refinebio_assets.pipelines.compendia.standing import stale_compendia
from refinebio_assets.pipelines.estimate import amount
from refinebio_assets.pipelines.failed_builds import last_failure
from refinebio_assets.pipelines.outgrown import targets_to_make
from refinebio_assets.pipelines.staleness import Stale, stale_experiments

COLUMNS = ["organism", "state", "from", "input", "samples_due", "why", "problem"]


def show_stale(catalog: Catalog, rows: Sequence[Mapping[str, Any]], form: str) -> None:
    """Show which of these experiments, and which targets and compendia, are out of date."""
    lake = open_lake()
    by_name = {str(row["experiment"]): row for row in rows}
    judged = list(stale_experiments(lake, catalog, web=the_web, rules=rules_of_runs(), only=by_name.keys()))
    targets, compendia = _targets(lake, catalog), _compendia(lake)
    if form != "table":
        experiments = [{**by_name[each.experiment], **due_row(each)} for each in judged]
        due_rows = [*experiments, *targets, *compendia]
        columns = list(dict.fromkeys([*(rows[0] if rows else STATE_COLUMNS), *due_columns(), *COLUMNS]))
        write_rows([{column: row.get(column) for column in columns} for row in due_rows], form, columns)
        if not due_rows:
            click.echo("Nothing is out of date.", err=True)
        return
    console = terminal()
    console.print(f"Lake: {lake_url()}", highlight=False)
    if judged:
        console.print(due_table(judged, title="Experiments"))
    else:
        console.print("All experiments are up to date.")
    due = [each.todo for each in judged if isinstance(each, Stale)]
    if due:
        console.print(f"To do: {amount(due)}", highlight=False)
    for title, found in {"Targets": targets, "Compendia": compendia}.items():
        if found:
            console.print(table(found, COLUMNS, title=title))


def _targets(lake: Lake, catalog: Catalog) -> list[dict[str, object]]:
    """Return the targets that were outgrown, and why one of them is not to be made now."""
    return [
        {
            "organism": found.organism,
            "state": "outgrown",
            "from": found.asset,
            "input": "samples",
            "samples_due": found.samples,
            "why": "; ".join(found.why),
            "problem": found.hindrance(lake),
        }
        for found in targets_to_make(lake, catalog)
    ]


def _compendia(lake: Lake) -> list[dict[str, object]]:
    """Return the compendia that are out of date, and how the last build failed."""
    rows = []
    for found in stale_compendia(lake):
        failure = last_failure(lake, found.step, found.organism)
        rows.append(
            {
                "organism": found.organism,
                "state": f"version {found.number}",
                "from": found.step if not found.problem else "cannot be judged",
                "input": ", ".join(found.inputs),
                "samples_due": found.samples,
                "why": found.problem or "; ".join(found.reasons),
                "problem": f"the last build failed: {failure.reason}" if failure else "",
            }
        )
    return rows
