"""``refinebio-assets target``: the distributions that samples are normalized to."""

from __future__ import annotations

from pathlib import Path

import click
from rich.console import Console
from rich.markup import escape

from refinebio_assets.cli.building import build_reference
from refinebio_assets.cli.home import open_catalog, open_lake
from refinebio_assets.cli.output import console_beside, output_option
from refinebio_assets.cli.tables import rows_format, table, terminal, write_rows
from refinebio_assets.domain import counted, organism_name

_MOST_EXPERIMENTS = 20
_version = click.option("--version", metavar="VERSION", help="An older version; 6 characters are enough.")


@click.group()
def target() -> None:
    """Make, list, take in and hand out quantile targets, one an organism."""


@target.command("build")
@click.argument("organism")
@click.option("--minimum", type=click.IntRange(min=1), help="Samples it needs at least. Default: 100.")
@click.option(
    "--technology",
    type=click.Choice(["automatic", "MICROARRAY", "RNA-SEQ"], case_sensitive=False),
    help="Default: arrays for an organism that has any, else RNA-seq.",
)
def build_target(organism: str, minimum: int | None, technology: str | None) -> None:
    """Make ORGANISM's target of the lake's samples, unless it is up to date.

    It is the mean of the sorted values of all samples of the organism's most populous Affymetrix array that
    were processed from raw data. What is chosen here holds for later builds, too; a target that was
    imported from a file is replaced.
    """
    from refinebio_assets.pipelines.target_quantiles import require_subject
    from refinebio_assets.pipelines.targets.settings import AUTOMATIC, decide_samples

    lake, name = open_lake(), organism_name(organism)
    require_subject(lake, name, technology or AUTOMATIC)
    decide_samples(lake, name, minimum=minimum, technology=technology)
    build(terminal(), name)


@target.command("import")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--organism", required=True, help="For example 'Homo sapiens' or HOMO_SAPIENS.")
@click.option(
    "--technology",
    type=click.Choice(["MICROARRAY", "RNA-SEQ"], case_sensitive=False),
    help="What its samples were measured with. Needed unless --platform says it.",
)
@click.option("--platform", default="", help="The microarray whose samples it is made of, when you know.")
@click.option(
    "--least",
    type=click.IntRange(min=1),
    help="Numbers it must have at least. Default: 1,000, as a shorter file is hardly a whole target.",
)
def import_file(file: Path, organism: str, technology: str | None, platform: str, least: int | None) -> None:
    """Take an organism's target from FILE, as refine.bio writes it: one column of numbers, no header.

    A target of RNA-seq is of log2(x + 1).
    """
    from refinebio_assets.domain import Technology
    from refinebio_assets.pipelines.targets.settings import LEAST_QUANTILES, import_target

    if technology is None and not platform:
        raise click.UsageError("say what the target is made of: --technology MICROARRAY or RNA-SEQ")
    if platform and technology == Technology.RNA_SEQ:
        raise click.UsageError("--platform is of microarrays; leave it out with --technology RNA-SEQ")
    name = organism_name(organism)
    import_target(
        open_lake(new=True),
        name,
        file,
        technology=Technology(technology or Technology.MICROARRAY),
        platform=platform,
        least=least or LEAST_QUANTILES,
    )
    build(terminal(), name)


@target.command("list")
@click.option("--all", "all_versions", is_flag=True, help="Older versions, too.")
@rows_format()
def list_targets(all_versions: bool, form: str) -> None:
    """List the organisms that have a target."""
    from refinebio_assets.pipelines.targets.overview import targets

    rows = targets(open_catalog(), all_versions=all_versions)
    if not rows and form == "table":
        terminal().print("No targets yet: `refinebio-assets target build ORGANISM` makes one.")
        return
    if form == "table":
        rows = [row | {"version": row["version"][:12]} for row in rows]
    write_rows(rows, form)


@target.command("show")
@click.argument("organism")
@_version
def show_target(organism: str, version: str | None) -> None:
    """Show what ORGANISM's target is made of: its samples by experiment, and those that were skipped."""
    from refinebio_assets.pipelines.target_quantiles import require_target
    from refinebio_assets.pipelines.targets.overview import (
        samples_by_experiment,
        skipped_by_reason,
        target_facts,
    )

    lake, console = open_lake(), terminal()
    commit = require_target(lake, organism_name(organism), version).commit
    for name, value in target_facts(lake, commit).items():
        if value is not None:
            console.print(f"{name.replace('_', ' '):16} {value}", highlight=False, markup=False)
    experiments = samples_by_experiment(lake, commit)
    if experiments:
        console.print(table(experiments[:_MOST_EXPERIMENTS], ["experiment", "samples"], title="Made of"))
    if len(experiments) > _MOST_EXPERIMENTS:
        console.print(
            f"and of {len(experiments) - _MOST_EXPERIMENTS:,} more experiments, "
            "listed by `refinebio-assets catalog sql 'SELECT * FROM target_samples'`",
            highlight=False,
        )
    skipped = skipped_by_reason(lake, commit)
    if skipped:
        console.print(table(skipped, ["skipped samples", "reason"]))


@target.command("export")
@click.argument("organism")
@_version
@output_option()
def export_target(organism: str, version: str | None, output: Path) -> None:
    """Write ORGANISM's target to a file, as refine.bio does: one column of numbers, ascending, no header."""
    from refinebio_assets.formats.target_file import target_file_bytes
    from refinebio_assets.pipelines.target_quantiles import require_target
    from refinebio_assets.pipelines.whole_file import write_whole

    lake = open_lake()
    chosen = require_target(lake, organism_name(organism), version)
    content = target_file_bytes(chosen.values(lake))
    console = console_beside(output)
    write_whole(output, lambda path: path.write_bytes(content))
    console.print(
        f"{chosen.genes:,} quantiles (version {chosen.version[:12]}) written to {output}",
        highlight=False,
        soft_wrap=True,
        markup=False,
    )


def build(console: Console, organism: str) -> None:
    """Build an organism's target unless it is up to date, in one Dagster run, and say what it is."""
    from refinebio_assets.pipelines.target_quantiles import assess_target, require_enough_samples

    require_enough_samples(open_lake(), organism)
    situation = assess_target(open_lake(), organism).situation
    build_reference(console, organism, "target", situation, "build_target_quantiles")
    _say_target(console, organism)


def _say_target(console: Console, organism: str) -> None:
    from refinebio_assets.pipelines.target_quantiles import require_target
    from refinebio_assets.pipelines.targets.overview import target_facts

    lake = open_lake()
    facts = target_facts(lake, require_target(lake, organism).commit)
    source = f"imported from {facts['origin']}" if facts["imported"] else counted(facts["samples"], "sample")
    of = f" of {facts['platform']}" if facts["platform"] else f" of {facts['technology']}"
    console.print(
        f"[bold]{escape(organism)}[/]: target of {facts['genes']:,} quantiles, {escape(source + of)}, "
        f"version {facts['version'][:12]}",
        highlight=False,
    )
    if facts["skipped_samples"]:
        skipped = counted(facts["skipped_samples"], "sample")
        console.print(f"  skipped: {skipped}, see `refinebio-assets target show {organism}`", style="yellow")
