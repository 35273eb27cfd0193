"""``refinebio-assets lineage``: what a number was made from, or what was made from a file or sample."""

from __future__ import annotations

import click

from refinebio_assets.cli.home import open_catalog, open_lake
from refinebio_assets.cli.tables import terminal
from refinebio_assets.errors import NotFoundError
from refinebio_assets.lake.catalog import Catalog

ALL = 2**31 - 1


@click.command()
@click.argument("start", metavar="KIND:NAME[@VERSION]")
@click.option("--down", is_flag=True, help="What was made from it, instead of what it was made from.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["tree", "json", "dot", "html"]),
    default="tree",
    show_default=True,
    help="dot is Graphviz's language; html a page of its own.",
)
@click.option(
    "--limit", type=click.IntRange(min=1), default=5, show_default=True, help="Of each asset beside another."
)
@click.option("--all", "everything", is_flag=True, help="Without a limit.")
@click.option("--history", is_flag=True, help="With --down: earlier results, too.")
@click.option("--as-is", is_flag=True, help="From the catalog as it is, without looking for new commits.")
def lineage(
    start: str, down: bool, form: str, limit: int, everything: bool, history: bool, as_is: bool
) -> None:
    """Explain where a number comes from: raw files, program versions, index releases, code.

    KIND is dataset, experiment, sample, target, compendium, file (NAME is its SHA-256, the start of it, or
    a file name), or any asset, as in `transcriptome_index:HOMO_SAPIENS`.
    """
    from refinebio_assets.cli.lineage_formats import as_dot, as_html, as_json, as_tree
    from refinebio_assets.pipelines.lineage import trace
    from refinebio_assets.pipelines.lineage_facts import describe
    from refinebio_assets.pipelines.lineage_start import starting_things

    catalog = _catalog(as_is)
    roots = starting_things(catalog, start)
    found = trace(catalog, roots, down=down, limit=ALL if everything else limit, history=history)
    facts = describe(catalog, found.things())
    if form == "tree":
        console = terminal()
        for tree in as_tree(found, facts):
            console.print(tree, highlight=False)
        return
    write = {"json": as_json, "dot": as_dot, "html": as_html}[form]
    click.echo(write(found, facts))


def _catalog(as_is: bool) -> Catalog:
    if not as_is:
        return open_catalog()
    catalog = Catalog(open_lake())
    try:
        catalog.rows("SELECT 1")
    except NotFoundError:
        return open_catalog()
    return catalog
