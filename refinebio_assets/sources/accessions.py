"""Tells what kind of accession a text is or contains, and which archive answers for it.

How accessions are spelled is known here alone. Nothing is looked up.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from refinebio_assets.domain import distinct

SURVEY_VERSION = "3"
"""Raise it when the same answers of an archive would give another record."""


class Archive(StrEnum):
    """The public archives that are surveyed; the values are ``Experiment.source``."""

    GEO = "GEO"
    SRA = "SRA"
    ARRAY_EXPRESS = "ARRAY_EXPRESS"


class Names(StrEnum):
    """What an accession names: an experiment, or something that belongs to one or more of them."""

    EXPERIMENT = "experiment"
    PROJECT = "project"
    SAMPLE = "sample"
    RUN = "run"


@dataclass(frozen=True, slots=True)
class Accession:
    """A recognized accession in its canonical spelling, with the archive that answers for it."""

    text: str
    archive: Archive
    names: Names


class Kind(StrEnum):
    """The kinds of accessions; the values are their patterns."""

    GEO_SERIES = r"GSE\d+"
    GEO_SAMPLE = r"GSM\d+"
    SRA_STUDY = r"[SED]RP\d{6,}"
    SRA_RUN = r"[SED]RR\d{6,}"
    SRA_EXPERIMENT = r"[SED]RX\d{6,}"
    SRA_SAMPLE = r"[SED]RS\d{6,}"
    BIOSAMPLE = r"SAM(?:N|D|EA|EG)\d+"
    BIOPROJECT = r"PRJ(?:NA|EB|DB|DA|EA)\d+"
    ARRAY_EXPRESS = r"E-[A-Z]{4}-\d+"


_MEANINGS = {
    Kind.GEO_SERIES: (Archive.GEO, Names.EXPERIMENT),
    Kind.GEO_SAMPLE: (Archive.GEO, Names.SAMPLE),
    Kind.SRA_STUDY: (Archive.SRA, Names.EXPERIMENT),
    Kind.SRA_RUN: (Archive.SRA, Names.RUN),
    Kind.SRA_EXPERIMENT: (Archive.SRA, Names.RUN),
    Kind.SRA_SAMPLE: (Archive.SRA, Names.SAMPLE),
    Kind.BIOSAMPLE: (Archive.SRA, Names.SAMPLE),
    Kind.BIOPROJECT: (Archive.SRA, Names.PROJECT),
    Kind.ARRAY_EXPRESS: (Archive.ARRAY_EXPRESS, Names.EXPERIMENT),
}
KINDS = "GSE, GSM, SRP/ERP/DRP, SRR/ERR/DRR, SRX/ERX/DRX, PRJNA/PRJEB/PRJDB, SAMN/SAMEA/SAMD and E-XXXX-n"


def recognize(text: str) -> Accession | None:
    """Return the accession that ``text`` is, in any case and with blanks around it, or None."""
    canonical = text.strip().upper()
    for kind, (archive, names) in _MEANINGS.items():
        if is_accession(canonical, kind):
            return Accession(canonical, archive, names)
    return None


def is_accession(text: str, *kinds: Kind) -> bool:
    """Tell whether the whole text is an accession of one of these kinds, in its canonical spelling."""
    return any(re.fullmatch(kind, text, re.ASCII) for kind in kinds)


def accessions_in(text: str, kind: Kind) -> list[str]:
    """Return the accessions of a kind that stand in a text as words of their own, in order, each once."""
    return distinct(re.findall(rf"(?<![\w-])(?:{kind})(?![\w-])", text, re.ASCII))


def geo_twin(accession: str) -> str:
    """Return the accession under which the other archive holds the same series, or an empty text.

    ArrayExpress imported GEO series: ``GSE123`` is ``E-GEOD-123``.
    """
    match = re.fullmatch(r"(GSE|E-GEOD-)(\d+)", accession, re.ASCII)
    if match is None:
        return ""
    return ("E-GEOD-" if match[1] == "GSE" else "GSE") + match[2]


def spellings(accession: str) -> list[str]:
    """Return the names under which something may be here: as given, as its archive writes it, its twin."""
    known = recognize(accession)
    canonical = known.text if known else accession
    return [name for name in distinct([accession, canonical, geo_twin(canonical)]) if name]
