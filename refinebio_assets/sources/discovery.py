"""Asks the archives' search endpoints which experiments there are: accessions, titles, sizes, nothing more.

What an experiment is made of is told by its survey, later. Which searches are made, and which of what they
find is taken, is decided in ``pipelines/discovery.py``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from refinebio_assets.errors import NotFoundError, PermanentError
from refinebio_assets.sources.accessions import Archive, Kind, is_accession, recognize
from refinebio_assets.sources.web.client import Web

ENA_SEARCH = "https://www.ebi.ac.uk/ena/portal/api/search"
ESEARCH = "https://eutils.ncbi.nlm.nih.gov/entrez/eutils/esearch.fcgi"
ESUMMARY = "https://eutils.ncbi.nlm.nih.gov/entrez/eutils/esummary.fcgi"
ARRAY_EXPRESS_SEARCH = "https://www.ebi.ac.uk/biostudies/api/v1/arrayexpress/search"
PAGE = 200
"""Entries a page; NCBI refuses longer lists of ids in a GET."""

MAX_PAGES = 500
"""A hundred thousand series: a search that finds more is to be narrowed."""

BIOSTUDIES_PAGE = 100
"""BioStudies gives no more a page, whatever it is asked for."""

BIOSTUDIES_PAGES = 200
"""BioStudies answers pages beyond the first 20,000 hits with status 500."""


@dataclass(frozen=True, slots=True)
class Search:
    """One search of one archive. ``platforms`` are GPL accessions at GEO, instrument platforms at SRA.

    ``organism`` is a scientific name, ``taxonomy_id`` NCBI's number of it (needed for SRA), ``since`` a date
    as ``2026-01-31``, or empty.
    """

    archive: Archive
    organism: str
    taxonomy_id: int = 0
    platforms: tuple[str, ...] = ()
    strategies: tuple[str, ...] = ("RNA-Seq",)
    since: str = ""


@dataclass(frozen=True, slots=True)
class Hit:
    """An experiment that a search found; ``samples`` is None where the archive does not count them."""

    accession: str
    title: str
    organism: str
    samples: int | None
    published: str


def search(web: Web, wanted: Search) -> list[Hit]:
    """Return what an archive has, sorted by accession, each experiment once.

    Raises PermanentError for an answer that is none, TransientError when the archive cannot be asked now.
    """
    ask = {
        Archive.SRA: _search_ena,
        Archive.GEO: _search_geo,
        Archive.ARRAY_EXPRESS: _search_array_express,
    }[wanted.archive]
    hits = {hit.accession: hit for hit in ask(web, wanted)}
    return sorted(hits.values(), key=lambda hit: (len(hit.accession), hit.accession))


def _search_ena(web: Web, wanted: Search) -> Iterable[Hit]:
    """Search ENA's runs, which mirror SRA's, and count them by study: one experiment accession a sample."""
    parameters = {
        "result": "read_run",
        "query": ena_query(wanted),
        "fields": "secondary_study_accession,experiment_accession,study_title,scientific_name,first_public",
        "format": "json",
        "limit": "0",
    }
    try:
        rows = web.json(ENA_SEARCH, params=parameters)
    except NotFoundError:
        if web.missing_from_mirror:
            raise
        return []
    studies: dict[str, list[Mapping[str, Any]]] = {}
    for row in _objects(rows or [], ENA_SEARCH):
        accession = str(row.get("secondary_study_accession") or "")
        if is_accession(accession, Kind.SRA_STUDY):
            studies.setdefault(accession, []).append(row)
    return [_study_hit(accession, runs) for accession, runs in studies.items()]


def ena_query(wanted: Search) -> str:
    """Return a search in ENA's query language."""
    parts = [f"tax_eq({wanted.taxonomy_id})", _any("library_strategy", wanted.strategies)]
    parts += [_any("instrument_platform", wanted.platforms)] if wanted.platforms else []
    parts += [f"first_public>={wanted.since}"] if wanted.since else []
    return " AND ".join(parts)


def _any(field: str, values: Sequence[str]) -> str:
    said = " OR ".join(f'{field}="{value}"' for value in values)
    return f"({said})" if len(values) > 1 else said


def _study_hit(accession: str, runs: Sequence[Mapping[str, Any]]) -> Hit:
    experiments = {str(run.get("experiment_accession")) for run in runs}
    organisms = {str(run.get("scientific_name") or "") for run in runs}
    published = min(str(run.get("first_public") or "") for run in runs)
    title = str(runs[0].get("study_title") or "")
    return Hit(accession, title, ", ".join(sorted(organisms)), len(experiments), published)


def _search_geo(web: Web, wanted: Search) -> Iterable[Hit]:
    """Search NCBI's database of GEO series, page by page, and read the summaries of what is found."""
    for page in range(MAX_PAGES):
        parameters = {
            "db": "gds",
            "term": geo_term(wanted),
            "retmode": "json",
            "retstart": str(page * PAGE),
            "retmax": str(PAGE),
        }
        answer = web.json(ESEARCH, params=parameters)
        result = answer.get("esearchresult") if isinstance(answer, Mapping) else None
        if not isinstance(result, Mapping) or "idlist" not in result:
            raise PermanentError(f"{ESEARCH} gave no list of ids: {web.discreet(str(answer))[:200]}")
        ids = [str(number) for number in result["idlist"]]
        if ids:
            yield from _summaries(web, ids)
        if (page + 1) * PAGE >= int(result.get("count") or 0):
            return
    raise PermanentError(f"a search of GEO for {wanted.organism} finds more than {MAX_PAGES * PAGE:,} series")


def geo_term(wanted: Search) -> str:
    """Return a search in the language of NCBI's Entrez."""
    parts = [f'"{wanted.organism}"[ORGN]', "gse[ETYP]"]
    if wanted.platforms:
        parts.append("(" + " OR ".join(f"{platform}[ACCN]" for platform in wanted.platforms) + ")")
    if wanted.since:
        parts.append(f"{wanted.since.replace('-', '/')}:3000[PDAT]")
    return " AND ".join(parts)


def _summaries(web: Web, ids: Sequence[str]) -> Iterable[Hit]:
    answer = web.json(ESUMMARY, params={"db": "gds", "id": ",".join(ids), "retmode": "json"})
    result = answer.get("result") if isinstance(answer, Mapping) else None
    if not isinstance(result, Mapping):
        raise PermanentError(f"{ESUMMARY} gave no summaries: {web.discreet(str(answer))[:200]}")
    for number in ids:
        entry = result.get(number)
        accession = str(entry.get("accession") or "") if isinstance(entry, Mapping) else ""
        if isinstance(entry, Mapping) and is_accession(accession, Kind.GEO_SERIES):
            published = str(entry.get("pdat") or "").replace("/", "-")
            samples = int(entry["n_samples"]) if entry.get("n_samples") not in (None, "") else None
            yield Hit(
                accession, str(entry.get("title") or ""), str(entry.get("taxon") or ""), samples, published
            )


def _search_array_express(web: Web, wanted: Search) -> Iterable[Hit]:
    """Search BioStudies' collection ArrayExpress by organism, newest first; it does not count samples.

    Sorted by date, as only then the total is exact. Raises PermanentError when it finds more than it lists.
    """
    for page in range(1, BIOSTUDIES_PAGES + 1):
        parameters = {
            "facet.organism": wanted.organism.lower(),
            "page": str(page),
            "pageSize": str(BIOSTUDIES_PAGE),
            "sortBy": "release_date",
            "sortOrder": "descending",
        }
        answer = web.json(ARRAY_EXPRESS_SEARCH, params=parameters)
        if not isinstance(answer, Mapping) or "hits" not in answer:
            raise PermanentError(f"{ARRAY_EXPRESS_SEARCH} gave no hits: {str(answer)[:200]}")
        hits = _objects(answer["hits"] or [], ARRAY_EXPRESS_SEARCH)
        dates = [str(hit.get("release_date") or "") for hit in hits]
        for hit, published in zip(hits, dates, strict=True):
            accession = recognize(str(hit.get("accession") or ""))
            if (
                accession is not None
                and accession.archive is Archive.ARRAY_EXPRESS
                and published >= wanted.since
            ):
                yield Hit(accession.text, str(hit.get("title") or ""), wanted.organism, None, published)
        is_last = page * BIOSTUDIES_PAGE >= int(answer.get("totalHits") or 0)
        if not hits or is_last or (dates[-1] and dates[-1] < wanted.since):
            return
    listed = BIOSTUDIES_PAGES * BIOSTUDIES_PAGE
    raise PermanentError(
        f"a search of ArrayExpress for {wanted.organism} finds more than the {listed:,} that it lists: "
        "give `since`"
    )


def _objects(rows: Any, url: str) -> list[Mapping[str, Any]]:
    if not isinstance(rows, list) or not all(isinstance(row, Mapping) for row in rows):
        raise PermanentError(f"{url} answered {str(rows)[:200]!r}, not a list of records")
    return rows
