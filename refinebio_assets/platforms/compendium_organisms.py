"""Which organisms' samples make one compendium: those of a genus, under the organism that stands for it.

``tables/compendium_organisms.tsv`` has one compendium a line, after refine.bio's documentation. An organism
that is not listed has a compendium of its own samples.
"""

from __future__ import annotations

from functools import cache

from refinebio_assets.domain import organism_name
from refinebio_assets.platforms.tables_on_disk import table_rows


def organisms_of_compendium(organism: str) -> tuple[str, ...]:
    """Return the organisms whose samples are in this organism's compendium, itself first."""
    primary = organism_name(organism)
    others = (name for name in _included().get(primary, ()) if name != primary)
    return (primary, *others)


@cache
def _included() -> dict[str, tuple[str, ...]]:
    return {
        row["primary_organism"]: tuple(row["included_organisms"].split(";"))
        for row in table_rows("compendium_organisms.tsv")
    }
