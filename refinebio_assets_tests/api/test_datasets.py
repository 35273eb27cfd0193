"""Tokens and datasets: what is refused and in which words, and a dataset's life until its download."""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit, urlunsplit

import httpx
import pytest

from refinebio_assets.api.building import Built
from refinebio_assets.api.models.datasets import Dataset
from refinebio_assets.errors import StorageError
from refinebio_assets.lake.store import Lake
from refinebio_assets.pipelines.datasets.registry import registered_dataset
from refinebio_assets.pipelines.runs import Run
from refinebio_assets_tests.api.conftest import serving, wait_until, wait_until_ready
from refinebio_assets_tests.pipelines.study import Study

EMAIL = {"email_address": "someone@example.org"}


class ZipBuilder:
    """Stands for Dagster: commits a small zip as a dataset's bundle, or fails, when it is told to."""

    def __init__(self, lake: Lake) -> None:
        self.lake, self.problem = lake, ""
        self.may_end = threading.Event()
        self.may_end.set()

    def start(self, dataset: str, done: Callable[[Built], None]) -> None:
        threading.Thread(target=self._build, args=[dataset, done], daemon=True).start()

    def _build(self, dataset: str, done: Callable[[Built], None]) -> None:
        self.may_end.wait(30)
        if self.problem:
            done(Built(False, self.problem))
            return
        with self.lake.draft("dataset_bundle", dataset) as draft:
            with zipfile.ZipFile(draft.folder / f"{dataset}.zip", "w") as archive:
                archive.writestr("README.md", "x" * 5000)
            draft.commit(version="1", code_version="1", info={"file": f"{dataset}.zip"})
        done(Built(True))

    def stop(self) -> None:
        self.may_end.set()


def make_study(folder: Path) -> Lake:
    """Two processed experiments, one with a sample that failed, one that waits, and a target."""
    study = Study(folder)
    study.add_gene_map()
    for seed, name in enumerate(["S1", "S2", "S3"]):
        study.add_sample(name, seed)
    study.add_sample("T1", 7, experiment="OTHER")
    study.add_sample("W1", 8, experiment="WAITING")
    study.write("S3.sf", "nonsense\n")
    study.register()
    study.process("STUDY")
    study.process("OTHER")
    with study.lake.draft("target_quantiles", "DANIO_RERIO") as draft:
        (draft.folder / "target.tsv").write_text("1.0\n")
        draft.commit(version="target", code_version="1")
    study.catalog.sync()
    return study.lake


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    return make_study(tmp_path_factory.mktemp("datasets"))


@pytest.fixture(scope="module")
def builder(lake: Lake) -> ZipBuilder:
    return ZipBuilder(lake)


@pytest.fixture(scope="module")
def client(lake: Lake, builder: ZipBuilder) -> Iterator[httpx.Client]:
    with serving(lake, builder=builder, max_body_bytes=100_000) as found:
        wait_until_ready(found)
        yield found


@pytest.fixture(scope="module")
def key(client: httpx.Client) -> dict[str, str]:
    """The header of an active token."""
    token = client.post("/v1/token/", json={"email_address": None}).json()
    assert token["is_activated"] is False
    answer = client.put(f"/v1/token/{token['id']}/", json={"is_activated": True})
    assert answer.json()["is_activated"] is True
    return {"API-KEY": token["id"]}


def post(client: httpx.Client, body: Any, status: int = 201, **options: Any) -> dict[str, Any]:
    answer = client.post("/v1/dataset/", json=body, **options)
    assert answer.status_code == status, answer.text
    found: dict[str, Any] = answer.json()
    return found


def finished(client: httpx.Client, identity: str, key: dict[str, str]) -> dict[str, Any]:
    def is_done() -> bool:
        return client.get(f"/v1/dataset/{identity}/").json()["is_processing"] is False

    wait_until(is_done, "the dataset is built")
    found: dict[str, Any] = client.get(f"/v1/dataset/{identity}/", headers=key).json()
    return found


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


@pytest.mark.parametrize(
    ("body", "error_type", "message", "details"),
    [
        ({}, "required", "This field is required.", "data"),
        ({"data": None}, "null", "This field may not be null.", "data"),
        ({"data": {}, "aggregate_by": "X"}, "invalid_choice", '"X" is not a valid choice.', "aggregate_by"),
        ({"data": {}, "svd_algorithm": 5}, "invalid_choice", '"5" is not a valid choice.', "svd_algorithm"),
        ({"data": {}, "quant_sf_only": "x"}, "invalid", "Must be a valid boolean.", "quant_sf_only"),
        ({"data": {}, "email_address": "x"}, "invalid", "Enter a valid email address.", "email_address"),
        ({"data": []}, "invalid_data", "`data` must be a dict of lists.", None),
        ({"data": {}, "start": True}, "invalid_data", "`data` must contain at least one experiment.", None),
        (
            {"data": {"STUDY": "S1"}},
            "invalid_data",
            "`data` must be a dict of lists. Problem with `STUDY`",
            None,
        ),
        (
            {"data": {"STUDY": []}},
            "invalid_data",
            "`data` must be a dict of lists, each with one or more elements. Problem with `STUDY`",
            None,
        ),
        (
            {"data": {"STUDY": ["S1", "S1"]}},
            "invalid_data",
            "Duplicate values detected in ['S1', 'S1']",
            None,
        ),
        (
            {"data": {"NOPE": ["ALL"], "WAITING": ["ALL"]}},
            "invalid_data",
            "Experiment(s) in dataset have zero downloadable samples. See `details` for a full list",
            ["NOPE", "WAITING"],
        ),
        (
            {"data": {"STUDY": ["S1", "X1", "X2"]}},
            "invalid_data",
            "Sample(s) in dataset do not exist on refine.bio. See `details` for a full list",
            ["X1", "X2"],
        ),
        (
            {"data": {"STUDY": ["S1", "S3"]}},
            "invalid_data",
            "Non-downloadable sample(s) in dataset. See `details` for a full list",
            ["S3"],
        ),
        (
            {"data": {"STUDY": ["S1", "S3"]}, "quant_sf_only": True},
            "invalid_data",
            "Sample(s) in dataset are missing quant.sf files. See `details` for a full list",
            ["S3"],
        ),
        ([], "invalid", "Invalid data. Expected a dictionary, but got list.", "non_field_errors"),
    ],
)
def test_what_cannot_be_a_dataset_is_refused_in_known_words(
    client: httpx.Client, body: Any, error_type: str, message: str, details: Any
) -> None:
    assert post(client, body, 400) == {"error_type": error_type, "message": message, "details": details}


def test_starting_needs_an_active_token_and_an_address(client: httpx.Client, key: dict[str, str]) -> None:
    body: dict[str, Any] = {"data": {"STUDY": ["ALL"]}, "start": True}
    found = post(client, body, 400)
    assert (found["error_type"], found["message"]) == (
        "invalid_token",
        "You must provide an active API token ID",
    )
    found = post(client, body, 400, headers=key)
    assert (found["error_type"], found["details"]) == ("invalid_email", "")
    wrong = body | EMAIL | {"token_id": "0" * 32}
    assert post(client, wrong, 400, headers=key)["error_type"] == "invalid_token", "the body's counts"


def test_several_bad_fields_are_told_at_once(client: httpx.Client) -> None:
    found = post(client, {"data": {}, "scale_by": "X", "start": "perhaps"}, 400)
    assert found["error_type"] == "multiple_errors"
    assert [problem["details"] for problem in found["details"]] == ["scale_by", "start"]


def test_a_dataset_is_put_together_and_keeps_what_is_not_said_again(client: httpx.Client) -> None:
    made = post(client, {"data": {}, "scale_by": "MINMAX", "unknown": 1})
    Dataset.model_validate(made)
    assert "download_url" not in made
    path = f"/v1/dataset/{made['id']}"
    changed = client.put(path, json={"data": {"STUDY": ["ALL"]}, **EMAIL}).json()
    assert (changed["data"], changed["scale_by"], changed["has_email"]) == (
        {"STUDY": ["S1", "S2"]},
        "MINMAX",
        True,
    )
    assert client.get(f"{path}/").json() == changed
    details = client.get(f"{path}/?details=true").json()
    assert details["organism_samples"] == {"DANIO_RERIO": ["S1", "S2"]}
    assert details["experiments"][0]["accession_code"] == "STUDY"
    rows = client.get(f"/v1/samples/?dataset_id={made['id']}").json()["results"]
    assert [row["accession_code"] for row in rows] == ["S1", "S2"]
    assert client.put(path, json={"scale_by": "NONE"}).json()["error_type"] == "required"


def test_samples_of_all_depend_on_the_options(client: httpx.Client) -> None:
    whole = {"data": {"STUDY": ["ALL"], "OTHER": ["ALL"]}}
    for options in ({}, {"quant_sf_only": True}, {"quantile_normalize": False}):
        assert post(client, whole | options)["data"] == {"STUDY": ["S1", "S2"], "OTHER": ["T1"]}


@pytest.mark.parametrize("identity", ["nope", "0" * 32, "0b6d1d7e-61c1-4b0f-9b6a-6a1c3e0e9f00"])
def test_unknown_datasets_are_not_found_and_other_methods_not_allowed(
    client: httpx.Client, identity: str
) -> None:
    assert client.get(f"/v1/dataset/{identity}/").json() == {"detail": "Not found."}
    assert client.put(f"/v1/dataset/{identity}/", json={"data": {}}).status_code == 404
    assert client.get(f"/v1/samples/?dataset_id={identity}").status_code == 404
    for answer in (client.get("/v1/dataset/"), client.patch(f"/v1/dataset/{identity}/")):
        assert answer.status_code == 405


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
    assert client.get(link, headers={"Range": f"bytes={len(whole.content)}-"}).status_code == 416
    assert client.get(link, headers={"If-None-Match": tag}).status_code == 304
    head = client.head(link)
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


def test_what_the_build_would_refuse_is_refused_at_the_start(
    client: httpx.Client, key: dict[str, str]
) -> None:
    body = {"data": {"OTHER": ["S1"]}, "start": True, **EMAIL}
    found = post(client, body, 400, headers=key)
    assert (found["error_type"], found["details"]) == ("invalid_data", ["S1"])
    assert "S1 is no sample of OTHER but of STUDY" in found["message"]
    mixed = {"data": {"STUDY": ["ALL"]}, "quantile_normalize": False, "aggregate_by": "ALL", "start": True}
    assert "quantile normalization" in post(client, mixed | EMAIL, 400, headers=key)["message"]


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


def test_a_full_disk_is_told_and_leaves_nothing_half_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake = make_study(tmp_path)
    with serving(lake) as client:
        wait_until_ready(client)
        made = post(client, {"data": {}})

        class Full(sqlite3.Connection):
            def execute(self, sql: str, *values: Any) -> Any:
                if sql.startswith(("INSERT", "UPDATE")):
                    raise sqlite3.OperationalError("database or disk is full")
                return super().execute(sql, *values)

        original = sqlite3.connect
        monkeypatch.setattr(sqlite3, "connect", lambda *a, **k: original(*a, **k, factory=Full))
        answer = client.put(f"/v1/dataset/{made['id']}/", json={"data": {"STUDY": ["ALL"]}})
        assert answer.status_code == 503
        assert client.post("/v1/token/").status_code == 503
        monkeypatch.undo()
        assert client.get(f"/v1/dataset/{made['id']}/").json() == made


def test_without_a_catalog_or_with_a_damaged_one_the_answer_is_503(tmp_path: Path) -> None:
    with serving(Lake(str(tmp_path / "nothing")), read_only=True) as client:
        time.sleep(0.2)
        answer = client.get("/v1/samples/")
        assert answer.status_code == 503
        assert str(tmp_path) not in answer.text
        assert client.get("/health").status_code == 503
