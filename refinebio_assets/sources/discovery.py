"""Asks the archives' search endpoints which experiments there are: accessions, titles, sizes, nothing more.

What an experiment is made of is told by its survey, later. Which searches are made, and which of what they
find is taken, is decided in ``pipelines/discovery.py``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from refinebio_assets.errors import NotFoundError, PermanentError, TransientError
from refinebio_assets.sources.accessions import Archive, Kind, is_accession, recognize
from refinebio_assets.sources.search_answers import SearchAnswer
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

    Raises FormatError for an answer that is none, PermanentError for a search that finds more than can be
    listed, TransientError when the archive cannot be asked now, or its list ends too early.
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
        answer = SearchAnswer.ask(web, ENA_SEARCH, parameters)
    except NotFoundError:
        if web.missing_from_mirror:
            raise
        return []
    rows = answer.records()
    if rows and not any("secondary_study_accession" in row for row in rows):
        raise answer.strange("runs with `secondary_study_accession`", rows[0], "record 1")
    studies: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
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
        result = SearchAnswer.ask(web, ESEARCH, parameters).part("esearchresult", "a result")
        ids, total = result.part("idlist", "a list of ids"), result.count("count")
        if not isinstance(ids.value, list):
            raise ids.strange("a list of ids", ids.value, "`idlist`")
        _refuse_too_many("GEO", wanted, total, MAX_PAGES * PAGE, "`platforms` or `since`")
        if not ids.value and page * PAGE < total:
            raise _ended_early(result, page * PAGE, total)
        yield from _summaries(web, [str(number) for number in ids.value])
        if (page + 1) * PAGE >= total:
            return


def _refuse_too_many(archive: str, wanted: Search, total: int, listed: int, narrower: str) -> None:
    if total > listed:
        raise PermanentError(
            f"a search of {archive} for {wanted.organism} finds {total:,} experiments, more than the "
            f"{listed:,} that can be listed: narrow it in the rules of discovery with {narrower}"
        )


def _ended_early(answer: SearchAnswer, listed: int, total: int) -> TransientError:
    return TransientError(f"{answer.url}: expected entry {listed + 1:,} of {total:,}, found an empty page")


def geo_term(wanted: Search) -> str:
    """Return a search in the language of NCBI's Entrez."""
    parts = [f'"{wanted.organism}"[ORGN]', "gse[ETYP]"]
    if wanted.platforms:
        parts.append("(" + " OR ".join(f"{platform}[ACCN]" for platform in wanted.platforms) + ")")
    if wanted.since:
        parts.append(f"{wanted.since.replace('-', '/')}:3000[PDAT]")
    return " AND ".join(parts)


def _summaries(web: Web, ids: Sequence[str]) -> Iterable[Hit]:
    """Yield the series of these ids; an id whose record NCBI has withdrawn since has no accession."""
    if not ids:
        return
    parameters = {"db": "gds", "id": ",".join(ids), "retmode": "json"}
    result = SearchAnswer.ask(web, ESUMMARY, parameters).part("result", "summaries")
    for number in ids:
        entry = result.part(number, "a summary")
        if not isinstance(entry.value, Mapping):
            raise entry.strange("an object", entry.value, f"`{number}`")
        accession = str(entry.value.get("accession") or "")
        if is_accession(accession, Kind.GEO_SERIES):
            told = {key: str(entry.value.get(key) or "") for key in ("title", "taxon", "pdat")}
            counted = entry.value.get("n_samples") not in (None, "")
            samples = entry.count("n_samples") if counted else None
            yield Hit(accession, told["title"], told["taxon"], samples, told["pdat"].replace("/", "-"))


def _search_array_express(web: Web, wanted: Search) -> Iterable[Hit]:
    """Search BioStudies' collection ArrayExpress by organism, newest first; it does not count samples.

    Sorted by date, as only then the total is exact. It knows no earliest date, so that with ``since`` more
    may be found than it lists.
    """
    for page in range(1, BIOSTUDIES_PAGES + 1):
        parameters = {
            "facet.organism": wanted.organism.lower(),
            "page": str(page),
            "pageSize": str(BIOSTUDIES_PAGE),
            "sortBy": "release_date",
            "sortOrder": "descending",
        }
        answer = SearchAnswer.ask(web, ARRAY_EXPRESS_SEARCH, parameters)
        hits, total = answer.part("hits", "a list of hits").records(), answer.count("totalHits")
        if not wanted.since:
            _refuse_too_many("ArrayExpress", wanted, total, BIOSTUDIES_PAGES * BIOSTUDIES_PAGE, "`since`")
        if not hits and (page - 1) * BIOSTUDIES_PAGE < total:
            raise _ended_early(answer, (page - 1) * BIOSTUDIES_PAGE, total)
        dates = [str(hit.get("release_date") or "") for hit in hits]
        for hit, published in zip(hits, dates, strict=True):
            accession = recognize(str(hit.get("accession") or ""))
            is_late = not published or published >= wanted.since
            if is_late and accession is not None and accession.archive is Archive.ARRAY_EXPRESS:
                yield Hit(accession.text, str(hit.get("title") or ""), wanted.organism, None, published)
        if page * BIOSTUDIES_PAGE >= total or (dates[-1] and dates[-1] < wanted.since):
            return
    _refuse_too_many("ArrayExpress", wanted, total, BIOSTUDIES_PAGES * BIOSTUDIES_PAGE, "a later `since`")
