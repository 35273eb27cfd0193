"""A deployment as an operator makes it: code server, webserver and daemon, each a process of its own."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml

from refinebio_assets_tests.conftest import REPOSITORY
from refinebio_assets_tests.defs.servers import Ui, free_port, is_listening, wait_until

LOCATION = "refinebio_assets"
ACCEPTANCE = bool(os.environ.get("REFINEBIO_ACCEPTANCE"))
FINISHED = {"SUCCESS", "FAILURE", "CANCELED"}

LAUNCH = """mutation($params: ExecutionParams!) { launchRun(executionParams: $params) { __typename
    ... on LaunchRunSuccess { run { runId } } ... on PythonError { message }
    ... on RunConfigValidationInvalid { errors { message } } } }"""
STATUSES = """query($ids: [String]!) { runsOrError(filter: {runIds: $ids}, limit: 1000) {
    ... on Runs { results { runId status } } ... on PythonError { message } } }"""


class Program:
    """A server of the deployment: started, killed or stopped; what it prints goes to a log."""

    def __init__(self, name: str, command: list[str], folder: Path, env: Mapping[str, str]) -> None:
        self.name = name
        self.log = folder / f"{name}.log"
        self._command = command
        self._folder = folder
        self._env = dict(env)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def is_running(self) -> bool:
        """Whether the program is there."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        """The process id."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start the program in a session of its own."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command,
                cwd=self._folder,
                env=self._env,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def kill(self) -> None:
        """Kill the process alone, as the kernel does when memory is short; its children live on."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def stop(self) -> None:
        """Kill the program and whatever it started."""
        if self._process is None:
            return
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()


class Deployment:
    """The platform's servers on one lake and one Dagster instance."""

    def __init__(
        self,
        folder: Path,
        env: Mapping[str, str],
        settings: Mapping[str, Any],
        module: str = "refinebio_assets.definitions",
    ) -> None:
        self.folder = folder
        self.home = folder / "dagster"
        self.home.mkdir(parents=True)
        (self.home / "dagster.yaml").write_text(yaml.safe_dump(dict(settings)), encoding="utf-8")
        kept = {key: value for key, value in os.environ.items() if not key.startswith("REFINEBIO_")}
        self.env = kept | {"DAGSTER_HOME": str(self.home), "PYTHONPATH": str(REPOSITORY)} | dict(env)
        code, web = free_port(), free_port()
        self._code_port = code
        workspace = folder / "workspace.yaml"
        server = {"host": "127.0.0.1", "port": code, "location_name": LOCATION}
        workspace.write_text(yaml.safe_dump({"load_from": [{"grpc_server": server}]}), encoding="utf-8")
        self.code_server = self._program(
            *("code-server", "-m", "dagster", "api", "grpc", "-m", module),
            *("--host", "127.0.0.1", "--port", str(code), "--inject-env-vars-from-instance"),
        )
        where = ["-w", str(workspace)]
        self.daemon = self._program("daemon", "-m", "dagster._daemon", "run", *where)
        self.webserver = self._program(
            *("webserver", "-m", "dagster_webserver", "-h", "127.0.0.1", "-p", str(web), *where)
        )
        self.programs = (self.code_server, self.daemon, self.webserver)
        self.ui = Ui(f"http://127.0.0.1:{web}")

    def start(self) -> None:
        """Start all servers and wait until the UI answers."""
        self.code_server.start()
        wait_until(lambda: is_listening(self._code_port), "the code server")
        self.daemon.start()
        self.webserver.start()
        wait_until(self.ui.is_up, "the UI")

    def stop(self) -> None:
        """Stop all servers and the runs that they started."""
        for program in (self.daemon, self.webserver, self.code_server):
            program.stop()

    def launch(self, partition: str, job: str = "process_experiment", **tags: str) -> str:
        """Ask for a run as the UI's button does; it is queued. Return its id."""
        selector = {
            "repositoryLocationName": LOCATION,
            "repositoryName": "__repository__",
            "jobName": job,
        }
        given = [{"key": key, "value": value} for key, value in tags.items()]
        given.append({"key": "dagster/partition", "value": partition})
        params = {"selector": selector, "runConfigData": "{}", "executionMetadata": {"tags": given}}
        launched = self.ui.ask(LAUNCH, params=params)["launchRun"]
        assert launched["__typename"] == "LaunchRunSuccess", json.dumps(launched)
        return str(launched["run"]["runId"])

    def worker(self, name: str, runs: int) -> Program:
        """Return a worker that stands for a machine: with settings, copies and catalog of its own."""
        machine = self.folder / name
        (machine / "dagster").mkdir(parents=True)
        shutil.copyfile(self.home / "dagster.yaml", machine / "dagster" / "dagster.yaml")
        own = {"DAGSTER_HOME": str(machine / "dagster"), "XDG_CACHE_HOME": str(machine / "cache")}
        command = [sys.executable, "-m", "refinebio_assets.cli.main", "worker", "--runs", str(runs)]
        return Program(name, command, machine, self.env | own)

    def statuses(self, runs: Iterable[str]) -> dict[str, str]:
        """Return how runs stand, by id."""
        found = self.ui.ask(STATUSES, ids=list(runs))["runsOrError"]["results"]
        return {run["runId"]: run["status"] for run in found}

    def wait_for(self, runs: Iterable[str], seconds: float = 300) -> dict[str, str]:
        """Wait until runs have ended, and return how."""
        wanted = list(runs)
        wait_until(lambda: set(self.statuses(wanted).values()) <= FINISHED, "the end of the runs", seconds)
        return self.statuses(wanted)

    def _program(self, name: str, *command: str) -> Program:
        return Program(name, [sys.executable, *command], self.folder, self.env)


def shipped_settings() -> dict[str, Any]:
    """Return the settings of Dagster that the platform comes with."""
    settings: dict[str, Any] = yaml.safe_load((files("refinebio_assets") / "dagster.yaml").read_text("utf-8"))
    return settings


@contextmanager
def running(deployment: Deployment, *workers: Program) -> Iterator[Deployment]:
    """Run a deployment and its workers; afterwards nothing of them is left."""
    try:
        for worker in workers:
            worker.start()
        deployment.start()
        yield deployment
    finally:
        for worker in workers:
            worker.stop()
        deployment.stop()
