"""The platform of an ArrayExpress experiment, from the accessions of its array designs.

An experiment without any array design is refused by the ArrayExpress client, not here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from refinebio_assets.domain import Platform, Technology, distinct
from refinebio_assets.platforms.microarrays import find_microarray, normalize_accession


def platform_of_array_designs(designs: Sequence[str]) -> tuple[Platform, Technology]:
    """Return the one platform that the designs (``A-AFFY-33``, repeats allowed) leave possible.

    One supported design is that array; one that is not supported keeps its accession, name and
    manufacturer unknown. Of several, or none, only ``source_accession`` is set (all of them, separated by
    comma and blank): the header of each CEL file decides later. The technology is always microarray.
    """
    given = distinct(design.strip() for design in designs if design.strip())
    if len(given) != 1:
        return Platform(source_accession=", ".join(given)), Technology.MICROARRAY
    code = normalize_accession(given[0])
    array = find_microarray(code) or Platform(accession=code)
    return replace(array, source_accession=given[0]), Technology.MICROARRAY
