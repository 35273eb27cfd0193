"""A running API on a small lake, asked over HTTP."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import uvicorn

from refinebio_assets.api.application import create_app
from refinebio_assets.api.building import DatasetBuilder
from refinebio_assets.api.holdings.keeping import Keeper
from refinebio_assets.api.job_source import JobSource, NoJobs
from refinebio_assets.api.services import make_services
from refinebio_assets.api.settings import ApiSettings
from refinebio_assets.api.state.database import Database
from refinebio_assets.lake.catalog import Catalog
from refinebio_assets.lake.store import Lake
from refinebio_assets_tests.defs.servers import free_port


@contextmanager
def serving(
    lake: Lake, *, jobs: JobSource | None = None, builder: DatasetBuilder | None = None, **settings: Any
) -> Iterator[httpx.Client]:
    """Serve a lake on a port of its own and yield a client."""
    catalog = Catalog(lake)
    options = ApiSettings(**{"requests_per_second": 0.0, **settings})
    sync_seconds = 0.0 if options.read_only else 0.2
    keeper = Keeper(catalog, lake.cache / "api", look_seconds=0.05, sync_seconds=sync_seconds)
    database = Database(Path(lake.url) / "api" / "state.sqlite")
    found = make_services(options, catalog, keeper, database, jobs=jobs or NoJobs(), builder=builder)
    app = create_app(found)
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None, access_log=False))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
            yield client
    finally:
        server.should_exit = True
        thread.join(timeout=10)


def wait_until_ready(client: httpx.Client) -> None:
    """Wait until the holdings are made."""
    wait_until(lambda: client.get("/health").status_code == 200, "the API is ready")


def wait_until(holds: Callable[[], bool], what: str, seconds: float = 60) -> None:
    """Wait until something holds; fail the test when that takes too long."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"waited {seconds:.0f} s in vain until {what}"
        time.sleep(0.05)


@contextmanager
def served_by_command(home: str, *options: str) -> Iterator[httpx.Client]:
    """Run `refinebio-assets api` on the lake in ``home`` in a process of its own; yield a client of it."""
    port = free_port()
    program = Path(sys.executable).with_name("refinebio-assets")
    words = [program, "--home", home, "api", "--port", str(port), *options]
    environment = {name: value for name, value in os.environ.items() if name != "DAGSTER_HOME"}
    server = subprocess.Popen(words, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
            wait_until(lambda: _is_ready(client), "the API is ready")
            yield client
    finally:
        server.send_signal(signal.SIGINT)
        assert server.wait(60) == 0


def _is_ready(client: httpx.Client) -> bool:
    try:
        return client.get("/health").status_code == 200
    except httpx.TransportError:
        return False
