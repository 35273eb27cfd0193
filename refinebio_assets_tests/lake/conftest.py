"""Lakes to test on: a local disk, a bucket in memory, and a bucket on a real S3-compatible server."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from refinebio_assets.lake.store import Lake

BUCKET = "lake-tests"


@pytest.fixture(scope="session")
def s3_bucket() -> Iterator[str]:
    """URL of an empty bucket on an S3 server on loopback, found through the environment alone."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    settings = {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        "AWS_ACCESS_KEY_ID": "dummy",
        "AWS_SECRET_ACCESS_KEY": "dummy",
        "AWS_DEFAULT_REGION": "us-east-1",
        "NO_PROXY": host,
    }
    before = {name: os.environ.get(name) for name in settings}
    os.environ.update(settings)
    import s3fs

    s3fs.S3FileSystem(skip_instance_cache=True).mkdir(BUCKET)
    yield f"s3://{BUCKET}"
    for name, value in before.items():
        if value is None:
            del os.environ[name]
        else:
            os.environ[name] = value
    server.stop()


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
