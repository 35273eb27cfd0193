"""Which strain and assembly stands for a microbe of which Ensembl holds many genomes.

``tables/microbial_strains.tsv`` has one organism a line. Finding the assembly in Ensembl is the work of
Ensembl's client.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from refinebio_assets.domain import organism_name
from refinebio_assets.platforms.tables_on_disk import table_rows


@dataclass(frozen=True, slots=True)
class Strain:
    """The genome that stands for ``organism`` (``CANDIDA_ALBICANS``).

    ``division`` is Ensembl's (``EnsemblFungi``), ``taxonomy_id`` NCBI's of the species.
    """

    organism: str
    strain: str
    assembly: str
    division: str
    taxonomy_id: int


def find_strain(organism: str) -> Strain | None:
    """Return the strain that stands for an organism (any case, blanks or ``_``), or None."""
    return _by_organism().get(organism_name(organism))


@cache
def _by_organism() -> dict[str, Strain]:
    return {
        row["organism"]: Strain(
            organism=row["organism"],
            strain=row["strain"],
            assembly=row["assembly"],
            division=row["ensembl_division"],
            taxonomy_id=int(row["species_taxonomy_id"]),
        )
        for row in table_rows("microbial_strains.tsv")
    }
