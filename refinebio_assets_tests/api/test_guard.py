"""What protects the server and its clients: tokens, limits, logs, read-only mode."""

from __future__ import annotations

import logging
import re
import socket
import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from refinebio_assets.lake.catalog import Catalog
from refinebio_assets.lake.published import PublishedFiles
from refinebio_assets.lake.store import Lake
from refinebio_assets_tests.api.dataset_making import make_study
from refinebio_assets_tests.api.serving import serving, wait_until, wait_until_ready


def test_tokens_are_kept_as_hashes_only(client: httpx.Client, lake: Lake) -> None:
    token = client.post("/v1/token/").json()
    assert client.get(f"/v1/token/{token['id']}/").json() == token
    assert client.put(f"/v1/token/{token['id']}/", json={"is_activated": "x"}).status_code == 400
    with sqlite3.connect(Path(lake.url) / "api" / "state.sqlite") as state:
        hashes = [row[0] for row in state.execute("SELECT hash FROM tokens")]
        assert all(len(text) == 64 for text in hashes)
        assert token["id"] not in "".join(state.iterdump())
    for unknown in ("nope", "0" * 32, "%2e%2e"):
        assert client.get(f"/v1/token/{unknown}/").json() == {"detail": "Not found."}


def test_a_read_only_server_reads_and_writes_nothing(lake: Lake) -> None:
    with serving(lake, read_only=True) as client:
        wait_until_ready(client)
        assert client.get("/v1/samples/S1/").status_code == 200
        for answer in (
            client.post("/v1/token/"),
            client.post("/v1/dataset/", json={"data": {}}),
            client.put("/v1/dataset/x/", json={"data": {}}),
        ):
            assert (answer.status_code, answer.json()) == (403, {"detail": "This server is read-only."})


def test_secrets_are_in_no_log(
    client: httpx.Client, key: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, logger="refinebio_assets"):
        client.get(f"/v1/token/{key['API-KEY']}/")
        client.get("/v1/samples/?filter_by=private", headers=key)
        client.get("/v1/download/dataset/x/y?expires=9&signature=abc")
        wait_until(lambda: "/v1/download/" in caplog.text, "the log is written")
    assert "/v1/token/***/" in caplog.text
    for secret in (key["API-KEY"], "private", "signature"):
        assert secret not in "".join(record.getMessage() for record in caplog.records if "api" in record.name)


def test_bodies_and_rates_are_limited(client: httpx.Client, lake: Lake) -> None:
    large = client.post("/v1/dataset/", content=b"x" * 100_001)
    assert large.status_code == 413
    parts = client.post("/v1/dataset/", content=(b"y" * 1000 for _ in range(200)))
    assert parts.status_code == 413
    with serving(lake, requests_per_second=0.01, burst=3) as limited:
        answers = [limited.get("/v1/platforms") for _ in range(5)]
        assert [answer.status_code == 429 for answer in answers] == [False] * 3 + [True] * 2
        assert answers[-1].json()["detail"].startswith("Request was throttled. Expected available in ")
        assert 1 < int(answers[-1].headers["retry-after"]) <= 100


def test_without_a_catalog_or_with_a_damaged_one_the_answer_is_503(tmp_path: Path) -> None:
    with serving(Lake(str(tmp_path / "nothing")), read_only=True) as client:
        time.sleep(0.2)
        answer = client.get("/v1/samples/")
        assert answer.status_code == 503
        assert str(tmp_path) not in answer.text
        assert client.get("/health").status_code == 503


def test_a_server_that_starts_answers_from_what_an_earlier_one_left(tmp_path: Path) -> None:
    lake = make_study(tmp_path)
    with serving(lake) as client:
        wait_until_ready(client)
    published = PublishedFiles(Catalog(lake).folder)
    pointer = published.pointer()
    assert pointer is not None
    (published.folder / pointer.file).write_bytes(b"damaged")
    for left in (lake.cache / "api").glob("holdings-*"):
        left.rename(left.with_name(left.name.replace(pointer.sha256[:16], "0" * 16)))
    with serving(lake, read_only=True) as client:
        wait_until(lambda: client.get("/health").json()["state"] == "stale", "the damage is noticed")
        assert client.get("/v1/samples/S1/").status_code == 200


def test_holdings_that_another_server_removed_serve_on(world: Lake) -> None:
    with serving(world, read_only=True) as client:
        wait_until_ready(client)
        for left in (world.cache / "api").iterdir():
            left.unlink()
        with ThreadPoolExecutor(16) as pool:
            answers = list(pool.map(lambda _: client.get("/v1/samples/?limit=2"), range(32)))
        assert {answer.status_code for answer in answers} == {200}


def test_documents_that_cannot_be_read_any_more_are_made_again(tmp_path: Path) -> None:
    lake = make_study(tmp_path)
    with serving(lake, read_only=True) as client:
        wait_until_ready(client)
        for documents in (lake.cache / "api").glob("*.documents"):
            with documents.open("r+b") as stream:
                stream.write(bytes(documents.stat().st_size))
        assert client.get("/v1/samples/S1/").status_code == 503
        wait_until(lambda: client.get("/v1/samples/S1/").status_code == 200, "they are made again")


def test_pages_of_others_are_shown_refusals_too(world: Lake) -> None:
    origin = {"Origin": "https://example.org"}
    with serving(world, requests_per_second=0.01, burst=1, max_body_bytes=10) as client:
        answers = [client.post("/v1/search/", json={"search": "liver" * 3}, headers=origin) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [413, 429]
    for answer in answers:
        assert answer.headers["access-control-allow-origin"] == "*"
        assert answer.headers["x-source-revision"]


@pytest.mark.parametrize(
    "filters",
    [
        {"search": [f"liver{n}" for n in range(101)]},
        {"organism__contains": ["x"] * 101},
        {"accession_code": [f"GSE{n}" for n in range(1001)]},
        {"accession_code__in": "__".join("x" * 1001)},
        {"facet": ["technology_global"] * 1001},
    ],
)
def test_searches_that_would_keep_the_server_busy_are_refused(
    api: httpx.Client, filters: dict[str, Any]
) -> None:
    answer = api.post("/v1/search/", json=filters)
    assert (answer.status_code, answer.json()["error_type"]) == (400, "invalid_filters")


def test_half_a_request_is_no_error_of_the_server(
    api: httpx.Client, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, logger="refinebio_assets"):
        address = (api.base_url.host, api.base_url.port or 80)
        with socket.create_connection(address, timeout=10) as half:
            half.sendall(b"POST /v1/token/ HTTP/1.1\r\nHost: x\r\nContent-Length: 50\r\n\r\n{")
        wait_until(lambda: "POST /v1/token/ 400" in caplog.text, "the log is written")
    assert "ERROR" not in {record.levelname for record in caplog.records}


def test_the_documentation_loads_nothing_from_other_servers(api: httpx.Client) -> None:
    page = api.get("/docs").text
    files = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert len(files) == 3
    assert all(path.startswith("/") and api.get(path).status_code == 200 for path in files)
    assert "://" not in page


def test_a_head_is_answered_as_a_get_without_the_body(api: httpx.Client) -> None:
    for path in ("/v1/samples/A1/", "/v1/samples/A1", "/v1/search/", "/v2/versions/gene_expression/GSE1/"):
        head, whole = api.head(path), api.get(path)
        assert (head.status_code, head.content) == (200, b"")
        assert head.headers["content-length"] == whole.headers["content-length"]
    for path in ("/health", "/docs", "/openapi.json"):
        assert (api.head(path).status_code, api.head(path).content) == (200, b"")


def test_a_method_that_there_is_not_is_refused_with_those_that_there_are(api: httpx.Client) -> None:
    answer = api.delete("/v1/search/")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD, POST")
    assert api.patch("/v1/token/x/").headers["allow"] == "GET, HEAD, PUT"
    assert api.delete("/health").headers["allow"] == "GET, HEAD"
