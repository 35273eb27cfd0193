"""``refinebio-assets ui`` with its real servers: what is killed comes back, and runs go on."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import signal
import socket
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from dagster import DagsterInstance

from refinebio_assets.cli.ui_place import LOCK, folder_of_sockets, only_ui
from refinebio_assets.cli.ui_services import CodeState, code_state
from refinebio_assets.defs.dagster_home import prepare_dagster_home
from refinebio_assets.defs.launch import register_experiments
from refinebio_assets_tests.cli.conftest import Run
from refinebio_assets_tests.conftest import REPOSITORY
from refinebio_assets_tests.defs.servers import Ui, dagster_ui, free_port, wait_until
from refinebio_assets_tests.pipelines.study import Study, quant_sf_text
from refinebio_assets_tests.sources.web.scripted_server import Asked, Say, scripted_server

LAUNCH = """mutation($params: ExecutionParams!) { launchRun(executionParams: $params) { __typename
    ... on LaunchRunSuccess { run { runId } } ... on PythonError { message } } }"""
RUNS = "{ runsOrError { ... on Runs { results { runId status } } } }"
SERVERS = {
    "code server": "code-server start",
    "code": "api grpc",
    "webserver": "dagster_webserver",
    "daemon": "dagster._daemon",
}


@dataclass
class World:
    """A running ``ui`` on a study whose samples are files of a server that answers when it is let."""

    folder: Path
    ui: Ui
    asked: list[str] = field(default_factory=list)
    gate: threading.Event = field(default_factory=threading.Event)

    def serve(self, request: Asked) -> Say:
        """Answer with a sample's quant.sf once the gate is open."""
        self.asked.append(request.path)
        self.gate.wait(300)
        return Say(200, quant_sf_text(len(request.path)).encode())

    def launch(self, experiment: str) -> str:
        """Launch a run as the UI's button does and return its id once it waits for a file."""
        where = {"repositoryLocationName": "refinebio_assets", "repositoryName": "__repository__"}
        params = {
            "selector": where | {"jobName": "process_experiment"},
            "runConfigData": json.dumps({}),
            "executionMetadata": {"tags": [{"key": "dagster/partition", "value": experiment}]},
        }
        launched = self.ui.ask(LAUNCH, params=params)["launchRun"]
        assert launched["__typename"] == "LaunchRunSuccess", launched
        wait_until(lambda: f"/{experiment}.sf" in self.asked, "the run")
        return str(launched["run"]["runId"])

    def status(self, run: str) -> str:
        runs = self.ui.ask(RUNS)["runsOrError"]["results"]
        return next(str(each["status"]) for each in runs if each["runId"] == run)

    def servers(self) -> dict[str, int]:
        """Return the process ids of those servers of this ``ui`` that live."""
        found = {}
        for stat in Path("/proc").glob("[0-9]*/stat"):
            try:
                command = (stat.parent / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                environment = (stat.parent / "environ").read_bytes()
            except OSError:
                continue
            if f"REFINEBIO_HOME={self.folder}/lake\0".encode() in environment:
                found |= {name: int(stat.parent.name) for name, part in SERVERS.items() if part in command}
        return found

    def kill(self, *names: str) -> dict[str, int]:
        """Kill servers and return all that there were before."""
        before = self.servers()
        for name in names:
            os.kill(before[name], signal.SIGKILL)
        return before

    def is_back(self, name: str, before: dict[str, int]) -> bool:
        return self.servers().get(name, before[name]) != before[name]

    def log(self) -> str:
        return (self.folder / "ui.log").read_text()


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    study = Study(tmp_path)
    study.add_gene_map()
    with scripted_server() as server:
        for seed, experiment in enumerate(("FIRST", "SECOND")):
            url = f"{server.root}/{experiment}.sf"
            study.add_sample(f"{experiment}-1", seed, experiment=experiment, quant_sf=url)
        study.register()
        monkeypatch.setenv("DAGSTER_HOME", "")
        prepare_dagster_home(f"{tmp_path}/lake")
        register_experiments(["FIRST", "SECOND"])
        kept = {
            key: value
            for key, value in os.environ.items()
            if key != "DAGSTER_HOME" and not key.startswith("REFINEBIO_")
        }
        # A dagster.yaml in the folder where it is started is not for it, and it says nothing of it.
        (tmp_path / "dagster.yaml").write_text("nonsense: true\n")
        env = kept | {"REFINEBIO_HOME": f"{tmp_path}/lake", "PYTHONPATH": str(REPOSITORY)}
        with dagster_ui(tmp_path, env) as ui:
            world = World(tmp_path, ui)
            for experiment in ("FIRST", "SECOND"):
                server.will(f"/{experiment}.sf", world.serve)
            try:
                yield world
            finally:
                world.gate.set()


def test_a_run_goes_on_while_every_server_is_killed_and_comes_back(world: World) -> None:
    first = world.launch("FIRST")
    before = world.kill("daemon", "webserver", "code")
    wait_until(lambda: world.ui.is_up() and world.is_back("daemon", before), "webserver and daemon")
    wait_until(lambda: world.is_back("code", before), "the process with the code")
    before = world.kill("code server")
    wait_until(lambda: world.is_back("code server", before), "the code server")
    assert world.status(first) == "STARTED"
    world.gate.set()
    wait_until(lambda: world.status(first) == "SUCCESS", "the end of the first run")
    world.gate.clear()
    wait_until(lambda: code_state(world.ui.url)[0] is CodeState.LOADED, "the code")
    second = world.launch("SECOND")
    assert world.ui.process is not None
    os.kill(world.ui.process, signal.SIGINT)
    wait_until(lambda: not world.servers(), "the end of the servers")
    said = [line.split(" ", 1)[1] for line in world.log().splitlines()[4:]]
    assert sorted(said) == [
        "code-server ended (killed by SIGKILL) and is started again",
        "daemon ended (killed by SIGKILL) and is started again",
        "the code server's process with the code ended and is started again",
        "webserver ended (killed by SIGKILL) and is started again",
    ]
    logs = (world.folder / "lake" / "dagster" / "server_logs").glob("*.log")
    assert {log.name for log in logs} == {"code-server.log", "daemon.log", "webserver.log"}
    assert ended_as(second) == "FAILURE"


def test_a_second_ui_on_the_same_instance_is_refused_and_told_where_the_first_is(
    refinebio: Run, tmp_path: Path
) -> None:
    home = tmp_path / "lake" / "dagster"
    home.mkdir(parents=True)
    with only_ui(home, "http://127.0.0.1:1234"):
        run = refinebio("ui", "--port", str(free_port()))
    assert run.returncode == 1
    assert "runs already: http://127.0.0.1:1234 (process " in run.stderr
    assert not (home / "server_logs").exists()
    with only_ui(home, "http://127.0.0.1:5678"):
        assert (home / LOCK).read_text().startswith("http://127.0.0.1:5678 ")


def test_an_instance_on_a_disk_without_locks_is_served(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)
    with only_ui(tmp_path, "http://127.0.0.1:1"), only_ui(tmp_path, "http://127.0.0.1:2"):
        pass


@pytest.mark.parametrize(
    ("length", "becomes"), [(40, "itself"), (85, "itself, with our socket elsewhere"), (150, "/tmp")]
)
def test_sockets_have_short_paths_whatever_the_folder_of_temporary_files(
    length: int, becomes: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    with tempfile.TemporaryDirectory(dir="/tmp") as base:
        given = Path(base) / ("x" * (length - len(base) - 1))
        given.mkdir()
        monkeypatch.setenv("TMPDIR", str(given))
        monkeypatch.setattr(tempfile, "tempdir", None)
        with folder_of_sockets(told.append) as folder, socket.socket(socket.AF_UNIX) as ours:
            ours.bind(str(folder / "code.socket"))
            assert (folder.parent == given) == (becomes == "itself")
        assert os.environ["TMPDIR"] == ("/tmp" if becomes == "/tmp" else str(given))
        assert len(told) == (becomes == "/tmp")
        assert not folder.exists()


def test_a_lake_that_ui_makes_is_told(refinebio: Run, tmp_path: Path) -> None:
    home = tmp_path / "instance"
    home.mkdir()
    (home / "dagster.yaml").write_text("storage: nonsense\n")
    run = refinebio("ui", "--port", str(free_port()), env={"DAGSTER_HOME": str(home)})
    assert f"New lake at {tmp_path / 'lake'}" in run.stdout


def ended_as(run_id: str) -> str:
    with DagsterInstance.get() as instance:
        run = instance.get_run_by_id(run_id)
    assert run is not None
    return run.status.value


def test_a_port_that_is_taken_is_refused_before_anything_is_made(refinebio: Run, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        run = refinebio("ui", "--port", port)
    assert run.returncode == 1
    assert f"port {port}: Address already in use" in run.stderr
    assert "--port" in run.stderr
    assert not (tmp_path / "lake").exists()


def test_a_server_that_does_not_start_ends_the_command_with_its_last_words(
    refinebio: Run, tmp_path: Path
) -> None:
    home = tmp_path / "lake" / "dagster"
    home.mkdir(parents=True)
    (home / "dagster.yaml").write_text("storage: nonsense\n")
    run = refinebio("ui", "--port", free_port())
    assert run.returncode == 1
    assert "ended (exit code 1)" in run.stderr
    assert "DagsterInvalidConfigError" in run.stderr
    assert str(home / "server_logs") in run.stderr
