"""``refinebio-assets compendium``: all samples of an organism together, and parts of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.markup import escape

from refinebio_assets.cli.building import build_reference
from refinebio_assets.cli.home import open_catalog, open_lake
from refinebio_assets.cli.tables import cell, table, terminal, write_rows
from refinebio_assets.domain import organism_name

_version = click.option("--version", type=int, metavar="NUMBER", help="An older version, by its number.")


@click.group()
def compendium() -> None:
    """Make, list, show and read normalized compendia, one an organism."""


@compendium.command("build")
@click.argument("organism")
@click.option(
    "--imputation",
    type=click.Choice(["factors", "iterative_svd", "none"]),
    help="How missing values are filled. Default: factors, or what the newest version has.",
)
@click.option(
    "--memory", type=click.FloatRange(min=0.1), default=4.0, show_default=True, help="Limit in GiB."
)
def build_compendium(organism: str, imputation: str | None, memory: float) -> None:
    """Put all samples of ORGANISM, and of its genus, into one compendium, unless it is up to date.

    It takes samples that were processed from raw data, and needs the organism's target (`target build`).
    """
    from refinebio_assets.pipelines.compendia.model import Imputation
    from refinebio_assets.pipelines.compendia.normalized_compendium import assess_compendium

    name, console = organism_name(organism), terminal()
    method = None if imputation is None else Imputation(imputation)
    situation = assess_compendium(open_lake(), name, imputation=method).situation
    config: dict[str, Any] = {"memory_limit_gib": memory}
    if method is not None:
        config["imputation"] = method.name
    job = "build_normalized_compendium"
    build_reference(console, name, "compendium", situation, job, config={"normalized_compendium": config})
    _say(console, name)


@compendium.command("list")
@click.option("--all", "all_versions", is_flag=True, help="Older versions, too.")
@click.option(
    "--format", "form", type=click.Choice(["table", "csv", "tsv", "json"]), default="table", show_default=True
)
def list_compendia(all_versions: bool, form: str) -> None:
    """List the organisms that have a compendium."""
    from refinebio_assets.pipelines.compendia.overview import compendia

    rows = compendia(open_catalog(), all_versions=all_versions)
    if not rows and form == "table":
        terminal().print("No compendia yet: `refinebio-assets compendium build ORGANISM` makes one.")
        return
    write_rows(rows, form)


@compendium.command("show")
@click.argument("organism")
@_version
def show_compendium(organism: str, version: int | None) -> None:
    """Show what ORGANISM's compendium holds, how well values were imputed, and what was left out."""
    from refinebio_assets.lake.rows import read_rows
    from refinebio_assets.pipelines.compendia.normalized_compendium import (
        open_compendium,
        require_compendium,
    )
    from refinebio_assets.pipelines.compendia.overview import dropped_by_reason, samples_by

    lake, console = open_lake(), terminal()
    commit = require_compendium(lake, organism_name(organism), version)
    for name, value in read_rows(lake, commit, "compendia")[0].items():
        if value is not None:
            console.print(f"{name.replace('_', ' '):24} {cell(value)}", highlight=False, markup=False)
    store = open_compendium(lake, organism_name(organism), version)
    console.print(f"{'store':24} {store.folder}", highlight=False, markup=False, soft_wrap=True)
    console.print(table(samples_by(store, "platform"), ["platform", "samples", "share_missing"]))
    dropped = dropped_by_reason(lake, commit)
    if dropped:
        console.print(table(dropped, ["kind", "number", "reason"], title="Left out"))


@compendium.command("slice")
@click.argument("organism")
@click.option("--gene", "genes", multiple=True, metavar="GENE", help="Repeat for several. Default: all.")
@click.option(
    "--sample", "samples", multiple=True, metavar="SAMPLE", help="Repeat for several. Default: all."
)
@click.option(
    "--layer",
    type=click.Choice(["final", "filled", "measured", "imputed"]),
    default="final",
    show_default=True,
    help="Normalized; before that; what was measured; what was imputed.",
)
@click.option(
    "--output", "-o", type=click.Path(dir_okay=False, path_type=Path), required=True, help="File to write."
)
@_version
def slice_compendium(
    organism: str,
    genes: tuple[str, ...],
    samples: tuple[str, ...],
    layer: str,
    output: Path,
    version: int | None,
) -> None:
    """Write some genes and samples of ORGANISM's compendium to a TSV file, genes x samples."""
    from refinebio_assets.formats.matrix_tsv import write_matrix_tsv
    from refinebio_assets.pipelines.compendia.normalized_compendium import open_compendium
    from refinebio_assets.pipelines.whole_file import write_whole

    store = open_compendium(open_lake(), organism_name(organism), version)
    values = store.matrix(genes or None, samples or None, layer)
    rows, columns = genes or store.gene_names, samples or store.sample_names

    def write(path: Path) -> None:
        with path.open("wb") as file:
            write_matrix_tsv(file, rows, columns, values)

    write_whole(output, write)
    terminal().print(
        f"{len(rows):,} genes and {len(columns):,} samples ({layer}) written to {output}",
        highlight=False,
        soft_wrap=True,
        markup=False,
    )


def _say(console: Console, organism: str) -> None:
    from refinebio_assets.lake.rows import read_rows
    from refinebio_assets.pipelines.compendia.normalized_compendium import require_compendium

    lake = open_lake()
    row = read_rows(lake, require_compendium(lake, organism), "compendia")[0]
    console.print(
        f"[bold]{escape(organism)}[/]: compendium version {row['number']} of {row['genes']:,} genes and "
        f"{row['samples']:,} samples, {row['share_missing']:.1%} of values imputed ({row['imputation']})",
        highlight=False,
    )
    if row["block_error"] is not None:
        console.print(
            f"  error of values missing on a platform {row['block_error']:.3g} "
            f"(of the gene's mean {row['gene_mean_block_error']:.3g}), log2",
            highlight=False,
        )
    if row["dropped_samples"]:
        console.print(
            f"  {row['dropped_samples']:,} samples were left out: "
            f"`refinebio-assets compendium show {organism}`",
            style="yellow",
        )
