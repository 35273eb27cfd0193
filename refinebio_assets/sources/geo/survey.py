"""Surveys GEO: a series with its samples as one experiment, and the series that a sample is in.

The rules are refine.bio's. How samples are read is in ``samples``, their files in ``files``; what GEO
answers in ``family``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from refinebio_assets.domain import DropKind, Dropped, Experiment, Sample, distinct
from refinebio_assets.errors import NotFoundError, PermanentError
from refinebio_assets.sources.accessions import Archive, Kind, geo_twin, is_accession
from refinebio_assets.sources.geo import addresses
from refinebio_assets.sources.geo.family import Family, fetch_family, fetch_record
from refinebio_assets.sources.geo.files import raw_tables_of_series
from refinebio_assets.sources.geo.samples import SeriesFacts, read_sample, studies_in, without_contact
from refinebio_assets.sources.geo.soft import SoftEntity
from refinebio_assets.sources.pubmed import find_publication
from refinebio_assets.sources.web.client import Web

_DATE = re.compile(r"([A-Z][a-z]{2})[a-z]* +(\d{1,2}),? +(\d{4})")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_STEP = "survey"


def survey_geo(web: Web, accession: str) -> Experiment:
    """Return the experiment that a GEO series (``GSE12955``) is, with its samples in the order of GEO's file.

    ``description`` is the whole summary, a paragraph a line; ``published`` the date of submission, as
    refine.bio has it. ``alternates`` are the accession of ArrayExpress's copy, and the SRA studies and
    BioProjects of the sequenced part. ``metadata`` is the series' record without the submitter's name and
    address (see ``samples``); it tells of super- and subseries under ``relation``. A superseries has all
    samples of its subseries. Samples that the series lists and GEO gives no record of, and those without an
    organism, are in ``left_out``.

    Raises PermanentError for what is no GSE accession and for a series without samples, NotFoundError for
    one that is unknown, withdrawn or private, FormatError for a file that is not SOFT, TransientError when
    NCBI cannot be asked now.
    """
    _require(Kind.GEO_SERIES, accession, "a GEO series, like GSE12955")
    family = fetch_family(web, accession)
    if not family.samples:
        raise PermanentError(f"{accession} has no samples at GEO")
    read = _samples(web, family)
    if not any(sample.organism for sample in read):
        raise PermanentError(f"{accession}: none of its samples names an organism")
    series = family.series
    pubmed_id = series.first("pubmed_id")
    return Experiment(
        accession=accession,
        source=Archive.GEO.value,
        samples=tuple(sample for sample in read if sample.organism),
        title=series.first("title"),
        description="\n".join(value for key, value in series.pairs if key == "summary").strip(),
        url=addresses.page(accession),
        alternates=tuple(distinct([geo_twin(accession), *studies_in(" ".join(series.values("relation")))])),
        published=_iso_date(series.first("submission_date")),
        updated=_iso_date(series.first("last_update_date")),
        institution=", ".join(distinct(series.values("contact_institute"))),
        publication=find_publication(web, pubmed_id),
        metadata=without_contact(series.pairs),
        left_out=tuple(_left_out(series, read)),
    )


def find_series_of_sample(web: Web, accession: str) -> list[str]:
    """Return the series that a GEO sample (``GSM11805``) is in, in the order of its record; at least one.

    Raises PermanentError for what is no GSM accession, NotFoundError for a sample that is unknown, withdrawn
    or private, or in no public series, TransientError when NCBI cannot be asked now.
    """
    _require(Kind.GEO_SAMPLE, accession, "a GEO sample, like GSM11805")
    series = distinct(fetch_record(web, accession).values("series_id"))
    if not series:
        raise NotFoundError(f"{accession} is in no series of GEO")
    return series


def _require(kind: Kind, accession: str, expected: str) -> None:
    if not is_accession(accession, kind):
        raise PermanentError(f"{accession!r} is not the accession of {expected}")


def _samples(web: Web, family: Family) -> list[Sample]:
    series = family.series
    facts = SeriesFacts(
        accession=series.name,
        raw_tables=raw_tables_of_series(series),
        reads_at=tuple(value for value in series.values("relation") if studies_in(value)),
        platform_titles=_platform_titles(web, family),
    )
    return [read_sample(record, facts) for record in family.samples]


def _platform_titles(web: Web, family: Family) -> dict[str, str]:
    """Return the title of each platform of the samples; those that the family lacks are asked for."""
    titles = dict(family.platform_titles)
    for accession in distinct(record.first("platform_id") for record in family.samples):
        if accession and accession not in titles:
            titles[accession] = _title_of_platform(web, accession)
    return titles


def _title_of_platform(web: Web, accession: str) -> str:
    try:
        return fetch_record(web, accession).first("title")
    except NotFoundError:
        return ""


def _left_out(series: SoftEntity, read: list[Sample]) -> Iterable[Dropped]:
    known = {sample.accession for sample in read}
    listed = distinct(name for value in series.values("sample_id") for name in value.split())
    for name in listed:
        if name not in known:
            reason = f"{series.name} lists it, but GEO gives no record of it: it may be private or withdrawn"
            yield Dropped(DropKind.SAMPLE, name, _STEP, reason)
    for sample in read:
        if not sample.organism:
            yield Dropped(DropKind.SAMPLE, sample.accession, _STEP, "its record names no organism")


def _iso_date(text: str) -> str:
    """Return GEO's ``Jan 02 2010`` as ``2010-01-02``, empty when it is no such date."""
    match = _DATE.fullmatch(text)
    if match is None or match[1] not in _MONTHS:
        return ""
    return f"{match[3]}-{_MONTHS.index(match[1]) + 1:02}-{int(match[2]):02}"
