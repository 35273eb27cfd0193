"""Tells what kind of accession a text is, and which archive answers for it. Nothing is looked up here."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

SURVEY_VERSION = "1"
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


_KINDS = (
    (r"GSE\d+", Archive.GEO, Names.EXPERIMENT),
    (r"GSM\d+", Archive.GEO, Names.SAMPLE),
    (r"[SED]RP\d{6,}", Archive.SRA, Names.EXPERIMENT),
    (r"[SED]RR\d{6,}", Archive.SRA, Names.RUN),
    (r"[SED]RX\d{6,}", Archive.SRA, Names.RUN),
    (r"[SED]RS\d{6,}", Archive.SRA, Names.SAMPLE),
    (r"SAM(N|D|EA|EG)\d+", Archive.SRA, Names.SAMPLE),
    (r"PRJ(NA|EB|DB|DA|EA)\d+", Archive.SRA, Names.PROJECT),
    (r"E-[A-Z]{4}-\d+", Archive.ARRAY_EXPRESS, Names.EXPERIMENT),
)
KINDS = "GSE, GSM, SRP/ERP/DRP, SRR/ERR/DRR, SRX/ERX/DRX, PRJNA/PRJEB/PRJDB, SAMN/SAMEA/SAMD and E-XXXX-n"


def recognize(text: str) -> Accession | None:
    """Return the accession that ``text`` is, in any case and with blanks around it, or None."""
    canonical = text.strip().upper()
    for pattern, archive, names in _KINDS:
        if re.fullmatch(pattern, canonical, re.ASCII):
            return Accession(canonical, archive, names)
    return None


def geo_twin(accession: str) -> str:
    """Return the accession under which the other archive holds the same series, or an empty text.

    ArrayExpress imported GEO series: ``GSE123`` is ``E-GEOD-123``.
    """
    match = re.fullmatch(r"(GSE|E-GEOD-)(\d+)", accession, re.ASCII)
    if match is None:
        return ""
    return ("E-GEOD-" if match[1] == "GSE" else "GSE") + match[2]
