"""The microarrays that refine.bio supports, and how each accession of theirs is resolved.

One row of ``tables/microarrays.tsv`` is one array: refine.bio's accession, the manufacturer, the name for
people (empty where the archive's own title serves), and every archive accession that means it. What a
GEO record or an SDRF says about its array is judged in ``geo_platform`` and ``array_design``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from refinebio_assets.domain import Manufacturer, Platform
from refinebio_assets.platforms.sequencers import names_a_sequencer
from refinebio_assets.platforms.tables_on_disk import table_rows

_REVISION_OF_ST_ARRAY = re.compile(r"stv\d$")
_GEO_ALIAS = re.compile(r"(?:GPL|A-GEOD-)(\d+)$", re.IGNORECASE)
_GENE_OR_EXON_ST = re.compile(r"(gene|ex)-?\d[_-]?\d-?st")
_NOT_IN_CHIP_NAMES = re.compile(r"[\W_]+")


@dataclass(frozen=True, slots=True)
class Microarray:
    """One supported array; ``name`` is empty where none is listed."""

    accession: str
    manufacturer: Manufacturer
    name: str
    source_accessions: tuple[str, ...]


@cache
def supported_microarrays() -> tuple[Microarray, ...]:
    """Return every supported array, in the table's order."""
    return tuple(
        Microarray(
            accession=row["accession"],
            manufacturer=Manufacturer(row["manufacturer"]),
            name=row["name"],
            source_accessions=tuple(row["source_accessions"].split()),
        )
        for row in table_rows("microarrays.tsv")
    )


def normalize_accession(accession: str) -> str:
    """Drop the revision of an ST array: ``ragene11stv1`` -> ``ragene11st``; all else stays as it is."""
    return _REVISION_OF_ST_ARRAY.sub("st", accession)


def microarray_row(accession: str) -> Microarray | None:
    """Return the array that an accession of any kind means (case-insensitive), or None."""
    return _by_accession().get(accession.lower())


def find_microarray(accession: str) -> Platform | None:
    """Return the array that ``accession`` means, or None when it is not a supported one.

    ``accession`` is GEO's (``GPL96``), ArrayExpress's (``A-AFFY-33``, ``A-GEOD-96``) or refine.bio's
    (``hgu133a``), in any case. ``Platform.source_accession`` is what was asked; ``Platform.name`` is
    refine.bio's accession where no name is listed (Illumina, ``HuEx-1_0-st``, ``clariomsmouseht``).
    """
    row = microarray_row(accession)
    return _as_platform(row, accession) if row else None


def find_by_chip_type(chip_type: str) -> Platform | None:
    """Return the array that a CEL file's header names (``HuEx-1_0-st-v2``), or None when unsupported."""
    row = _by_chip_type().get(_bare_chip_type(chip_type))
    return _as_platform(row, chip_type) if row else None


def takes_core_probes(accession: str) -> bool:
    """Tell whether SCAN's model takes an array's core probes only: R does so for gene and exon ST arrays.

    All other arrays give all their perfect matches, HTA 2.0 and Clariom among them. Source: SCAN.UPC 2.20.0
    and oligo 1.42.0, whose accessors of these designs have the target ``core``.
    """
    return _GENE_OR_EXON_ST.search(accession.lower()) is not None


def is_supported(accession: str) -> bool:
    """Tell whether this is a supported array, or a text that names a supported sequencer.

    Arrays are compared whole and without case; a sequencer's name may be a part of the text, and blanks
    do not count (``IlluminaHiSeq2000``).
    """
    return microarray_row(accession) is not None or names_a_sequencer(accession)


def _as_platform(row: Microarray, asked: str) -> Platform:
    return Platform(
        accession=row.accession,
        name=row.name or row.accession,
        manufacturer=row.manufacturer,
        source_accession=asked,
    )


@cache
def _by_accession() -> dict[str, Microarray]:
    found = {}
    for row in supported_microarrays():
        for accession in (row.accession, *row.source_accessions):
            for spelling in _spellings(accession):
                found[spelling.lower()] = row
    return found


def _spellings(accession: str) -> tuple[str, ...]:
    """ArrayExpress imported GEO's platforms under their numbers: GPL570 and A-GEOD-570 are one array."""
    match = _GEO_ALIAS.match(accession)
    return (f"GPL{match[1]}", f"A-GEOD-{match[1]}") if match else (accession,)


@cache
def _by_chip_type() -> dict[str, Microarray]:
    return {_bare_chip_type(row.accession): row for row in supported_microarrays()}


def _bare_chip_type(text: str) -> str:
    return normalize_accession(_NOT_IN_CHIP_NAMES.sub("", text).lower())
