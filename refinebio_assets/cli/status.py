"""``refinebio-assets status``: experiments by state."""

from __future__ import annotations

import click

from refinebio_assets.cli.home import lake_url, open_catalog, open_lake, rules_of_runs, the_web
from refinebio_assets.cli.tables import table, terminal, write_rows

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
    "title",
]


@click.command()
@click.option(
    "--state",
    type=click.Choice(["registered", "complete", "partial", "failed", "not supported"]),
    help="Only these.",
)
@click.option("--stale", is_flag=True, help="Say which experiments are out of date, and why.")
@click.option(
    "--format", "form", type=click.Choice(["table", "csv", "tsv", "json"]), default="table", show_default=True
)
def status(state: str | None, stale: bool, form: str) -> None:
    """List experiments by state: registered, complete, partial (some samples failed), failed, unsupported."""
    from refinebio_assets.pipelines.overview import experiment_states, platforms, transcriptomes

    catalog = open_catalog()
    rows = [row for row in experiment_states(catalog) if state in (None, row["state"])]
    if stale:
        rows = _stale(rows)
    if form != "table":
        write_rows(rows, form)
        return
    console = terminal()
    console.print(f"Lake: {lake_url()}", highlight=False)
    if not rows:
        console.print("All experiments are up to date." if stale else _nothing(state))
    else:
        console.print(table(rows, [*COLUMNS, "from", "why"] if stale else COLUMNS, title="Experiments"))
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


def _stale(rows: list[dict[str, object]]) -> list[dict[str, object]]:
    from refinebio_assets.pipelines.due import due_step

    lake, rules = open_lake(), rules_of_runs()
    found = []
    for row in rows:
        due = due_step(lake, str(row["experiment"]), web=the_web, rules=rules)
        if due is not None:
            found.append(row | {"from": due[0], "why": "; ".join(due[1])})
    return found


def _nothing(state: str | None) -> str:
    if state is not None:
        return f"No experiment is {state}."
    return (
        "No experiments yet. Start with `refinebio-assets process ACCESSION`, or with "
        "`refinebio-assets process --sample-sheet FILE`."
    )
