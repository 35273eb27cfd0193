"""A dataset's life from its start to its download, and when something is away meanwhile."""

from __future__ import annotations

import sqlite3
import zipfile
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit, urlunsplit

import httpx
import pytest

from refinebio_assets.api import building
from refinebio_assets.api.models.datasets import Dataset
from refinebio_assets.errors import StorageError
from refinebio_assets.lake.store import Lake
from refinebio_assets.pipelines.datasets.registry import registered_dataset
from refinebio_assets.pipelines.runs import Run
from refinebio_assets_tests.api.dataset_making import EMAIL, ZipBuilder, finished, make_study, post
from refinebio_assets_tests.api.serving import serving, wait_until, wait_until_ready


def test_a_dataset_lives_from_its_start_to_its_download(
    client: httpx.Client, key: dict[str, str], builder: ZipBuilder, lake: Lake
) -> None:
    builder.may_end.clear()
    body = {"data": {"STUDY": ["ALL"]}, "aggregate_by": "SPECIES", "start": True, **EMAIL}
    made = post(client, body, headers=key)
    assert (made["start"], made["is_processing"], made["is_processed"]) == (True, True, False)
    assert made["download_url"] is None
    path = f"/v1/dataset/{made['id']}/"
    request = registered_dataset(lake, made["id"]).request
    assert (request.samples, request.aggregate_by) == (["S1", "S2"], "SPECIES")
    assert client.put(path, json={"data": {}}).json()["error_type"] == "invalid_email"
    kept = client.put(path, json={"data": {"OTHER": ["ALL"]}, **EMAIL}).json()
    assert (kept["data"], kept["is_processing"]) == ({"STUDY": ["S1", "S2"]}, True)
    builder.may_end.set()
    found = finished(client, made["id"], key)
    Dataset.model_validate(found)
    assert (found["is_processed"], found["is_available"], found["success"]) == (True, True, True)
    assert found["expires_on"] > found["last_modified"]
    assert "download_url" not in client.get(path).json()
    over = client.put(path, json={"data": {}, **EMAIL})
    assert over.json()["message"] == "You may not update Datasets which have already been processed"
    answer = client.get(found["download_url"])
    assert answer.status_code == 200
    assert int(answer.headers["content-length"]) == found["size_in_bytes"] == len(answer.content)
    assert "content-encoding" not in answer.headers
    assert zipfile.ZipFile(BytesIO(answer.content)).namelist() == ["README.md"]
    _require_ranges(client, found["download_url"], answer)
    _require_refusal_of_other_links(client, found["download_url"])


def _require_ranges(client: httpx.Client, link: str, whole: httpx.Response) -> None:
    tag = whole.headers["etag"]
    part = client.get(link, headers={"Range": "bytes=10-19", "If-Range": tag})
    assert (part.status_code, part.content) == (206, whole.content[10:20])
    assert part.headers["content-range"] == f"bytes 10-19/{len(whole.content)}"
    changed = client.get(link, headers={"Range": "bytes=10-19", "If-Range": '"other"'})
    assert (changed.status_code, changed.content) == (200, whole.content)
    beyond = client.get(link, headers={"Range": f"bytes={len(whole.content)}-"})
    assert (beyond.status_code, beyond.headers["content-range"]) == (416, f"bytes */{len(whole.content)}")
    assert "No range of bytes=" in beyond.json()["detail"]
    for ignored in ("bytes=9-2", "bytes=a-b", "lines=0-1", "bytes"):
        answer = client.get(link, headers={"Range": ignored})
        assert (answer.status_code, answer.content) == (200, whole.content), ignored
    old = client.get(link, headers={"Range": f"bytes={len(whole.content)}-", "If-Range": '"other"'})
    assert (old.status_code, old.content) == (200, whole.content)
    assert client.get(link, headers={"If-None-Match": tag}).status_code == 304
    head = client.head(link, headers={"Range": "bytes=10-19"})
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == whole.headers["content-length"]


def _require_refusal_of_other_links(client: httpx.Client, link: str) -> None:
    parts = urlsplit(link)
    query = {name: values[0] for name, values in parse_qs(parts.query).items()}
    later = str(int(query["expires"]) + 1)
    for changed in (
        {**query, "expires": later},
        {**query, "signature": "0" * 64},
        {**query, "signature": "\u00e9"},
        {"expires": "1", "signature": query["signature"]},
        {},
    ):
        refused = client.get(urlunsplit(parts._replace(query="")), params=changed)
        assert refused.status_code == 403
        assert "link is not valid" in refused.json()["detail"]


def test_a_failed_dataset_says_why_and_may_be_started_again(
    client: httpx.Client, key: dict[str, str], builder: ZipBuilder
) -> None:
    builder.problem = "no gene is left"
    body = {"data": {"OTHER": ["ALL"]}, "start": True, **EMAIL}
    made = post(client, body, headers=key)
    found = finished(client, made["id"], key)
    assert (found["is_processed"], found["success"]) == (False, False)
    assert found["failure_reason"] == "no gene is left"
    builder.problem = ""
    again = client.put(f"/v1/dataset/{made['id']}/", json=body, headers=key).json()
    assert again["is_processing"] is True
    assert finished(client, made["id"], key)["success"] is True


def test_a_build_that_a_restart_interrupted_is_started_again(tmp_path: Path) -> None:
    lake = make_study(tmp_path)
    interrupted, second = ZipBuilder(lake), ZipBuilder(lake)
    interrupted.start = lambda dataset, done: None  # type: ignore[method-assign]  # it never ends
    with serving(lake, builder=interrupted) as client:
        wait_until_ready(client)
        key = {"API-KEY": client.post("/v1/token", json={"is_activated": True}).json()["id"]}
        made = post(client, {"data": {"STUDY": ["ALL"]}, "start": True, **EMAIL}, headers=key)
    with serving(lake, builder=second) as client:
        wait_until_ready(client)
        assert finished(client, made["id"], key)["success"] is True


class DeadDagster:
    """An instance whose storage is away."""

    def runs(self, jobs: Any) -> list[Run]:
        raise StorageError(f"cannot look up {jobs} at postgresql://user:password@host")


def test_a_dead_dagster_is_told_and_the_dataset_can_be_started_later(
    lake: Lake, key: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    body = {"data": {"STUDY": ["ALL"]}, "start": True, **EMAIL}
    with serving(lake, jobs=DeadDagster(), builder=ZipBuilder(lake)) as client:
        wait_until_ready(client)
        for answer in (client.get("/v1/jobs/survey/"), client.post("/v1/dataset/", json=body, headers=key)):
            assert answer.status_code == 503
            assert "password" not in answer.text
            assert int(answer.headers["retry-after"]) > 0
        assert client.get("/v1/samples/S1/").status_code == 200


class FullConnection(sqlite3.Connection):
    """SQLite on a disk that is full."""

    def execute(self, sql: str, *values: Any) -> Any:
        if sql.startswith(("INSERT", "UPDATE")):
            raise sqlite3.OperationalError("database or disk is full")
        return super().execute(sql, *values)


def fill_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    original = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", lambda *a, **k: original(*a, **k, factory=FullConnection))


def test_a_build_that_ends_while_the_disk_is_full_is_written_down_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    lake = make_study(tmp_path)
    builder = ZipBuilder(lake)
    builder.may_end.clear()
    monkeypatch.setattr(building, "SECONDS_TO_WRITE_AGAIN", 0.1)
    with serving(lake, builder=builder) as client:
        wait_until_ready(client)
        key = {"API-KEY": client.post("/v1/token", json={"is_activated": True}).json()["id"]}
        made = post(client, {"data": {"STUDY": ["ALL"]}, "start": True, **EMAIL}, headers=key)
        with monkeypatch.context() as full:
            fill_disk(full)
            builder.may_end.set()
            wait_until(lambda: "could not be written down yet" in caplog.text, "the end is noticed")
        assert finished(client, made["id"], key)["success"] is True


def test_a_full_disk_is_told_and_leaves_nothing_half_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake = make_study(tmp_path)
    with serving(lake) as client:
        wait_until_ready(client)
        made = post(client, {"data": {}})

        fill_disk(monkeypatch)
        answer = client.put(f"/v1/dataset/{made['id']}/", json={"data": {"STUDY": ["ALL"]}})
        assert answer.status_code == 503
        assert client.post("/v1/token/").status_code == 503
        monkeypatch.undo()
        assert client.get(f"/v1/dataset/{made['id']}/").json() == made
