"""``refinebio-assets reference``: what samples are measured against."""

from __future__ import annotations

import click

from refinebio_assets.cli.building import build_transcriptome
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
    from refinebio_assets.pipelines.references.transcriptome_registry import (
        TranscriptomeInputs,
        register_transcriptome,
    )

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
    register_transcriptome(open_lake(new=True), inputs)
    build_transcriptome(terminal(), inputs.organism)


@reference.command("list")
def list_references() -> None:
    """List the organisms that have a transcriptome index."""
    from refinebio_assets.pipelines.references.overview import transcriptomes

    columns = ["organism", "transcripts", "mapped_transcripts", "genes", "division", "release", "assembly"]
    rows = transcriptomes(open_catalog())
    terminal().print(table(rows, [*columns, "salmon_version", "version"]) if rows else "No references yet.")
