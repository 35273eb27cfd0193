"""Real servers for the tests: Postgres, and Dagster's webserver with its daemon."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

SECONDS_TO_START = 300


def free_port() -> int:
    """Return a port of the loopback interface that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_until(ready: Callable[[], bool], what: str, seconds: float = SECONDS_TO_START) -> None:
    """Wait until ``ready`` returns True; fail the test when that takes too long."""
    deadline = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > deadline:
            pytest.fail(f"{what} was not ready within {seconds:.0f} s")
        time.sleep(0.5)


class Postgres:
    """A Postgres server in a temporary folder, which can be stopped and started again."""

    def __init__(self, programs: Path, folder: Path) -> None:
        self._programs = programs
        self._folder = folder
        self._port = free_port()
        # Postgres refuses to run as root, and its user cannot enter pytest's folders.
        self._user: dict[str, Any] = {}
        if os.geteuid() == 0:
            self._user = {"user": "postgres", "group": "postgres"}
            shutil.chown(folder, "postgres", "postgres")
        self.url = f"postgresql://tester@127.0.0.1:{self._port}/postgres"
        self._process: subprocess.Popen[bytes] | None = None
        where = ["-D", folder / "data", "-U", "tester", "-A", "trust", "--no-sync"]
        self._run("initdb", *where, check=True)

    def start(self) -> None:
        """Start the server and wait until it takes connections."""
        options = ["-D", self._folder / "data", "-p", str(self._port), "-k", self._folder, "-c", "fsync=off"]
        self._process = subprocess.Popen(
            [self._programs / "postgres", *options, "-c", "listen_addresses=127.0.0.1"],
            cwd=self._folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            **self._user,
        )
        where = ["-h", "127.0.0.1", "-p", str(self._port)]
        wait_until(lambda: self._run("pg_isready", *where).returncode == 0, "Postgres")

    def stop(self) -> None:
        """Stop the server at once; connections are cut."""
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)
            self._process.wait(60)
            self._process = None

    def _run(self, program: str, *options: str | Path, check: bool = False) -> Any:
        command = [self._programs / program, *options]
        return subprocess.run(command, check=check, capture_output=True, cwd=self._folder, **self._user)


@contextmanager
def postgres_server() -> Iterator[Postgres]:
    """Run a Postgres server; skip where none is installed."""
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    if not programs:
        pytest.skip("no Postgres server is installed: apt-get install postgresql")
    folder = Path(tempfile.mkdtemp(prefix="postgres-"))
    server = Postgres(programs[-1], folder)
    try:
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def postgres() -> Iterator[str]:
    """Run a Postgres server and yield its URL; skip where none is installed."""
    with postgres_server() as server:
        yield server.url


@contextmanager
def redis() -> Iterator[str]:
    """Run a Redis server on loopback and yield its URL; skip where none is installed."""
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("no Redis server is installed: apt-get install redis-server")
    port = free_port()
    command = [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    with tempfile.TemporaryDirectory(prefix="redis-") as folder:
        server = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL)
        try:
            wait_until(lambda: is_listening(port), "Redis")
            yield f"redis://127.0.0.1:{port}/0"
        finally:
            server.kill()
            server.wait()


def is_listening(port: int) -> bool:
    """Tell whether somebody listens on a port of the loopback interface."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


class Ui:
    """Dagster's webserver and daemon, talked to as the UI in a browser does: through GraphQL."""

    def __init__(self, url: str, process: int | None = None) -> None:
        self.url = url
        self.process = process
        """The id of the process ``refinebio-assets ui``, where that serves it."""

    def ask(self, query: str, **variables: Any) -> Mapping[str, Any]:
        """Return the data that a GraphQL query or mutation gives."""
        body = json.dumps({"query": query, "variables": variables}).encode()
        request = urllib.request.Request(f"{self.url}/graphql", body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=60) as answer:
            content = json.load(answer)
        assert "errors" not in content, content
        data: Mapping[str, Any] = content["data"]
        return data

    def is_up(self) -> bool:
        """Tell whether the webserver answers."""
        try:
            with urllib.request.urlopen(f"{self.url}/server_info", timeout=5):
                return True
        except (urllib.error.URLError, OSError):
            return False


@contextmanager
def dagster_ui(folder: Path, env: Mapping[str, str]) -> Iterator[Ui]:
    """Run ``refinebio-assets ui`` in ``folder`` and yield it once it answers."""
    port = free_port()
    command = [sys.executable, "-m", "refinebio_assets.cli.main", "ui", "--port", str(port)]
    with (
        (folder / "ui.log").open("wb") as log,
        subprocess.Popen(
            command, cwd=folder, env=dict(env), stdout=log, stderr=subprocess.STDOUT, start_new_session=True
        ) as process,
    ):
        try:
            wait_until(lambda: b"UI: " in (folder / "ui.log").read_bytes(), "the UI")
            yield Ui(f"http://127.0.0.1:{port}", process.pid)
        finally:
            process.terminate()
            try:
                process.wait(60)
            finally:
                process.kill()
