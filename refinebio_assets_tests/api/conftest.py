"""Small lakes that are served."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from refinebio_assets.lake.store import Lake
from refinebio_assets_tests.api.dataset_making import ZipBuilder, make_study
from refinebio_assets_tests.api.serving import serving, wait_until_ready
from refinebio_assets_tests.api.world import make_world


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """The small lake; tests do not change it."""
    return make_world(tmp_path_factory.mktemp("api"))


@pytest.fixture(scope="session")
def api(world: Lake) -> Iterator[httpx.Client]:
    """A client of the API on the small lake."""
    with serving(world) as client:
        wait_until_ready(client)
        yield client


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
