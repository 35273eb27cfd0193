"""Searching: words, fields, filters, order, and facets that count samples once."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from refinebio_assets_tests.api.world import codes


def found(api: httpx.Client, query: str) -> list[str]:
    answer = api.get(f"/v1/search/?{query}")
    assert answer.status_code == 200, answer.text
    return codes(answer.json()["results"])


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("search=liver", ["SRP2"]),
        ("search=medusa", ["SRP4", "GSE1"]),
        ("search=medulloblastoma", ["GSE1", "SRP4"]),
        ("search=the", []),
        ("search=me", []),
        ("search=", []),
        ("search=curie", ["GSE1"]),
        ("search=GSE1", ["GSE1"]),
        ("search=E-GEOD-3", ["GSE3"]),
        ("search=accession_code:GSE1&search=alternate_accession_code:E-GEOD-3", ["GSE1", "GSE3"]),
        ("search=title:liver", ["SRP2"]),
        ("search=description:atlas", []),
        ("search=nothing_known:atlas", ["GSE3", "GSE1", "SRP2", "SRP4"]),
        ("search=liver&search=tumors", ["GSE1", "SRP2"]),
        ("search=Illumina HiSeq 2000", ["GSE3", "SRP2", "SRP4"]),
        ("search=Illumina", []),
        ("search=123456", ["GSE1"]),
        ("search=institute", ["SRP2"]),
        ("search=instit", []),
    ],
)
def test_words_find_experiments_best_first(api: httpx.Client, query: str, expected: list[str]) -> None:
    hits = found(api, query)
    assert sorted(hits) == sorted(expected)
    if len(expected) == 1 or "medu" in query:
        assert hits == expected


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("technology=microarray", ["GSE1"]),
        ("technology=MICROARRAY", []),
        ("has_publication=True", ["GSE1"]),
        ("organism=HOMO_SAPIENS&organism=DANIO_RERIO", ["GSE1", "GSE3", "SRP2", "SRP4"]),
        ("organism=HOMO_SAPIENS&technology=rna-seq", ["GSE3", "SRP2"]),
        ("platform=hgu133a", ["GSE1", "GSE3"]),
        ("downloadable_organism=DANIO_RERIO", []),
        ("num_downloadable_samples__gt=0", ["GSE1", "GSE3", "SRP2"]),
        ("num_processed_samples__range=1__2", ["GSE1", "SRP2"]),
        ("num_processed_samples__in=0__3", ["GSE3", "SRP4"]),
        ("num_processed_samples=x", []),
        ("accession_code__in=GSE1__SRP4", ["GSE1", "SRP4"]),
        ("accession_code__prefix=SRP&accession_code__endswith=4", ["SRP4"]),
        ("accession_code__wildcard=G*1", ["GSE1"]),
        ("accession_code__regexp=SRP[24]", ["SRP2", "SRP4"]),
        ("accession_code__exclude=GSE1__GSE3", ["SRP2", "SRP4"]),
        ("alternate_accession_code__exists=true", ["GSE1", "GSE3"]),
        ("alternate_accession_code__isnull=true", ["SRP2", "SRP4"]),
        ("organism__contains=RERIO", ["GSE3", "SRP4"]),
        ("is_public=true&num_total_samples=99", ["GSE1", "GSE3", "SRP2", "SRP4"]),
        ("technology=rna-seq&search=liver", ["SRP2"]),
        ("accession_code=%27%20OR%201=1--", []),
    ],
)
def test_filters_restrict_what_is_found(api: httpx.Client, query: str, expected: list[str]) -> None:
    assert sorted(found(api, query)) == expected


def test_the_order_is_chosen_or_by_number_of_samples(api: httpx.Client) -> None:
    assert found(api, "ordering=title") == ["GSE3", "SRP2", "GSE1", "SRP4"]
    assert found(api, "ordering=-title&limit=2&offset=1") == ["GSE1", "SRP2"]
    assert found(api, "ordering=-num_downloadable_samples&ordering=title") == ["GSE3", "SRP2", "GSE1", "SRP4"]
    assert found(api, "ordering=_score")[-1] == "SRP4"
    assert found(api, "ordering=-source_first_published")[0] == "SRP2"


def test_facets_count_each_downloadable_sample_once(api: httpx.Client) -> None:
    facets = api.get("/v1/search/").json()["facets"]
    assert facets == {
        "technology": {"rna-seq": 3, "microarray": 2},
        "downloadable_organism_names": {"HOMO_SAPIENS": 4},
        "platform_accession_codes": {"IlluminaHiSeq2000": 3, "hgu133a": 3},
        "has_publication": {"false": 3, "true": 2},
    }
    answer = api.get("/v1/search/?accession_code=SRP4&facet=technology_global").json()
    assert answer["facets"]["technology"] == {"rna-seq": 0}
    assert answer["facets"]["technology_global"] == facets["technology"]
    assert list(answer) == ["count", "next", "previous", "facets", "results"]


def test_filters_may_come_in_a_body(api: httpx.Client) -> None:
    answer = api.post("/v1/search/", json={"accession_code__in": ["GSE1__SRP2"], "has_publication": True})
    assert codes(answer.json()["results"]) == ["GSE1"]
    assert codes(api.post("/v1/search", content=b"").json()["results"]) == found(api, "")


@pytest.mark.parametrize("body", [{"search": None}, {"search": {"a": 1}}, {"search": [[1]]}])
def test_values_that_are_no_filter_are_refused(api: httpx.Client, body: Any) -> None:
    answer = api.post("/v1/search/", json=body)
    assert answer.status_code == 400
    assert answer.json()["error_type"] == "invalid_filters"
    assert "Invalid type <class" in answer.json()["message"]


@pytest.mark.parametrize("query", ["accession_code__regexp=(", "organism__regexp=["])
def test_a_pattern_that_cannot_be_read_is_refused(api: httpx.Client, query: str) -> None:
    assert api.get(f"/v1/search/?{query}").json()["error_type"] == "invalid"


def test_broken_json_is_refused(api: httpx.Client) -> None:
    for body in (b"{", b"[1", b"\xff\xfe", b'{"a": NaN}', b"[" * 100_000, b'{"search": "\\ud800"}'):
        assert api.post("/v1/search/", content=body).status_code == 400, body[:20]
