"""``refinebio-assets reference add-platform`` and ``list-platforms``: microarrays' probes and genes."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.markup import escape

from refinebio_assets.cli.building import build_reference
from refinebio_assets.cli.home import open_catalog, open_lake, the_web
from refinebio_assets.cli.locations import absolute
from refinebio_assets.cli.tables import table, terminal, write_rows
from refinebio_assets.errors import NotFoundError, TransientError

if TYPE_CHECKING:
    from dagster import Definitions

    from refinebio_assets.defs.launch import RunOutcome

COLUMNS = ["platform", "name", "probes", "probe_sets", "genes", "left_out", "source", "brainarray_version"]


@click.command("add-platform")
@click.option(
    "--platform", required=True, metavar="NAME", help="As hgu95av2, GPL8300, or HG_U95Av2 in CEL files."
)
@click.option("--probe-tab", metavar="FILE", help="The manufacturer's probe_tab, or an R probe package.")
@click.option("--brainarray", metavar="FILE", help="Brainarray's ENSG probe_tab, or its R probe package.")
@click.option("--cdf", metavar="FILE", help="The array's CDF file, to check the probe_tab against.")
@click.option("--pgf", metavar="FILE", help="PGF file of an ST, exon or Clariom array.")
@click.option("--clf", metavar="FILE", help="Its CLF file.")
@click.option("--mps", metavar="FILE", help="Its MPS file of core transcript clusters.")
@click.option("--source", default="", help="Who provides the probes.")
@click.option("--brainarray-version", default="", help="Release of --brainarray. Default: from its name.")
def add_platform(platform: str, source: str, brainarray_version: str, **files: str | None) -> None:
    """Register a microarray's probe tables and build its annotation: the probes and their genes.

    Without files they are taken from where they are published, as far as that is known. Else give
    --probe-tab, or --pgf and --clf; and --brainarray for values of Ensembl genes. Paths or URLs; packed
    files are taken as they are.
    """
    from refinebio_assets.pipelines.platform_registry import (
        PlatformInputs,
        platform_warning,
        published_inputs,
        register_platform,
        resolve_platform,
        version_in_name,
    )

    name = resolve_platform(platform).accession
    locations = {role: absolute(given) for role, given in files.items()}
    version = brainarray_version or version_in_name(locations["brainarray"])
    given = PlatformInputs(name, source=source, brainarray_version=version, **locations)
    inputs = published_inputs(given)
    for role, location in inputs.locations().items():  # before an earlier, good registration is replaced
        _look(role, location, published=location != locations[role])
    register_platform(open_lake(), inputs)
    console = terminal()
    warning = platform_warning(name)
    if warning:
        console.print(warning, style="yellow", highlight=False)
    build(console, name)


@click.command("list-platforms")
@click.option("--available", is_flag=True, help="List the arrays whose tables are published instead.")
@click.option(
    "--format", "form", type=click.Choice(["table", "csv", "tsv", "json"]), default="table", show_default=True
)
def list_platforms(available: bool, form: str) -> None:
    """List the microarrays that have an annotation."""
    from refinebio_assets.pipelines.overview import available_platforms, platforms

    rows = available_platforms() if available else platforms(open_catalog())
    if form != "table":
        write_rows(rows, form)
        return
    columns = list(rows[0]) if available else [*COLUMNS, "version"]
    empty = "No platforms yet. Add one with `refinebio-assets reference add-platform --platform NAME`."
    terminal().print(table(rows, columns) if rows else empty)


def build(console: Console, platform: str) -> None:
    """Build an array's annotation unless it is up to date, in one Dagster run, and say what it holds."""
    from refinebio_assets.pipelines.platform_annotation import assess_annotation

    if assess_annotation(open_lake(), platform, the_web).current is not None:
        console.print(f"[bold]{escape(platform)}[/]: annotation is up to date, nothing to do")
    else:
        from refinebio_assets.defs.launch import register_platform_partition, run_platform_annotation

        def run(definitions: Definitions, tell: Callable[[str], None]) -> RunOutcome:
            register_platform_partition(platform)
            return run_platform_annotation(definitions, platform, tell=tell)

        build_reference(console, platform, "annotation", run)
    _say_annotation(console, platform)


def _look(role: str, location: str, *, published: bool) -> None:
    """Look whether a file is there; of a published one that is not, say what can be done."""
    from refinebio_assets.pipelines.fetch_file import locate

    try:
        locate(location, the_web)
    except (NotFoundError, TransientError) as error:
        if not published:
            raise
        option = f"--{role.replace('_', '-')} FILE"
        raise type(error)(f"{error}\nA copy from elsewhere can be given with {option}.") from error


def _say_annotation(console: Console, platform: str) -> None:
    from refinebio_assets.pipelines.overview import platforms

    row = next(row for row in platforms(open_catalog()) if row["platform"] == platform)
    genes = f"{row['genes']:,} genes" if row["genes"] is not None else "no table of genes"
    console.print(
        f"[bold]{escape(platform)}[/]: {row['probes']:,} probes on {row['cells']:,} cells, "
        f"{row['probe_sets']:,} probe sets, {genes}",
        highlight=False,
    )
    if row["left_out"]:
        console.print(
            f"  {row['left_out']:,} probes are not in the model; `refinebio-assets catalog sql` shows why "
            "in the table dropped",
            style="yellow",
            highlight=False,
        )
    if row["genes"] is None:
        console.print(
            "  without --brainarray, arrays are summarized by the manufacturer's probe sets, not by genes",
            style="yellow",
            highlight=False,
        )
