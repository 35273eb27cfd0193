"""``refinebio-assets compendium``: all samples of an organism together, and parts of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.markup import escape

from refinebio_assets.cli.building import build_reference
from refinebio_assets.cli.home import open_catalog, open_lake
from refinebio_assets.cli.output import console_beside, output_option, say_copied
from refinebio_assets.cli.tables import cell, rows_format, terminal, write_rows
from refinebio_assets.domain import counted, organism_name

_version = click.option("--version", type=int, metavar="NUMBER", help="An older version, by its number.")
_kind = click.option(
    "--kind",
    type=click.Choice(["normalized", "rnaseq-sample"]),
    default="normalized",
    show_default=True,
    help="One normalized matrix, or the quant.sf files of all RNA-seq samples.",
)


@click.group()
def compendium() -> None:
    """Make, list, show and read compendia: all samples of an organism together."""


@compendium.command("build")
@click.argument("organism")
@_kind
@click.option(
    "--imputation",
    type=click.Choice(["factors", "iterative_svd", "none"]),
    help="How missing values are filled. Default: factors, or what the newest version has.",
)
@click.option(
    "--memory", type=click.FloatRange(min=0.1), default=4.0, show_default=True, help="Limit in GiB."
)
def build_compendium(organism: str, kind: str, imputation: str | None, memory: float) -> None:
    """Put all samples of ORGANISM into one compendium and its zip, unless it is up to date.

    A normalized one takes samples, of the whole genus, that were processed from raw data, and needs the
    organism's target (`target build`). One of RNA-seq samples takes Salmon's quant.sf files as they are;
    --imputation and --memory do not matter to it. A build of it that was killed goes on where it stopped.
    """
    if kind == "rnaseq-sample":
        build_samples(terminal(), organism_name(organism))
    else:
        build_normalized(terminal(), organism_name(organism), imputation, memory)


def build_samples(console: Console, name: str) -> None:
    """Bring an organism's RNA-seq sample compendium up to date, and say what it is."""
    from refinebio_assets.pipelines.compendia.rnaseq_samples.rnaseq_sample_compendium import assess_samples

    situation = assess_samples(open_lake(), name).situation
    build_reference(console, name, "compendium", situation, "build_rnaseq_sample_compendium")
    _say(console, name, "rnaseq-sample")


def build_normalized(console: Console, name: str, imputation: str | None = None, memory: float = 4.0) -> None:
    """Bring an organism's normalized compendium up to date, and say what it is."""
    from refinebio_assets.pipelines.compendia.bundle.compendium_bundle import assess_bundle
    from refinebio_assets.pipelines.compendia.model import Imputation
    from refinebio_assets.pipelines.compendia.normalized_compendium import assess_compendium

    method = None if imputation is None else Imputation(imputation)
    lake = open_lake()
    situation = assess_compendium(lake, name, imputation=method).situation
    if situation.current is not None:
        situation = assess_bundle(lake, name).situation
    config: dict[str, Any] = {"memory_limit_gib": memory}
    if method is not None:
        config["imputation"] = method.name
    job = "build_normalized_compendium"
    build_reference(console, name, "compendium", situation, job, config={"normalized_compendium": config})
    _say(console, name, "normalized")


@compendium.command("list")
@click.option("--all", "all_versions", is_flag=True, help="Older versions, too.")
@rows_format()
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
@_kind
@_version
def show_compendium(organism: str, kind: str, version: int | None) -> None:
    """Show what ORGANISM's compendium holds, how well values were imputed, what samples differ by and which
    groups of them cannot be told apart from experiments, and what was left out."""
    from refinebio_assets.cli.compendium_facts import say_dropped, say_facts
    from refinebio_assets.lake.rows import read_rows
    from refinebio_assets.pipelines.compendia.kinds import CompendiumKind, require_version

    lake, console = open_lake(), terminal()
    commit = require_version(lake, CompendiumKind(kind), organism_name(organism), version)
    for name, value in read_rows(lake, commit, "compendia")[0].items():
        if value is not None:
            console.print(f"{name.replace('_', ' '):24} {cell(value)}", highlight=False, markup=False)
    if kind == CompendiumKind.NORMALIZED:
        say_facts(console, lake, commit)
    else:
        path = lake.local(commit.file(commit.info["file"]))
        console.print(f"{'zip':24} {path}", highlight=False, markup=False, soft_wrap=True)
    say_dropped(console, lake, commit)


@compendium.command("download")
@click.argument("organism")
@_kind
@output_option()
@_version
def download_compendium(organism: str, kind: str, output: Path, version: int | None) -> None:
    """Copy the zip of ORGANISM's compendium out of the lake."""
    from refinebio_assets.pipelines.compendia.kinds import CompendiumKind, require_zip, zip_of
    from refinebio_assets.pipelines.whole_file import copy_whole

    lake = open_lake()
    source = lake.local(zip_of(require_zip(lake, CompendiumKind(kind), organism_name(organism), version)))
    console = console_beside(output)
    say_copied(console, copy_whole(source, output), output)


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
@output_option()
@_version
def slice_compendium(
    organism: str,
    genes: tuple[str, ...],
    samples: tuple[str, ...],
    layer: str,
    output: Path,
    version: int | None,
) -> None:
    """Write some genes and samples of ORGANISM's compendium to a file, genes x samples.

    TSV, CSV, Parquet or h5ad (samples x genes), by the name of --output.
    """
    from refinebio_assets.formats.matrix_file import matrix_writer
    from refinebio_assets.pipelines.compendia.normalized_compendium import open_compendium
    from refinebio_assets.pipelines.whole_file import write_whole

    write = matrix_writer(output)
    store = open_compendium(open_lake(), organism_name(organism), version)
    values = store.matrix(genes or None, samples or None, layer)
    rows, columns = genes or store.gene_names, samples or store.sample_names
    console = console_beside(output)
    write_whole(output, lambda path: write(path, rows, columns, values))
    console.print(
        f"{counted(len(rows), 'gene')} and {counted(len(columns), 'sample')} ({layer}) written to {output}",
        highlight=False,
        soft_wrap=True,
        markup=False,
    )


def _say(console: Console, organism: str, kind: str) -> None:
    from refinebio_assets.lake.rows import read_rows
    from refinebio_assets.pipelines.compendia.kinds import CompendiumKind, require_version

    lake = open_lake()
    row = read_rows(lake, require_version(lake, CompendiumKind(kind), organism), "compendia")[0]
    held = (
        f"{counted(row['genes'], 'gene')} and {counted(row['samples'], 'sample')}, "
        f"{row['share_missing']:.1%} of values imputed ({row['imputation']})"
        if kind == CompendiumKind.NORMALIZED
        else f"quant.sf files of {counted(row['samples'], 'RNA-seq sample')} "
        f"of {counted(row['experiments'], 'experiment')}"
    )
    console.print(
        f"[bold]{escape(organism)}[/]: compendium version {row['number']} of {held}", highlight=False
    )
    if row["block_error"] is not None:
        console.print(
            f"  error of values missing on a platform {row['block_error']:.3g} "
            f"(of the gene's mean {row['gene_mean_block_error']:.3g}), log2",
            highlight=False,
        )
    if row["dropped_samples"]:
        flag = "" if kind == CompendiumKind.NORMALIZED else f" --kind {kind}"
        console.print(
            f"  left out: {counted(row['dropped_samples'], 'sample')}, see "
            f"`refinebio-assets compendium show {organism}{flag}`",
            style="yellow",
        )
