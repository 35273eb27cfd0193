"""``refinebio-assets status``: experiments by state."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from refinebio_assets.cli.exit_codes import FAILED
from refinebio_assets.cli.home import lake_url, open_catalog, open_lake, rules_of_runs, the_web
from refinebio_assets.cli.tables import rows_format, table, terminal, write_rows

if TYPE_CHECKING:
    from refinebio_assets.lake.catalog import Catalog
    from refinebio_assets.pipelines.ledger import Grouping
    from refinebio_assets.pipelines.staleness import Stale

COLUMNS = [
    "experiment",
    "state",
    "samples",
    "processed",
    "failed",
    "submitter_processed",
    "matrices",
    "organisms",
    "finished",
    "at_source",
    "title",
]
STALE_COLUMNS = ["experiment", "state", "from", "input", "samples_due", "time", "why", "title"]

SHOWN_PROBLEMS = 5
COMPENDIUM_COLUMNS = ["organism", "state", "from", "input", "samples_due", "why"]


@click.command()
@click.option(
    "--state",
    type=click.Choice(["registered", "complete", "partial", "failed", "not supported"]),
    help="Only these.",
)
@click.option(
    "--ledger",
    type=click.Choice(["experiment", "organism"]),
    help="Account for every surveyed sample instead, with seconds and bytes.",
)
@click.option(
    "--stale",
    is_flag=True,
    help="Say which experiments and compendia are out of date, by which input, why, and for how many hours.",
)
@rows_format()
def status(state: str | None, ledger: Grouping | None, stale: bool, form: str) -> None:
    """List experiments by state: registered, complete, partial (some samples failed), failed, unsupported."""
    from refinebio_assets.pipelines.overview import experiment_states
    from refinebio_assets.pipelines.references.overview import platforms, transcriptomes
    from refinebio_assets.pipelines.staleness import amount, duration

    catalog = open_catalog()
    _warn_of_damage(catalog)
    if ledger:
        _show_ledger(catalog, ledger, form)
        return
    rows = [row for row in experiment_states(catalog) if state in (None, row["state"])]
    due: list[Stale] = []
    compendia = []
    if stale:
        rows, due = _stale(catalog, rows)
        compendia = _stale_compendia()
    if form != "table":
        write_rows(_alike([*rows, *compendia]), form)
        return
    console = terminal()
    console.print(f"Lake: {lake_url()}", highlight=False)
    if not rows:
        console.print("All experiments are up to date." if stale else _nothing(state))
    else:
        shown = [row | {"time": duration(row["hours"])} if "hours" in row else row for row in rows]
        console.print(table(shown, STALE_COLUMNS if stale else COLUMNS, title="Experiments"))
    if due:
        console.print(f"To do: {amount(due)}", highlight=False)
    if compendia:
        console.print(table(compendia, COMPENDIUM_COLUMNS, title="Compendia"))
    references = transcriptomes(catalog)
    if references and not stale:
        columns = [
            "organism",
            "transcripts",
            "mapped_transcripts",
            "genes",
            "release",
            "assembly",
            "salmon_version",
        ]
        console.print(table(references, columns, title="Transcriptome indices"))
    annotations = platforms(catalog)
    if annotations and not stale:
        columns = ["platform", "name", "probes", "probe_sets", "genes", "source", "brainarray_version"]
        console.print(table(annotations, columns, title="Platform annotations"))


def _warn_of_damage(catalog: Catalog) -> None:
    """Say on standard error which commits the catalog leaves out, as they cannot be read."""
    from refinebio_assets.lake.rows import query_rows

    rows = query_rows(catalog, 'SELECT asset, "partition", problem FROM problems ORDER BY commit_id')
    for row in rows[:SHOWN_PROBLEMS]:
        click.echo(f"Left out: {row['asset']} of {row['partition']}: {row['problem']}", err=True)
    if len(rows) > SHOWN_PROBLEMS:
        click.echo(f"and {len(rows) - SHOWN_PROBLEMS:,} more commits", err=True)
    if rows:
        click.echo("`refinebio-assets lake verify` says what makes them whole again", err=True)


def _show_ledger(catalog: Catalog, by: Grouping, form: str) -> None:
    """Print the totals; what does not add up goes to standard error and ends with the code for failed."""
    from refinebio_assets.pipelines.ledger import ledger_problems, ledger_totals

    rows = ledger_totals(catalog, by)
    if form != "table":
        write_rows(rows, form)
    else:
        columns = [
            by,
            "surveyed",
            "processed",
            "filtered",
            "failed",
            "pending",
            "wall_seconds",
            "cpu_seconds",
            "shared_wall_seconds",
            "shared_cpu_seconds",
        ]
        terminal().print(
            table(rows, [*columns, "peak_memory_bytes", "bytes_in", "bytes_out"], title=f"Samples by {by}")
        )
    problems = ledger_problems(catalog)
    for problem in problems:
        click.echo(f"Does not add up: {problem}", err=True)
    if problems:
        raise SystemExit(FAILED)


def _stale(catalog: Catalog, rows: list[dict[str, object]]) -> tuple[list[dict[str, object]], list[Stale]]:
    """Return the rows of experiments that are out of date, most-used first, with the reason and its input."""
    from refinebio_assets.pipelines.staleness import Stale, stale_experiments

    by_name = {str(row["experiment"]): row for row in rows}
    found = []
    due = []
    for judged in stale_experiments(
        open_lake(), catalog, web=the_web, rules=rules_of_runs(), only=by_name.keys()
    ):
        row = by_name[judged.experiment]
        if not isinstance(judged, Stale):
            found.append(row | {"from": "cannot be judged", "why": judged.problem})
            continue
        due.append(judged)
        much = {"samples_due": judged.samples, "hours": judged.hours}
        inputs = {"input": ", ".join(judged.inputs)}
        found.append(row | {"from": judged.step, "why": "; ".join(judged.reasons)} | inputs | much)
    return found, due


def _stale_compendia() -> list[dict[str, object]]:
    """Return the compendia that are out of date, in the words of experiments."""
    from refinebio_assets.pipelines.compendia.standing import stale_compendia

    return [
        {
            "organism": found.organism,
            "state": f"version {found.number}",
            "from": found.step if not found.problem else "cannot be judged",
            "input": ", ".join(found.inputs),
            "samples_due": found.samples,
            "why": found.problem or "; ".join(found.reasons),
        }
        for found in stale_compendia(open_lake())
    ]


def _alike(rows: list[dict[str, object]]) -> list[dict[str, object]]:
    """Return rows that all have the same columns, as files need them."""
    columns = dict.fromkeys(column for row in rows for column in row)
    return [{column: row.get(column) for column in columns} for row in rows]


def _nothing(state: str | None) -> str:
    if state is not None:
        return f"No experiment is {state}."
    return (
        "No experiments yet. Start with `refinebio-assets process ACCESSION`, or with "
        "`refinebio-assets process --sample-sheet FILE`."
    )
