"""``refinebio-assets status``: experiments by state."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from refinebio_assets.cli.exit_codes import FAILED
from refinebio_assets.cli.home import lake_url, open_catalog
from refinebio_assets.cli.tables import rows_format, table, terminal, write_rows
from refinebio_assets.domain import some_of

if TYPE_CHECKING:
    from refinebio_assets.lake.catalog import Catalog
    from refinebio_assets.pipelines.ledger import Grouping

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
SHOWN_PROBLEMS = 5


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
    help="Say what is out of date: what would be done, to how many samples, how long it takes, and why.",
)
@rows_format()
def status(state: str | None, ledger: Grouping | None, stale: bool, form: str) -> None:
    """List experiments by state: registered, complete, partial (some samples failed), failed, unsupported."""
    from refinebio_assets.cli.stale import show_stale
    from refinebio_assets.pipelines.overview import experiment_states
    from refinebio_assets.pipelines.references.overview import platforms, transcriptomes

    catalog = open_catalog()
    _warn_of_damage(catalog)
    if ledger:
        _show_ledger(catalog, ledger, form)
        return
    rows = [row for row in experiment_states(catalog) if state in (None, row["state"])]
    if stale:
        show_stale(catalog, rows, form)
        return
    if form != "table":
        write_rows(rows, form)
        return
    console = terminal()
    console.print(f"Lake: {lake_url()}", highlight=False)
    if rows:
        console.print(table(rows, COLUMNS, title="Experiments"))
    else:
        console.print(_nothing(state))
    references = transcriptomes(catalog)
    if references:
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
    if annotations:
        columns = ["platform", "name", "probes", "probe_sets", "genes", "source", "brainarray_version"]
        console.print(table(annotations, columns, title="Platform annotations"))


def _warn_of_damage(catalog: Catalog) -> None:
    """Say on standard error of which newest versions something cannot be read, or was set aside."""
    from refinebio_assets.lake.damage import unmade
    from refinebio_assets.lake.rows import query_rows

    rows = query_rows(
        catalog,
        """SELECT p.asset, p."partition", p.problem
           FROM problems p LEFT JOIN commits c
             ON c.asset = p.asset AND c."partition" = p."partition" AND c.id > p.commit_id
           WHERE c.id IS NULL ORDER BY p.commit_id""",
    )
    for row in rows[:SHOWN_PROBLEMS]:
        click.echo(f"Left out: {row['asset']} of {row['partition']}: {row['problem']}", err=True)
    if len(rows) > SHOWN_PROBLEMS:
        click.echo(f"and {len(rows) - SHOWN_PROBLEMS:,} more commits", err=True)
    aside = {f"{entry.asset} of {entry.partition}": None for entry in unmade(catalog.lake).values()}
    if aside:
        click.echo(f"Set aside, and not made again: {some_of([*aside], SHOWN_PROBLEMS)}", err=True)
    if rows or aside:
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


def _nothing(state: str | None) -> str:
    if state is not None:
        return f"No experiment is {state}."
    return (
        "No experiments yet. Start with `refinebio-assets process ACCESSION`, or with "
        "`refinebio-assets process --sample-sheet FILE`."
    )
