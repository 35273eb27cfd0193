"""Searches of archives: strange answers are refused with URL, expected and found; too many hits at once."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlencode

import pytest

from refinebio_assets.errors import FormatError, PermanentError, TransientError
from refinebio_assets.sources.accessions import Archive
from refinebio_assets.sources.discovery import (
    ARRAY_EXPRESS_SEARCH,
    ENA_SEARCH,
    ESEARCH,
    ESUMMARY,
    Search,
    ena_query,
    geo_term,
    search,
)
from refinebio_assets.sources.web.settings import open_web

GEO = Search(Archive.GEO, "Danio rerio")
SRA = Search(Archive.SRA, "Danio rerio", 7955)
ARRAY_EXPRESS = Search(Archive.ARRAY_EXPRESS, "Danio rerio")


def esearch(page: int = 0) -> str:
    asked = {"db": "gds", "term": geo_term(GEO), "retmode": "json", "retstart": page * 200, "retmax": 200}
    return f"{ESEARCH}?{urlencode(asked)}"


def esummary(*ids: str) -> str:
    return f"{ESUMMARY}?{urlencode({'db': 'gds', 'id': ','.join(ids), 'retmode': 'json'})}"


def biostudies(page: int = 1) -> str:
    asked = {"facet.organism": "danio rerio", "page": page, "pageSize": 100}
    return (
        f"{ARRAY_EXPRESS_SEARCH}?{urlencode(asked | {'sortBy': 'release_date', 'sortOrder': 'descending'})}"
    )


def ena() -> str:
    fields = "secondary_study_accession,experiment_accession,study_title,scientific_name,first_public"
    asked = {"result": "read_run", "query": ena_query(SRA), "fields": fields, "format": "json", "limit": "0"}
    return f"{ENA_SEARCH}?{urlencode(asked)}"


def ids(*numbers: str, count: object) -> object:
    return {"esearchresult": {"count": count, "idlist": list(numbers)}}


Ask = Callable[..., list[str]]


@pytest.fixture
def ask(tmp_path: Path) -> Ask:
    """Search with the archives' answers given by URL, and return the accessions; text is a web page."""

    def find(wanted: Search, answers: dict[str, object]) -> list[str]:
        entries = []
        for number, (url, answer) in enumerate(answers.items()):
            page = isinstance(answer, str)
            (tmp_path / str(number)).write_text(answer if page else json.dumps(answer), encoding="utf-8")
            kind = "text/html" if page else "application/json"
            entry = {"method": "GET", "url": url, "status": 200, "content_type": kind, "body": str(number)}
            entries.append(json.dumps(entry) + "\n")
        (tmp_path / "index.jsonl").write_text("".join(entries), encoding="utf-8")
        with open_web({"REFINEBIO_MIRROR": str(tmp_path), "NCBI_API_KEY": "SECRET"}) as web:
            return [hit.accession for hit in search(web, wanted)]

    return find


@pytest.mark.parametrize(
    ("wanted", "url", "answer", "expected", "found"),
    [
        (ARRAY_EXPRESS, biostudies(), {"hits": [], "totalHits": "many"}, "a whole number", "'many'"),
        (ARRAY_EXPRESS, biostudies(), {"hits": [], "totalHits": -1}, "a whole number", "-1"),
        (ARRAY_EXPRESS, biostudies(), {"hits": []}, "a number under `totalHits`", "{'hits': []}"),
        (ARRAY_EXPRESS, biostudies(), {"totalHits": 0}, "a list of hits", "{'totalHits': 0}"),
        (ARRAY_EXPRESS, biostudies(), {"hits": ["E-MTAB-1"], "totalHits": 1}, "an object", "'E-MTAB-1'"),
        (ARRAY_EXPRESS, biostudies(), [], "a list of hits", "[]"),
        (GEO, esearch(), {"esearchresult": {"ERROR": "busy"}}, "a list of ids", "busy"),
        (GEO, esearch(), ids("1", count="about 5"), "a whole number", "'about 5'"),
        (GEO, esearch(), {"esearchresult": {"count": "1", "idlist": "1"}}, "a list of ids", "'1'"),
        (GEO, esearch(), {"error": "key SECRET"}, "esearchresult", "[api key]"),
        (SRA, ena(), {"message": "bad query"}, "a list of records", "bad query"),
        (SRA, ena(), ["SRR1"], "an object", "'SRR1'"),
        (SRA, ena(), [{"run_accession": "SRR1"}], "secondary_study_accession", "SRR1"),
    ],
)
def test_a_strange_answer_names_its_url_what_was_expected_and_what_was_found(
    ask: Ask, wanted: Search, url: str, answer: object, expected: str, found: str
) -> None:
    with pytest.raises(FormatError) as refused:
        ask(wanted, {url: answer})
    message = str(refused.value)
    assert message.startswith(url)
    assert f"expected {refused.value.expected}" in message
    assert expected in refused.value.expected
    assert found in refused.value.found
    assert "SECRET" not in message


@pytest.mark.parametrize(("wanted", "url"), [(GEO, esearch()), (SRA, ena()), (ARRAY_EXPRESS, biostudies())])
def test_a_web_page_in_place_of_an_answer_is_an_error_that_quotes_it(
    ask: Ask, wanted: Search, url: str
) -> None:
    with pytest.raises(PermanentError, match="Moved to another house"):
        ask(
            wanted,
            {url: "<html><title>Moved to another house</title><body>Moved to another house</body></html>"},
        )


def test_an_empty_list_is_a_search_that_finds_nothing(ask: Ask) -> None:
    assert ask(GEO, {esearch(): ids(count="0")}) == []
    assert ask(SRA, {ena(): []}) == []
    assert ask(ARRAY_EXPRESS, {biostudies(): {"hits": [], "totalHits": 0}}) == []


@pytest.mark.parametrize(
    ("wanted", "url", "answer", "total"),
    [
        (ARRAY_EXPRESS, biostudies(), {"hits": [], "totalHits": 20_001}, "20,001"),
        (GEO, esearch(), ids("1", count="100001"), "100,001"),
    ],
)
def test_more_than_can_be_listed_is_refused_after_the_first_page_with_what_narrows_it(
    ask: Ask, wanted: Search, url: str, answer: object, total: str
) -> None:
    with pytest.raises(PermanentError, match=f"finds {total} experiments.*`since`"):
        ask(wanted, {url: answer})


def test_the_newest_of_too_many_are_listed_when_an_earliest_date_is_given(ask: Ask) -> None:
    dates = ["2026-02-01", "2026-01-01", "2025-01-01"]
    hits = [{"accession": f"E-MTAB-{n}", "release_date": date} for n, date in enumerate(dates, start=1)]
    wanted = Search(Archive.ARRAY_EXPRESS, "Danio rerio", since="2026-01-01")
    assert ask(wanted, {biostudies(): {"hits": hits, "totalHits": 90_000}}) == ["E-MTAB-1", "E-MTAB-2"]


def test_a_list_that_ends_before_its_total_may_be_whole_later(ask: Ask) -> None:
    hits = [{"accession": f"E-MTAB-{n}", "release_date": "2026-01-01"} for n in range(1, 101)]
    answers = {biostudies(1): {"hits": hits, "totalHits": 150}, biostudies(2): {"hits": [], "totalHits": 150}}
    with pytest.raises(TransientError, match=r"page=2.*expected entry 101 of 150, found an empty page"):
        ask(ARRAY_EXPRESS, answers)


def test_half_of_the_summaries_is_an_error_and_a_withdrawn_series_is_none(ask: Ask) -> None:
    series = {"uid": "1", "accession": "GSE1", "title": "t", "n_samples": 3}
    withdrawn = {"uid": "2", "error": "cannot get document summary"}
    listed = {esearch(): ids("1", "2", count="2")}
    assert ask(GEO, listed | {esummary("1", "2"): {"result": {"1": series, "2": withdrawn}}}) == ["GSE1"]
    with pytest.raises(FormatError, match="a summary under `2`"):
        ask(GEO, listed | {esummary("1", "2"): {"result": {"1": series}}})
    with pytest.raises(FormatError, match="`n_samples`: expected a whole number, found 'three'"):
        ask(
            GEO,
            listed | {esummary("1", "2"): {"result": {"1": series | {"n_samples": "three"}, "2": withdrawn}}},
        )
