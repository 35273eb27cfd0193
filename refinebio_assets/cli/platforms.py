"""``refinebio-assets reference add-platform`` and ``list-platforms``: microarrays' probes and genes."""

from __future__ import annotations

from collections.abc import Mapping

import click
from rich.console import Console
from rich.markup import escape

from refinebio_assets.cli.building import build_reference
from refinebio_assets.cli.home import open_catalog, open_lake, the_web
from refinebio_assets.cli.locations import absolute
from refinebio_assets.cli.tables import rows_format, table, terminal, write_rows
from refinebio_assets.errors import NotFoundError, RequestError, TransientError

BEAD_FILES = ("package", "organism_package", "gene_choices", "gtf")
COLUMNS = [
    *("platform", "kind", "name", "organism", "probes", "probe_sets", "genes", "left_out", "source"),
    "brainarray_version",
]


@click.command("add-platform")
@click.option(
    "--platform",
    required=True,
    metavar="NAME",
    help="As hgu95av2, GPL8300, HG_U95Av2 in CEL files; illuminaHumanv4, Illumina_HumanHT-12_V4.0, GPL10558.",
)
@click.option("--probe-tab", metavar="FILE", help="The manufacturer's probe_tab, or an R probe package.")
@click.option(
    "--brainarray",
    "brainarray",
    metavar="FILE",
    multiple=True,
    help="Brainarray's ENSG probe_tab, or its R probe package. Of a BeadArray: the organism's tables.",
)
@click.option("--cdf", metavar="FILE", help="The array's CDF file, to check the probe_tab against.")
@click.option("--pgf", metavar="FILE", help="PGF file of an ST, exon or Clariom array.")
@click.option("--clf", metavar="FILE", help="Its CLF file.")
@click.option("--mps", metavar="FILE", help="Its MPS file of core transcript clusters.")
@click.option("--package", metavar="FILE", help="Annotation package of a BeadArray (illuminaHumanv4.db).")
@click.option("--organism-package", metavar="FILE", help="Its organism's package (org.Hs.eg.db).")
@click.option("--gene-choices", metavar="FILE", help="Table of the one gene of probes that have several.")
@click.option("--gtf", metavar="FILE", help="The organism's genes, to choose between several of a probe.")
@click.option("--organism", default="", metavar="NAME", help="Organism of a BeadArray that is not listed.")
@click.option("--source", default="", help="Who provides the probes.")
@click.option("--brainarray-version", default="", help="Release of --brainarray. Default: from its name.")
def add_platform(
    platform: str, brainarray: tuple[str, ...], source: str, organism: str, brainarray_version: str,
    **files: str | None,
) -> None:  # fmt: skip
    """Register a microarray's probe tables and build its annotation: the probes and their genes.

    Without files they are taken from where they are published, as far as that is known. Else give, for an
    Affymetrix array, --probe-tab, or --pgf and --clf, and --brainarray for values of Ensembl genes; for an
    Illumina BeadArray --package and --organism-package. Paths or URLs; packed files are taken as they are.
    """
    from refinebio_assets.platforms.illumina_arrays import find_package

    locations = {role: absolute(given) for role, given in files.items()}
    tables = tuple(absolute(given) for given in brainarray)
    of_beads = {role: locations.pop(role) for role in BEAD_FILES}
    if of_beads["package"] or find_package(platform) is not None:
        _refuse(platform, "a BeadArray", {**locations, "brainarray_version": brainarray_version})
        name = _register_beads(platform, organism, tables, source, of_beads)
    else:
        _refuse(platform, "an Affymetrix array", {**of_beads, "organism": organism})
        name = _register_affymetrix(platform, tables, source, brainarray_version, locations)
    build(terminal(), name)


@click.command("list-platforms")
@click.option("--available", is_flag=True, help="List the arrays whose tables are published instead.")
@rows_format()
def list_platforms(available: bool, form: str) -> None:
    """List the microarrays that have an annotation."""
    from refinebio_assets.pipelines.references.overview import available_platforms, platforms

    rows = available_platforms() if available else platforms(open_catalog())
    if form != "table":
        write_rows(rows, form)
        return
    columns = list(rows[0]) if available else [*COLUMNS, "version"]
    empty = "No platforms yet. Add one with `refinebio-assets reference add-platform --platform NAME`."
    terminal().print(table(rows, columns) if rows else empty)


def build(console: Console, platform: str) -> None:
    """Build an array's annotation unless it is up to date, in one Dagster run, and say what it holds."""
    from refinebio_assets.pipelines.references.platform_annotation import assess_annotation

    situation = assess_annotation(open_lake(), platform, the_web)
    build_reference(console, platform, "annotation", situation, "build_platform_annotation")
    _say_annotation(console, platform)


def _register_affymetrix(
    platform: str, brainarray: tuple[str, ...], source: str, version: str, locations: Mapping[str, str]
) -> str:
    from refinebio_assets.pipelines.references.platform_registry import (
        PlatformInputs,
        platform_warning,
        published_inputs,
        register_platform,
        resolve_platform,
        version_in_name,
    )

    if len(brainarray) > 1:
        raise RequestError("an Affymetrix array has one table of genes: give --brainarray once")
    table_of_genes = next(iter(brainarray), "")
    name = resolve_platform(platform).accession
    version = version or version_in_name(table_of_genes)
    given = PlatformInputs(
        name, source=source, brainarray=table_of_genes, brainarray_version=version, **locations
    )
    inputs = published_inputs(given)
    _look_at_all(given.locations(), inputs.locations())
    register_platform(open_lake(new=True), inputs)
    warning = platform_warning(name)
    if warning:
        terminal().print(warning, style="yellow", highlight=False)
    return name


def _register_beads(
    platform: str, organism: str, brainarray: tuple[str, ...], source: str, locations: Mapping[str, str]
) -> str:
    from refinebio_assets.pipelines.references.bead_registry import (
        BeadInputs,
        published_bead_inputs,
        register_bead_platform,
        resolve_bead_platform,
    )

    name, of_organism = resolve_bead_platform(platform, organism)
    given = BeadInputs(name, of_organism, brainarray=brainarray, source=source, **locations)
    inputs = published_bead_inputs(given)
    _look_at_all(given.locations(), inputs.locations())
    register_bead_platform(open_lake(new=True), inputs)
    return name


def _refuse(platform: str, what: str, of_others: Mapping[str, str]) -> None:
    """Refuse options that do not belong to the array's kind, all of them at once."""
    given = [f"--{role.replace('_', '-')}" for role, value in of_others.items() if value]
    if given:
        raise RequestError(f"{platform} is {what}: {', '.join(given)} do not belong to it")


def _look_at_all(given: Mapping[str, str], taken: Mapping[str, str]) -> None:
    """Look whether the files are there, before an earlier, good registration is replaced."""
    for role, location in taken.items():
        _look(role, location, published=location != given.get(role))


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
    from refinebio_assets.pipelines.references.overview import annotation_counts, platforms

    catalog = open_catalog()
    row = next(row for row in platforms(catalog) if row["platform"] == platform)
    genes = f"{row['genes']:,} genes" if row["genes"] is not None else "no table of genes"
    counted = [f"{row['probes']:,} probes"]
    if row["cells"] is not None:
        counted = [f"{row['probes']:,} probes on {row['cells']:,} cells", f"{row['probe_sets']:,} probe sets"]
    console.print(f"[bold]{escape(platform)}[/]: {', '.join([*counted, genes])}", highlight=False)
    for count in annotation_counts(catalog, platform):
        console.print(
            f"  {count['about']}: {count['probes']:,} {count['value']}", highlight=False, markup=False
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
