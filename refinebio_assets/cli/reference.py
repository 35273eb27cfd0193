"""``refinebio-assets reference``: what samples are measured against."""

from __future__ import annotations

import click
from rich.console import Console
from rich.markup import escape

from refinebio_assets.cli.building import build_reference
from refinebio_assets.cli.ensembl import add_ensembl, list_ensembl
from refinebio_assets.cli.gene_indexes import add_gene_index, list_gene_indexes
from refinebio_assets.cli.home import open_catalog, open_lake, the_web
from refinebio_assets.cli.locations import absolute
from refinebio_assets.cli.platforms import add_platform, list_platforms
from refinebio_assets.cli.tables import table, terminal


@click.group()
def reference() -> None:
    """Register and build what samples are measured against."""


reference.add_command(add_ensembl)
reference.add_command(list_ensembl)
reference.add_command(add_platform)
reference.add_command(list_platforms)
reference.add_command(add_gene_index)
reference.add_command(list_gene_indexes)


@reference.command("add-transcriptome")
@click.option("--organism", required=True, help="For example 'Homo sapiens' or HOMO_SAPIENS.")
@click.option("--transcripts", help="FASTA of transcripts, gzipped or not.")
@click.option("--gene-map", help="Two columns without header: gene, transcript.")
@click.option("--genome", help="FASTA of the genome, gzipped or not.")
@click.option("--gtf", help="GTF of the same assembly, gzipped or not.")
@click.option("--division", default="", help="Where it is from, for example EnsemblMain.")
@click.option("--release", default="", help="Release, for example 110.")
@click.option("--assembly", default="", help="Assembly, for example GRCh38.")
def add_transcriptome(
    organism: str,
    transcripts: str | None,
    gene_map: str | None,
    genome: str | None,
    gtf: str | None,
    division: str,
    release: str,
    assembly: str,
) -> None:
    """Register an organism's transcriptome and build its Salmon indices (k = 31 and k = 23).

    Give --transcripts and --gene-map, or --genome and --gtf. Paths or URLs; gzipped files are taken as
    they are.
    """
    from refinebio_assets.domain import organism_name
    from refinebio_assets.pipelines.fetch_file import locate
    from refinebio_assets.pipelines.transcriptome_registry import TranscriptomeInputs, register_transcriptome

    inputs = TranscriptomeInputs(
        organism=organism_name(organism),
        transcripts=absolute(transcripts),
        gene_map=absolute(gene_map),
        genome=absolute(genome),
        gtf=absolute(gtf),
        division=division,
        release=release,
        assembly=assembly,
    )
    for location in inputs.locations().values():
        locate(location, the_web)  # before an earlier, good registration is replaced
    register_transcriptome(open_lake(), inputs)
    build(terminal(), inputs.organism)


@reference.command("list")
def list_references() -> None:
    """List the organisms that have a transcriptome index."""
    from refinebio_assets.pipelines.reference_overview import transcriptomes

    columns = ["organism", "transcripts", "mapped_transcripts", "genes", "division", "release", "assembly"]
    rows = transcriptomes(open_catalog())
    terminal().print(table(rows, [*columns, "salmon_version", "version"]) if rows else "No references yet.")


def build(console: Console, organism: str) -> None:
    """Build an organism's index unless it is up to date, in one Dagster run, and say what it holds."""
    from refinebio_assets.pipelines.transcriptome_index import assess_transcriptome

    situation = assess_transcriptome(open_lake(), organism, the_web)
    build_reference(console, organism, "index", situation, "build_transcriptome_index")
    _say_index(console, organism)


def _say_index(console: Console, organism: str) -> None:
    from refinebio_assets.pipelines.reference_overview import transcriptomes

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
