"""Lakes to test on (a local disk, a bucket in memory, one on a real S3-compatible server), and a catalog."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import pytest

from refinebio_assets.lake.catalog import Catalog
from refinebio_assets.lake.store import Lake


@pytest.fixture
def local_lake(tmp_path: Path) -> Lake:
    return Lake(str(tmp_path / "lake"))


@pytest.fixture
def memory_lake(tmp_path: Path) -> Lake:
    return Lake(f"memory://lake-{uuid4().hex}", cache=tmp_path / "cache")


@pytest.fixture(params=["local", "memory", "s3"])
def open_lake(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[..., Lake]:
    """Open the test's lake; each call is another view of the same one, as other processes have."""
    if request.param == "local":
        return lambda **options: Lake(str(tmp_path / "lake"), **options)
    base = "memory:/" if request.param == "memory" else request.getfixturevalue("s3_bucket")
    url = f"{base}/lake-{uuid4().hex}"
    return lambda **options: Lake(url, **({"cache": tmp_path / "cache"} | options))


@pytest.fixture
def lake(open_lake: Callable[..., Lake]) -> Lake:
    return open_lake()


@pytest.fixture
def catalog(local_lake: Lake) -> Catalog:
    return Catalog(local_lake)
