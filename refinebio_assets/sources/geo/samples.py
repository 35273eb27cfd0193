"""What a GSM record says of a sample: its platform, files and protocols.

Which pipeline serves it, or why none does, is decided in ``platforms/pipeline_choice``.

Submitters' names, e-mail and postal addresses and telephone numbers are personal data that nobody needs
here: of a record's contact lines only institute and country are kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from refinebio_assets.domain import (
    Manufacturer,
    Metadata,
    Platform,
    Protocol,
    Sample,
    Technology,
    organism_name,
)
from refinebio_assets.platforms.geo_platform import platform_of_gpl
from refinebio_assets.sources.accessions import Kind, accessions_in
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

_KEPT_OF_CONTACT = ("contact_institute", "contact_country")
_SEQUENCED_AT_SRA = "SRA"
READS_OF_SERIES = "series_relation"
"""The key under which a sequenced sample has the relations of its series that name where its reads are."""


@dataclass(frozen=True, slots=True)
class SeriesFacts:
    """What a sample's record needs to know of its series.

    ``raw_tables`` are addresses of tables of non-normalized intensities for all its samples, ``reads_at``
    its relations that name SRA studies or BioProjects, ``platform_titles`` the titles of its platforms by
    accession.
    """

    accession: str
    raw_tables: tuple[str, ...]
    reads_at: tuple[str, ...]
    platform_titles: Mapping[str, str]


def read_sample(record: SoftEntity, series: SeriesFacts) -> Sample:
    """Return the sample that a GSM record describes; ``organism`` is empty when it names none.

    The platform is the sample's own, organism and taxonomy are those of the first channel. A CEL file makes
    it a microarray of Affymetrix, whatever the record says. Without one, a sample that was sequenced has its
    reads at SRA: its metadata end with the relations of its series that name the study
    (``READS_OF_SERIES``), and files that GEO has for it are not listed.
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
        sample = _sample(
            record, platform, technology, OfferedFiles((), has_raw=not record.first("data_processing"))
        )
        reads_at = tuple((READS_OF_SERIES, relation) for relation in series.reads_at)
        return replace(sample, metadata=(*sample.metadata, *reads_at))
    return _sample(record, platform, technology, offered)


def without_contact(pairs: Metadata) -> Metadata:
    """Return a record's attributes without those that say who submitted it, but for institute and country."""
    return tuple(
        (key, value) for key, value in pairs if not key.startswith("contact_") or key in _KEPT_OF_CONTACT
    )


def studies_in(relations: str) -> list[str]:
    """Return the SRA studies and BioProjects that a record's relations name, studies first."""
    return accessions_in(relations, Kind.SRA_STUDY) + accessions_in(relations, Kind.BIOPROJECT)


def _sample(record: SoftEntity, platform: Platform, technology: Technology, offered: OfferedFiles) -> Sample:
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
    )


def _protocols(record: SoftEntity) -> Iterable[Protocol]:
    for key, kind in PROTOCOLS.items():
        text = "\n".join(value for name, value in record.pairs if name == key).strip()
        if text:
            yield Protocol(kind=kind, text=text, reference=addresses.page(record.name))
