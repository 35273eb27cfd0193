from __future__ import annotations

from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from refinebio_assets.errors import PermanentError
from refinebio_assets.sources.web.urls import (
    https_url,
    normalized_url,
    shown_url,
    with_params,
    without_key,
)

hosts = st.from_regex(r"[a-z][a-z0-9]{0,8}(\.[a-z]{2,5}){1,2}", fullmatch=True)
texts = st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), max_size=8)
paths = st.lists(texts, max_size=4).map(lambda parts: "".join("/" + quote(part, safe="") for part in parts))
queries = st.lists(st.tuples(texts.filter(bool), texts), max_size=5)


def url_of(host: str, path: str, pairs: list[tuple[str, str]], scheme: str = "https") -> str:
    query = "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in pairs)
    return f"{scheme}://{host}{path}" + (f"?{query}" if query else "")


@settings(deadline=None)
@given(hosts, paths, queries)
def test_a_normalized_url_is_its_own_normal_form(host: str, path: str, pairs: list[tuple[str, str]]):
    once = normalized_url(url_of(host, path, pairs))
    assert normalized_url(once) == once


@settings(deadline=None)
@given(hosts, paths, queries, st.randoms())
def test_order_protocol_case_and_key_do_not_matter(host, path, pairs, random):
    shuffled = [*pairs, ("api_key", "secret")]
    random.shuffle(shuffled)
    other = url_of(host.upper(), path, shuffled, scheme="http")
    assert normalized_url(other) == normalized_url(url_of(host, path, pairs))
    assert "secret" not in normalized_url(url_of(host, "", [("api_key", "secret")]))


@settings(deadline=None)
@given(hosts, paths, queries, queries)
def test_different_queries_have_different_normal_forms(host, path, pairs, others):
    same = sorted(pairs) == sorted(others)
    known = [[pair for pair in each if pair[0] != "api_key"] for each in (pairs, others)]
    assert (normalized_url(url_of(host, path, known[0])) == normalized_url(url_of(host, path, known[1]))) == (
        same or sorted(known[0]) == sorted(known[1])
    )


@pytest.mark.parametrize(
    ("url", "normal"),
    [
        ("http://WWW.ebi.ac.uk:80", "https://www.ebi.ac.uk/"),
        ("https://host.org:8443/a#part", "https://host.org:8443/a"),
        ("https://me:pw@host.org/a", "https://host.org/a"),
        ("https://host.org/a%7eb/c%2Fd e", "https://host.org/a~b/c%2Fd%20e"),
        ("https://host.org/a?q=x+y&q=%20&empty", "https://host.org/a?empty=&q=%20&q=x%20y"),
        ("https://host.org/x?b=%FF", "https://host.org/x?b=%FF"),
        (
            "https://www.ebi.ac.uk/ena/data/view/S&display=xml",
            "https://www.ebi.ac.uk/ena/data/view/S&display=xml",
        ),
        ("http://[::1]:8080/a", "https://[::1]:8080/a"),
    ],
)
def test_urls_have_one_spelling(url: str, normal: str):
    assert normalized_url(url) == normal


@pytest.mark.parametrize(
    "host",
    [
        "ftp.ncbi.nlm.nih.gov",
        "ftp.ebi.ac.uk",
        "ftp.sra.ebi.ac.uk",
        "ftp.ensembl.org",
    ],
)
def test_ftp_of_the_archives_becomes_https(host: str):
    assert https_url(f"ftp://{host}/pub/a%20b.gz") == f"https://{host}/pub/a%20b.gz"
    assert https_url(f"ftp://anonymous:me@{host.upper()}:21/pub/a") == f"https://{host}/pub/a"
    assert https_url(f"http://{host}/pub/a") == f"http://{host}/pub/a"


def test_ftp_of_the_server_without_a_valid_certificate_becomes_http():
    assert https_url("ftp://ftp.ensemblgenomes.org/pub/a") == "http://ftp.ensemblgenomes.org/pub/a"


def test_who_asks_the_e_utilities_is_no_part_of_the_question_but_elsewhere_it_may_be():
    query = "?tool=refinebio&id=1&email=a@b.org&api_key=X"
    eutils = "https://eutils.ncbi.nlm.nih.gov/entrez/eutils/esummary.fcgi"
    assert normalized_url(eutils + query) == f"{eutils}?id=1"
    assert normalized_url(f"https://a.org/{query}") == "https://a.org/?email=a%40b.org&id=1&tool=refinebio"


@pytest.mark.parametrize(
    "url", ["ftp://example.org/a", "s3://bucket/a", "GSE1", "", "http:///a", "http://h:x/"]
)
def test_what_cannot_be_asked_is_refused(url: str):
    with pytest.raises(PermanentError):
        https_url(url)


def test_what_is_shown_has_no_key_and_no_password():
    url = "https://me:pw@eutils.ncbi.nlm.nih.gov/e?db=gds&api_key=SECRET&id=1"
    assert shown_url(url) == "https://eutils.ncbi.nlm.nih.gov/e?db=gds&id=1"
    assert without_key("https://a.org/b?api_key=SECRET") == "https://a.org/b"
    assert without_key("https://a.org/b?") == "https://a.org/b"


def test_parameters_join_a_query():
    assert with_params("https://a.org/b?c=1", {"d": "2 3"}) == "https://a.org/b?c=1&d=2+3"
    assert with_params("https://a.org/b", {"d": "é/"}) == "https://a.org/b?d=%C3%A9%2F"
    assert with_params("https://a.org/b", {}) == "https://a.org/b"
