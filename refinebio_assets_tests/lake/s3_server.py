"""A real S3-compatible server on loopback; the top conftest offers its fixture to all tests."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

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
