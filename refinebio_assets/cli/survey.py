"""``refinebio-assets survey``: what the public archives say of experiments, without downloading anything."""

from __future__ import annotations

from collections.abc import Sequence

import click
from rich.console import Console
from rich.markup import escape

from refinebio_assets.cli.command_name import command_name
from refinebio_assets.cli.exit_codes import EXPLANATION
from refinebio_assets.cli.home import open_catalog, open_lake
from refinebio_assets.cli.tables import table, terminal


@click.command(epilog=EXPLANATION)
@click.argument("experiments", nargs=-1, required=True)
def survey(experiments: tuple[str, ...]) -> None:
    """Ask the archives of EXPERIMENTS what they say now, record it, and show it.

    Accessions are as for `process`. An archive that says the same as before gives the same version; what
    it says differently is listed.
    """
    from refinebio_assets.cli.process import exit_code

    raise SystemExit(exit_code(list(survey_experiments(terminal(), experiments).values())))


def survey_experiments(console: Console, names: Sequence[str]) -> dict[str, str]:
    """Survey what these names mean; return for each how it ended: complete, failed or try again."""
    from refinebio_assets.cli.naming import name_experiments
    from refinebio_assets.cli.processing import prepare_instance

    named = name_experiments(console, names)
    states = dict(named.unresolved)
    if named.experiments:
        prepare_instance(list(named.experiments))
    for accession, asked in named.experiments.items():
        states[accession] = _survey(console, accession, asked)
    return states


def _survey(console: Console, accession: str, asked: str) -> str:
    """Survey one experiment; return ``complete``, ``failed`` or ``try again``."""
    from refinebio_assets.cli.processing import say_differences, say_outcome
    from refinebio_assets.cli.rich_progress import BarProgressSource, bars
    from refinebio_assets.definitions import build_definitions
    from refinebio_assets.defs.launch import SurveyRequest, run_survey
    from refinebio_assets.pipelines import experiment_record

    lake = open_lake(new=True)
    before = lake.head(experiment_record.ASSET, accession)
    with bars(console) as shown:
        definitions = build_definitions(BarProgressSource(shown, accession))
        outcome = run_survey(
            definitions,
            accession,
            SurveyRequest(asked, again=True),
            asked_by=command_name(),
            tell=shown.console.print,
        )
    state = say_outcome(console, accession, outcome)
    if state != "done":
        return state
    say_differences(console, lake, before, lake.head(experiment_record.ASSET, accession))
    _show(console, accession)
    return "complete"


def _show(console: Console, accession: str) -> None:
    from refinebio_assets.pipelines.overview import survey_summary

    summary = survey_summary(open_catalog(), accession)
    experiment = summary.experiment
    console.print(f"[bold]{escape(accession)}[/]  {escape(experiment['title'] or '')}", highlight=False)
    for name in (
        "source",
        "url",
        "alternates",
        "organisms",
        "published",
        "updated",
        "institution",
        "pubmed_id",
    ):
        value = experiment[name]
        text = ", ".join(value) if isinstance(value, list) else value
        if text:
            console.print(f"  {name.replace('_', ' ')}: {escape(text)}", highlight=False, soft_wrap=True)
    console.print(
        table(
            summary.pipelines,
            ["pipeline", "platform", "samples", "reason"],
            title="How samples are processed",
        )
    )
    filled = [row for row in summary.fields if row["samples"]]
    console.print(table(filled, ["field", "samples", "most frequent"], title="Harmonized metadata"))
    empty = ", ".join(row["field"].replace("_", " ") for row in summary.fields if not row["samples"])
    if empty:
        console.print(f"  nothing is said of {empty}", highlight=False)
    if summary.left_out:
        console.print(table(summary.left_out, ["item", "reason"], title="Left out"))
