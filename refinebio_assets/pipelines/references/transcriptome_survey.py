"""Finds an organism's genome in Ensembl, whatever its division, and registers it as its transcriptome.

Asking Ensembl is the work of ``sources.ensembl``, building the index that of ``transcriptome_index``.
"""

from __future__ import annotations

from refinebio_assets.domain import organism_name
from refinebio_assets.errors import NotFoundError
from refinebio_assets.lake.store import Lake
from refinebio_assets.pipelines.references.transcriptome_registry import (
    TranscriptomeInputs,
    register_transcriptome,
)
from refinebio_assets.platforms.strains import find_strain
from refinebio_assets.sources.ensembl.divisions import Division, find_division
from refinebio_assets.sources.ensembl.listing import list_species
from refinebio_assets.sources.ensembl.survey import EnsemblGenome, SkippedGenome, survey_ensembl
from refinebio_assets.sources.web.client import Web

SOURCE = "Ensembl"


def find_genome(web: Web, organism: str, division: str = "", release: int | None = None) -> EnsemblGenome:
    """Return the organism's genome from ``division``, or (empty) from the first division that has it.

    Ensembl proper comes first. A microbe for which a strain is chosen is looked for in the strain's
    division only. ``release`` None is the division's current one. Raises NotFoundError, with what was
    tried in each division and names that may be meant; RequestError for an unknown division;
    FormatError and TransientError when Ensembl does not answer as it should.
    """
    skipped: list[SkippedGenome] = []
    for place in [find_division(division)] if division else _divisions_of(organism):
        survey = survey_ensembl(web, place, organism, release)
        if survey.found:
            return survey.found[0]
        skipped += survey.skipped
    reasons = "\n".join(map(_explain, skipped))
    raise NotFoundError(f"Ensembl has no genome that can be used for {organism!r}:\n{reasons}")


def transcriptome_of(genome: EnsemblGenome, organism: str = "") -> TranscriptomeInputs:
    """Return the inputs of an index from a genome.

    ``organism`` is the name that samples have, where it is not the genome's own.
    """
    return TranscriptomeInputs(
        organism=organism_name(organism) or genome.organism,
        genome=genome.genome_url,
        gtf=genome.gtf_url,
        division=genome.division.value,
        release=str(genome.release),
        assembly=genome.assembly,
        source=SOURCE,
        taxonomy_id=genome.taxonomy_id,
    )


def register_genome(lake: Lake, genome: EnsemblGenome, organism: str = "") -> TranscriptomeInputs:
    """Register a genome as the transcriptome of its organism, or of ``organism``; return what was."""
    inputs = transcriptome_of(genome, organism)
    register_transcriptome(lake, inputs)
    return inputs


def genome_rows(web: Web, division: str) -> list[dict[str, str]]:
    """Return a row for each genome that a division lists, by name; no file was looked for.

    All values are texts, ids too; what Ensembl does not tell is empty.
    """
    listed = sorted(list_species(web, find_division(division)), key=lambda species: species.name)
    return [
        {
            "organism": species.name,
            "assembly": species.assembly,
            "taxonomy_id": str(species.taxonomy_id or ""),
            "name": next(iter(species.other_names), ""),
        }
        for species in listed
    ]


def _divisions_of(organism: str) -> list[Division]:
    strain = find_strain(organism)
    return [find_division(strain.division)] if strain else list(Division)


def _explain(skipped: SkippedGenome) -> str:
    lines = [f"  - {skipped.division}: {skipped.reason}", *(f"      {url}" for url in skipped.tried)]
    return "\n".join(lines)
