"""Targets, compendia and computed files: what they say, and that links come with an active token only."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from refinebio_assets.api.models import files
from refinebio_assets.lake.catalog import Catalog
from refinebio_assets.lake.store import Lake
from refinebio_assets_tests.api.serving import serving, wait_until_ready
from refinebio_assets_tests.api.world import HUMAN, make_world


def commit_compendium(lake: Lake, asset: str, content: bytes) -> None:
    with lake.draft(asset, HUMAN) as draft:
        (draft.folder / f"{HUMAN}.zip").write_bytes(content)
        draft.commit(version=content.decode(), code_version="1")


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    lake = make_world(tmp_path_factory.mktemp("published"))
    commit_compendium(lake, "compendium_bundle", b"first")
    commit_compendium(lake, "compendium_bundle", b"second")
    commit_compendium(lake, "rnaseq_sample_compendium", b"quantfiles")
    Catalog(lake).sync()
    with serving(lake) as found:
        wait_until_ready(found)
        yield found


@pytest.fixture(scope="module")
def key(client: httpx.Client) -> dict[str, str]:
    return {"API-KEY": client.post("/v1/token/", json={"is_activated": True}).json()["id"]}


def get(client: httpx.Client, path: str, **options: Any) -> Any:
    answer = client.get(f"/v1/{path}", **options)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_organisms_with_a_target_are_listed_and_the_target_is_told_without_nulls(
    client: httpx.Client,
) -> None:
    assert get(client, "qn_targets") == [{"name": HUMAN, "taxonomy_id": 9606}]
    for path in (f"qn_targets/{HUMAN}", f"qn_targets/{HUMAN}/"):
        found = get(client, path)
        files.QNTarget.model_validate(found)
        assert None not in [value for name, value in found.items() if name != "result"]
        assert client.get(found["s3_url"]).text == "1.0\n2.0\n"
    assert client.get("/v1/qn_targets/DANIO_RERIO/").status_code == 404


def test_compendia_have_versions_and_the_latest_can_be_asked_for(client: httpx.Client) -> None:
    page = get(client, "compendia/")
    files.CompendiumPage.model_validate(page)
    versions = [(row["quant_sf_only"], row["compendium_version"]) for row in page["results"]]
    assert versions == [(False, 2), (False, 1), (True, 1)]
    latest = get(client, "compendia/?latest_version=False&quant_sf_only=False")["results"]
    assert [row["compendium_version"] for row in latest] == [2]
    assert get(client, f"compendia/{latest[0]['id']}") == latest[0]
    assert get(client, "compendia/?primary_organism__name=danio_rerio")["count"] == 0
    assert client.get("/v1/compendia/?compendium_version=True").status_code == 400
    organism = get(client, f"organisms/{HUMAN}/")
    assert (organism["has_compendia"], organism["has_quantfile_compendia"]) == (True, True)


def test_files_are_downloaded_with_a_link_that_an_active_token_shows(
    client: httpx.Client, key: dict[str, str]
) -> None:
    query = "compendia/?latest_version=True&quant_sf_only=False"
    assert "download_url" not in get(client, query)["results"][0]["computed_file"]
    file = get(client, query, headers=key)["results"][0]["computed_file"]
    assert client.get(file["download_url"]).content == b"second"
    detail = get(client, f"computed_files/{file['id']}/")
    files.ComputedFile.model_validate(detail)
    assert "download_url" not in detail, "the ancestor gives it away"
    (row,) = get(client, "samples/R1/")["computed_files"]
    detail = get(client, f"computed_files/{row}/", headers=key)
    files.ComputedFile.model_validate(detail)
    assert b"R1" in gzip.decompress(client.get(detail["download_url"]).content)
    shown = get(client, f"computational_results/{detail['result']['id']}/", headers=key)
    assert shown["files"][0]["download_url"].split("?")[0] == detail["download_url"].split("?")[0]
    assert "download_url" in get(client, "computed_files/", headers=key)["results"][0]


def test_a_file_that_is_lost_is_not_found(tmp_path: Path) -> None:
    lake = make_world(tmp_path)
    with serving(lake) as client:
        wait_until_ready(client)
        key = {"API-KEY": client.post("/v1/token/", json={"is_activated": True}).json()["id"]}
        (row,) = get(client, "samples/R1/")["computed_files"]
        link = get(client, f"computed_files/{row}/", headers=key)["download_url"]
        next((Path(lake.url) / "assets/sample_quantification/R1").rglob("quant.sf.gz")).unlink()
        assert client.get(link).json() == {"detail": "Not found."}
