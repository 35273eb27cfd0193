"""Surveys ArrayExpress: an experiment with its samples, from its MAGE-TAB files.

The rules are refine.bio's, which had them from a JSON interface that is no more. Where the files come from
is in ``records``, what is a sample in ``samples``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import zip_longest

from refinebio_assets.domain import (
    DropKind,
    Dropped,
    Experiment,
    Metadata,
    Protocol,
    Publication,
    distinct,
    first_lines,
)
from refinebio_assets.errors import PermanentError
from refinebio_assets.sources.accessions import Archive, Kind, geo_twin, is_accession
from refinebio_assets.sources.arrayexpress import addresses
from refinebio_assets.sources.arrayexpress.mage_tab import Idf, Misfit, plain_name
from refinebio_assets.sources.arrayexpress.measurement import (
    ExperimentFacts,
    array_designs,
    is_sequenced,
    two_color_files,
)
from refinebio_assets.sources.arrayexpress.records import Records, fetch_records
from refinebio_assets.sources.arrayexpress.samples import STEP, read_samples
from refinebio_assets.sources.pubmed import find_publication
from refinebio_assets.sources.web.client import Web

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_OF_ANOTHER_ARCHIVE = re.compile(r"[A-Z]{2,}\d+")
_SECONDARY, _LINK = "Comment[SecondaryAccession]", "BioStudies link"
"""The keys under which a sequenced sample has the studies with its reads, by where they are told."""
_BETWEEN_AUTHORS = re.compile(r"\s*[,;]\s*(?:and\s+)?|\s+and\s+")
_BEFORE_DOI = re.compile(r"(?:https?://(?:dx\.)?doi\.org/|doi:)\s*", re.IGNORECASE)
_KEPT_OF_PERSONS = ("personaffiliation", "personroles")
_PERSONAL = re.compile(r"person|comment\[miamexpresslogin\]")
_REASONS_SHOWN = 3


def survey_arrayexpress(web: Web, accession: str) -> Experiment:
    """Return an experiment of ArrayExpress (``E-MTAB-3050``), its samples in the order of the SDRF.

    ``published`` and ``updated`` are the dates of release and of the last change; ``alternates`` the
    accession of GEO's original and others that the IDF and BioStudies name; ``metadata`` the IDF without the
    names and addresses of persons. Sequenced samples have no files, as their reads are at ENA; their metadata
    end with the accessions of the studies there. Rows that cannot be read, name no organism or no file that
    is offered are in ``left_out``.

    Raises PermanentError for what is no ArrayExpress accession, for an experiment without samples and one
    that names no array, NotFoundError for one that is unknown or private, FormatError for files that are no
    MAGE-TAB, TransientError when EBI or NCBI cannot be asked now.
    """
    if not is_accession(accession, Kind.ARRAY_EXPRESS):
        raise PermanentError(
            f"{accession!r} is not the accession of an ArrayExpress experiment, like E-MTAB-3050"
        )
    records = fetch_records(web, accession)
    alternates = _alternates(records)
    protocols = _protocols(records)
    samples, dropped = read_samples(records.rows, _facts(records), protocols)
    left_out = (*map(_unread, records.misfits), *dropped)
    if not samples:
        raise PermanentError(f"{accession} has no samples{_why(left_out)}")
    study, retired = records.study, records.retired
    return Experiment(
        accession=accession,
        source=Archive.ARRAY_EXPRESS.value,
        samples=samples,
        title=_title(records),
        description="\n".join(records.idf.values("experimentdescription"))
        or (study.description if study else retired.description),
        url=addresses.page(accession),
        alternates=alternates,
        published=_first_date(
            [*records.idf.values("publicreleasedate"), study.published if study else retired.published]
        ),
        updated=study.updated if study else _first_date([retired.updated]),
        institution=", ".join(distinct(records.idf.values("personaffiliation"))),
        publication=_publication(web, records.idf),
        protocols=protocols,
        metadata=_without_persons(records.idf.pairs),
        left_out=left_out,
    )


def _facts(records: Records) -> ExperimentFacts:
    if not records.rows:
        reasons = _why(tuple(map(_unread, records.misfits)))
        raise PermanentError(f"{records.accession} has no samples: its SDRF has no rows{reasons}")
    designs = array_designs(records.rows) or distinct(filter(None, records.retired.array_designs))
    if not designs and not any(is_sequenced([row]) for row in records.rows):
        raise PermanentError(
            f"{records.accession} names no array design (Array Design REF) and was not sequenced, so it is"
            " not known on what it was measured"
        )
    return ExperimentFacts(
        accession=records.accession,
        study=records.study,
        array_designs=tuple(designs),
        reads_at=_reads_at(records),
        two_color_files=two_color_files(records.rows),
    )


def _alternates(records: Records) -> tuple[str, ...]:
    """Return the accessions elsewhere, GEO's first; BioStudies' links may also be array designs or pages."""
    found = distinct([geo_twin(records.accession), *(text for _, text in _named_elsewhere(records))])
    return tuple(
        text
        for text in found
        if _OF_ANOTHER_ARCHIVE.fullmatch(text) or is_accession(text, Kind.ARRAY_EXPRESS)
    )


def _reads_at(records: Records) -> Metadata:
    """Return what is said of the studies that have the experiment's reads: ENA's, and its projects."""
    return tuple(
        (key, text)
        for key, text in _named_elsewhere(records)
        if is_accession(text, Kind.SRA_STUDY, Kind.BIOPROJECT)
    )


def _named_elsewhere(records: Records) -> Metadata:
    """Return what the experiment is said to be elsewhere, and what it links to, by where that is said."""
    named = [*records.idf.values(plain_name(_SECONDARY)), *records.retired.alternates]
    linked = records.study.links if records.study else ()
    return (*((_SECONDARY, text) for text in named), *((_LINK, text) for text in linked))


def _title(records: Records) -> str:
    """Return the title of the IDF; where that has none or several, the one of the archive's own record."""
    titles = records.idf.values("investigationtitle")
    archived = records.study.title if records.study else records.retired.title
    if len(titles) == 1 or not archived:
        return titles[0] if titles else ""
    return archived


def _protocols(records: Records) -> tuple[Protocol, ...]:
    """Return the protocols that have an accession and a text: the archive's own, else the IDF's."""
    return records.retired.protocols or tuple(_idf_protocols(records.idf, records.idf_url))


def _idf_protocols(idf: Idf, url: str) -> Iterable[Protocol]:
    columns = (idf.cells("protocolname"), idf.cells("protocoltype"), idf.cells("protocoldescription"))
    for accession, kind, text in zip_longest(*columns, fillvalue=""):
        if accession and text:
            yield Protocol(accession, kind, text, url)


def _publication(web: Web, idf: Idf) -> Publication:
    """Return the paper or papers, identifiers and titles joined; PubMed knows the first one's best."""
    ids = distinct(idf.values("pubmedid"))
    found = find_publication(web, ids[0]) if ids else Publication()
    authors = _BETWEEN_AUTHORS.split(next(iter(idf.values("publicationauthorlist")), ""))
    return Publication(
        pubmed_id=", ".join(ids),
        doi=", ".join(distinct(_BEFORE_DOI.sub("", doi) for doi in idf.values("publicationdoi")))
        or found.doi,
        title=found.title or "; ".join(distinct(idf.values("publicationtitle"))),
        authors=found.authors or tuple(name for name in authors if name),
    )


def _without_persons(pairs: Metadata) -> Metadata:
    """Leave out names, addresses and numbers of persons, which are personal data that nobody needs here."""
    return tuple(
        (key, value)
        for key, value in pairs
        if plain_name(key) in _KEPT_OF_PERSONS or not _PERSONAL.match(plain_name(key))
    )


def _unread(misfit: Misfit) -> Dropped:
    reason = f"its cells cannot be told apart: expected {misfit.expected}, found {misfit.found}"
    return Dropped(DropKind.SAMPLE, misfit.place, STEP, reason)


def _why(left_out: Sequence[Dropped]) -> str:
    """Return the first reasons for a message."""
    reasons = [f"{dropped.item}: {dropped.reason}" for dropped in left_out]
    return f" ({'; '.join(first_lines(reasons, _REASONS_SHOWN))})" if reasons else ""


def _first_date(texts: Iterable[str]) -> str:
    """Return the first date in ISO 8601, which a time may follow, or an empty text."""
    found = (match[0] for text in texts if (match := _DATE.match(text)))
    return next(found, "")
