"""``refinebio-assets process``: register experiments and materialize what is new or out of date."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from refinebio_assets.cli.exit_codes import DONE, EXPLANATION, FAILED, PARTIAL, TRY_AGAIN
from refinebio_assets.cli.tables import rows_format


@click.command(epilog=EXPLANATION)
@click.argument("experiments", nargs=-1)
@click.option(
    "--sample-sheet",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="CSV or TSV, one row a sample: registers its experiments first.",
)
@click.option("--qualify-samples", is_flag=True, help="Name the sheet's samples EXPERIMENT-SAMPLE.")
@click.option(
    "--sample", "samples", multiple=True, metavar="NAME", help="Redo this sample even if it is up to date."
)
@click.option("--retry-failed", is_flag=True, help="Try again what failed before.")
@click.option("--survey-again", is_flag=True, help="Ask the archives again what they say.")
@click.option(
    "--dry-run",
    is_flag=True,
    help="Say what would be done, to how many samples, how long and why; do nothing.",
)
@rows_format("How a dry run is shown.")
def process(
    experiments: tuple[str, ...],
    sample_sheet: Path | None,
    qualify_samples: bool,
    samples: tuple[str, ...],
    retry_failed: bool,
    survey_again: bool,
    dry_run: bool,
    form: str,
) -> None:
    """Process EXPERIMENTS, or those of a sample sheet, to gene-expression matrices.

    EXPERIMENTS are accessions of public archives (GSE12955, SRP095529, E-MTAB-3050; a GSM, SRR or PRJ
    stands for the experiment it belongs to) or names from a sample sheet. Each experiment is one Dagster
    run. What is up to date is not done again: add a row to the sheet, or change a file, and only that
    sample and the experiment's summary are processed.
    """
    from refinebio_assets.cli.dry_run import show_plan
    from refinebio_assets.cli.naming import name_experiments
    from refinebio_assets.cli.processing import ProcessRequest, process_experiments, register
    from refinebio_assets.cli.tables import terminal

    if not experiments and sample_sheet is None:
        raise click.UsageError("name experiments, or give --sample-sheet FILE")
    if form != "table" and not dry_run:
        raise click.UsageError("--format is for --dry-run")
    console = terminal(stderr=form != "table")
    from_sheet = register(console, sample_sheet, qualify_samples=qualify_samples, dry_run=dry_run)
    named = name_experiments(console, experiments)
    accessions = list(dict.fromkeys([*from_sheet, *named.experiments]))
    request = ProcessRequest(samples, retry_failed, survey_again, asked=named.experiments)
    if dry_run:
        states = show_plan(console, accessions, request, from_sheet, form)
    else:
        states = process_experiments(console, accessions, request) if accessions else {}
    raise SystemExit(exit_code([*states.values(), *named.unresolved.values()]))


def exit_code(states: Sequence[str]) -> int:
    """Return the exit code for the states in which experiments ended."""
    if "failed" in states:
        return PARTIAL if set(states) & {"complete", "partial"} else FAILED
    if "try again" in states:
        return TRY_AGAIN
    return PARTIAL if "partial" in states else DONE
