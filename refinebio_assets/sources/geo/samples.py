"""What a GSM record says of a sample: its platform, files, protocols, and why it is not for processing.

Submitters' names, e-mail and postal addresses and telephone numbers are personal data that nobody needs
here: of a record's contact lines only institute and country are kept.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from refinebio_assets.domain import (
    Manufacturer,
    Metadata,
    Platform,
    Protocol,
    Sample,
    Technology,
    distinct,
    organism_name,
)
from refinebio_assets.platforms.geo_platform import platform_of_gpl
from refinebio_assets.sources.geo import addresses
from refinebio_assets.sources.geo.files import OfferedFiles, files_of_sample
from refinebio_assets.sources.geo.soft import SoftEntity

PROTOCOLS = {
    "growth_protocol_ch1": "Growth protocol",
    "treatment_protocol_ch1": "Treatment protocol",
    "extract_protocol_ch1": "Extraction protocol",
    "label_protocol_ch1": "Label protocol",
    "hyb_protocol": "Hybridization protocol",
    "scan_protocol": "Scan protocol",
    "data_processing": "Data processing",
}
"""The protocols of a sample, in the order of the work, as refine.bio calls them."""

TWO_COLORS = "Two-color arrays are not processed."
_KEPT_OF_CONTACT = ("contact_institute", "contact_country")
_SEQUENCED_AT_SRA = "SRA"
_OF_RNA = re.compile(r"RNA|EST|OTHER", re.IGNORECASE)
_SRA_ACCESSION = re.compile(r"\b[SED]R[PXRS]\d+\b")
_BIOPROJECT = re.compile(r"\bPRJ[A-Z]{2}\d+\b")
_SRA_STUDY = re.compile(r"\b[SED]RP\d+\b")


@dataclass(frozen=True, slots=True)
class SeriesFacts:
    """What a sample's record needs to know of its series.

    ``raw_tables`` are addresses of tables of non-normalized intensities for all its samples, ``studies``
    where its reads are at SRA, ``platform_titles`` the titles of its platforms by accession.
    """

    accession: str
    raw_tables: tuple[str, ...]
    studies: tuple[str, ...]
    platform_titles: Mapping[str, str]


def read_sample(record: SoftEntity, series: SeriesFacts) -> Sample:
    """Return the sample that a GSM record describes; ``organism`` is empty when it names none.

    The platform is the sample's own. A CEL file makes it a microarray of Affymetrix, whatever the record
    says. Without one, a sample of two channels is excluded (the first names organism and taxonomy), and so
    is one that was sequenced: its reads are at SRA, and files that GEO has for it are not listed.
    """
    gpl = record.first("platform_id")
    platform, technology = platform_of_gpl(gpl, series.platform_titles.get(gpl, ""))
    offered = files_of_sample(
        record, platform.manufacturer, series=series.accession, raw_tables=series.raw_tables
    )
    if offered.has_cel:
        platform, technology = replace(platform, manufacturer=Manufacturer.AFFYMETRIX), Technology.MICROARRAY
    sequenced = not offered.has_cel and (
        technology == Technology.RNA_SEQ or record.first("type") == _SEQUENCED_AT_SRA
    )
    if sequenced:
        nothing = OfferedFiles((), has_raw=not record.first("data_processing"))
        return _sample(record, platform, technology, nothing, _why_at_sra(record, series))
    excluded = "" if offered.has_cel or _channels(record) < 2 else TWO_COLORS
    return _sample(record, platform, technology, offered, excluded)


def without_contact(pairs: Metadata) -> Metadata:
    """Return a record's attributes without those that say who submitted it, but for institute and country."""
    return tuple(
        (key, value) for key, value in pairs if not key.startswith("contact_") or key in _KEPT_OF_CONTACT
    )


def sra_studies(record: SoftEntity) -> list[str]:
    """Return the SRA studies and BioProjects that a record's relations name, studies first."""
    relations = " ".join(record.values("relation"))
    return distinct(_SRA_STUDY.findall(relations) + _BIOPROJECT.findall(relations))


def _sample(
    record: SoftEntity, platform: Platform, technology: Technology, offered: OfferedFiles, excluded: str
) -> Sample:
    taxonomy = record.first("taxid_ch1")
    return Sample(
        accession=record.name,
        organism=organism_name(record.first("organism_ch1")),
        technology=technology,
        platform=platform,
        files=offered.files,
        metadata=without_contact(record.pairs),
        title=record.first("title"),
        has_raw=offered.has_raw,
        taxonomy_id=int(taxonomy) if taxonomy.isascii() and taxonomy.isdigit() else None,
        protocols=tuple(_protocols(record)),
        excluded=excluded,
    )


def _channels(record: SoftEntity) -> int:
    count = record.first("channel_count")
    return int(count) if count.isascii() and count.isdigit() else 1


def _protocols(record: SoftEntity) -> Iterable[Protocol]:
    for key, kind in PROTOCOLS.items():
        text = "\n".join(value for name, value in record.pairs if name == key).strip()
        if text:
            yield Protocol(kind=kind, text=text, reference=addresses.page(record.name))


def _why_at_sra(record: SoftEntity, series: SeriesFacts) -> str:
    """Say why a sequenced sample is not processed as a GEO sample, and where it can be."""
    strategy = record.first("library_strategy")
    if strategy and not _OF_RNA.search(strategy):
        return f"It was sequenced, but not its RNA: its library is {strategy}."
    found = _SRA_ACCESSION.findall(" ".join(record.values("relation")))
    if not found:
        return "It is an RNA-seq sample, and its record does not say where at SRA its reads are."
    studies = [study for study in series.studies if _SRA_STUDY.match(study)] or list(series.studies)
    instead = " or ".join(studies or distinct(found))
    return f"Its reads are at SRA ({', '.join(distinct(found))}), not at GEO: process {instead} instead."
