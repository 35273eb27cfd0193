"""``refinebio-assets reference add-gene-index`` and ``list-gene-indexes``: genes of submitters' ids."""

from __future__ import annotations

import click
from rich.console import Console
from rich.markup import escape

from refinebio_assets.cli.building import build_reference
from refinebio_assets.cli.home import open_catalog, open_lake, the_web
from refinebio_assets.cli.locations import absolute
from refinebio_assets.cli.tables import rows_format, table, terminal, write_rows

COLUMNS = ["platform", "name", "rows", "genes", "without_gene", "columns", "source", "version"]


@click.command("add-gene-index")
@click.option(
    "--platform", required=True, metavar="NAME", help="As hgu133a, GPL96, or HG-U133A in CEL files."
)
@click.option("--source", default="", help="Who provides the table.")
@click.argument("file", metavar="FILE")
def add_gene_index(platform: str, source: str, file: str) -> None:
    """Register the table FILE of a microarray's probes and their genes, and build its gene index.

    Values that submitters processed are converted to Ensembl genes with it. FILE (path or URL; TSV or CSV,
    plain or gzip) needs a column of Ensembl genes and at least one of other ids: probe sets, symbols, Entrez,
    RefSeq or UniGene. refine.bio's gene indexes, GEO's GPL tables and Affymetrix' annotation tables will do.
    """
    from refinebio_assets.pipelines.fetch_file import locate
    from refinebio_assets.pipelines.references.gene_index import GeneIndexInputs, register_gene_index
    from refinebio_assets.pipelines.references.platform_registry import resolve_platform

    inputs = GeneIndexInputs(resolve_platform(platform).accession, absolute(file), source)
    locate(inputs.table, the_web)  # before an earlier, good registration is replaced
    register_gene_index(open_lake(new=True), inputs)
    build(terminal(), inputs.platform)


@click.command("list-gene-indexes")
@rows_format()
def list_gene_indexes(form: str) -> None:
    """List the microarrays that have a gene index."""
    from refinebio_assets.pipelines.references.overview import gene_indexes

    rows = gene_indexes(open_catalog())
    if form != "table":
        write_rows(rows, form)
        return
    empty = (
        "No gene indexes yet. Add one with `refinebio-assets reference add-gene-index --platform NAME FILE`."
    )
    terminal().print(table(rows, COLUMNS) if rows else empty)


def build(console: Console, platform: str) -> None:
    """Build a microarray's index unless it is up to date, in one Dagster run, and say what it holds."""
    from refinebio_assets.pipelines.references.gene_index import assess_gene_index
    from refinebio_assets.pipelines.references.overview import gene_index_columns, gene_indexes

    situation = assess_gene_index(open_lake(), platform, the_web)
    build_reference(console, platform, "gene index", situation, "build_gene_index")
    catalog = open_catalog()
    row = next(row for row in gene_indexes(catalog) if row["platform"] == platform)
    console.print(
        f"[bold]{escape(platform)}[/]: gene index of {row['rows']:,} rows, {row['genes']:,} genes",
        highlight=False,
    )
    console.print(table(gene_index_columns(catalog, platform), ["id_kind", "ids", "with_gene", "examples"]))
    if row["columns_left_out"]:
        names = ", ".join(row["columns_left_out"])
        console.print(f"  columns that are not ids: {names}", style="yellow", highlight=False, markup=False)
