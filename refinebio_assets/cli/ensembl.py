"""``refinebio-assets reference add-ensembl`` and ``list-ensembl``: transcriptomes from Ensembl."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from refinebio_assets.cli.building import build_transcriptome
from refinebio_assets.cli.home import open_lake, the_web
from refinebio_assets.cli.tables import rows_format, terminal, write_rows

if TYPE_CHECKING:
    from refinebio_assets.sources.ensembl.survey import EnsemblGenome

DIVISIONS = "EnsemblMain, EnsemblPlants, EnsemblMetazoa, EnsemblProtists, EnsemblFungi or EnsemblBacteria"
_WIDEST = len("taxonomy id")


@click.command("add-ensembl")
@click.option("--organism", required=True, help="Ensembl's name for it, for example 'Danio rerio'.")
@click.option("--division", default="", help=f"{DIVISIONS}. Default: the first that has the organism.")
@click.option("--release", type=click.IntRange(min=1), help="Default: the division's current release.")
@click.option(
    "--for-samples-of",
    metavar="NAME",
    default="",
    help="The organism as samples name it, where Ensembl's name is another ('Oryza sativa Japonica Group').",
)
@click.option("--dry-run", is_flag=True, help="Say what was found; register and build nothing.")
def add_ensembl(
    organism: str, division: str, release: int | None, for_samples_of: str, dry_run: bool
) -> None:
    """Find an organism's genome in Ensembl, register it and build its Salmon indices (k = 31 and k = 23).

    Only files that Ensembl has at this moment are registered. For Fungi and Bacteria the strain is used
    that is chosen to stand for the organism.
    """
    from refinebio_assets.pipelines.references.transcriptome_survey import (
        find_genome,
        register_genome,
        transcriptome_of,
    )

    genome = find_genome(the_web(), organism, division, release)
    console = terminal()
    inputs = transcriptome_of(genome, for_samples_of)
    for what, value in _facts(inputs.organism, genome).items():
        console.print(f"{what:<{_WIDEST}}  {value}", highlight=False, markup=False, soft_wrap=True)
    if dry_run:
        console.print("Dry run: nothing was registered.")
        return
    register_genome(open_lake(new=True), genome, for_samples_of)
    build_transcriptome(console, inputs.organism)


@click.command("list-ensembl")
@click.option("--division", required=True, help=f"{DIVISIONS}.")
@rows_format()
def list_ensembl(division: str, form: str) -> None:
    """List the organisms of a division with their assemblies, as Ensembl lists them now."""
    from refinebio_assets.pipelines.references.transcriptome_survey import genome_rows

    write_rows(genome_rows(the_web(), division), form)


def _facts(organism: str, genome: EnsemblGenome) -> dict[str, str]:
    return {
        "organism": organism,
        "taxonomy id": str(genome.taxonomy_id or ""),
        "division": genome.division,
        "release": str(genome.release),
        "assembly": genome.assembly,
        "genome": f"{genome.genome_url}{_size(genome.genome_size)}",
        "GTF": f"{genome.gtf_url}{_size(genome.gtf_size)}",
    }


def _size(size: int | None) -> str:
    return "" if size is None else f" ({size:,} bytes)"
