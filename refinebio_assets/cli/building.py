"""Builds one partition of a reference in a Dagster run, and tells how it went."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape

from refinebio_assets.cli.command_name import command_name
from refinebio_assets.cli.exit_codes import FAILED, TRY_AGAIN
from refinebio_assets.cli.home import lake_url, open_catalog, open_lake, the_web

if TYPE_CHECKING:
    from refinebio_assets.pipelines.outcome import Situation


def build_reference(
    console: Console,
    name: str,
    what: str,
    situation: Situation,
    job: str,
    *,
    config: Mapping[str, Any] | None = None,
) -> None:
    """Build ``what`` (an index, an annotation) of a partition by Dagster's ``job``, unless it is up to date.

    ``config`` is that of the job's assets, by name. SystemExit when the build failed.
    """
    if situation.current is not None:
        console.print(f"[bold]{escape(name)}[/]: {what} is up to date, nothing to do")
        return
    from refinebio_assets.cli.rich_progress import BarProgressSource, bars
    from refinebio_assets.definitions import build_definitions
    from refinebio_assets.defs.dagster_home import prepare_dagster_home
    from refinebio_assets.defs.launch import run_reference

    prepare_dagster_home(lake_url())
    with bars(console) as shown:
        definitions = build_definitions(BarProgressSource(shown, name))
        outcome = run_reference(
            definitions, job, name, asked_by=command_name(), tell=shown.console.print, config=config
        )
    if not outcome.success:
        console.print(f"[red]{escape(name)}: no {what} was built[/] (run {outcome.run_id})")
        console.print(escape(outcome.problem), highlight=False)
        raise SystemExit(FAILED if outcome.permanent else TRY_AGAIN)


def build_transcriptome(console: Console, organism: str) -> None:
    """Build an organism's index unless it is up to date, in one Dagster run, and say what it holds."""
    from refinebio_assets.pipelines.references.transcriptome_index import assess_transcriptome

    situation = assess_transcriptome(open_lake(), organism, the_web)
    build_reference(console, organism, "index", situation, "build_transcriptome_index")
    _say_index(console, organism)


def _say_index(console: Console, organism: str) -> None:
    from refinebio_assets.pipelines.references.overview import transcriptomes

    row = next(row for row in transcriptomes(open_catalog()) if row["organism"] == organism)
    console.print(
        f"[bold]{escape(organism)}[/]: {row['transcripts']:,} transcripts, of which "
        f"{row['mapped_transcripts']:,} have a gene ({row['genes']:,} genes); Salmon {row['salmon_version']}",
        highlight=False,
    )
    without = row["transcripts"] - row["mapped_transcripts"]
    if without:
        console.print(
            f"  {without:,} of {row['transcripts']:,} transcripts have no gene in the gene map: their reads "
            "are quantified but count for no gene",
            style="yellow",
        )
