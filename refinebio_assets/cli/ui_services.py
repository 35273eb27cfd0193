"""What ``refinebio-assets ui`` keeps running, and how the code behind the UI stands.

Dagster's own programs: a code server, which executes runs, a webserver and a daemon that talk to it. How
programs are kept running is in ``tools/supervision.py``.
"""

from __future__ import annotations

import json
import socket
import sys
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from http.client import HTTPException
from pathlib import Path
from typing import Any

from refinebio_assets.errors import RequestError
from refinebio_assets.tools.supervision import Program

LOCATION = "refinebio_assets"
"""The name of the code in the UI, as in ``workspace.yaml``: sensors stay on when the deployment changes."""

LOGS = "server_logs"
"""The folder of logs in Dagster's home; the one called ``logs`` is emptied by Dagster's telemetry."""

DEFINITIONS = "refinebio_assets.definitions"
WILDCARDS = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}
"""Hosts that mean every address of this machine, and where such a server is asked from here."""

SECONDS_TO_ANSWER = 10.0
_NO_ANSWER = (OSError, HTTPException, ValueError, KeyError, TypeError)
"""What asking raises when nobody answers, or what is said breaks off or is no answer to the question."""

_UNREACHABLE = "DagsterUserCodeUnreachableError"
_STATE = """{ workspaceOrError { ... on Workspace { locationEntries { loadStatus locationOrLoadError {
    __typename ... on PythonError { message className } } } } } }"""
_RELOAD = """mutation($name: String!) { reloadRepositoryLocation(repositoryLocationName: $name) {
    __typename } }"""


class CodeState(StrEnum):
    """How the code behind the UI stands."""

    AWAY = "the webserver does not answer"
    LOADING = "the code is being loaded"
    LOADED = "the code is loaded"
    UNREACHABLE = "the code server does not answer"
    REFUSED = "the code cannot be loaded"


@dataclass(frozen=True, slots=True)
class Place:
    """Where the UI is served, where logs go, and a folder for what the programs share while they run."""

    host: str
    port: int
    logs: Path
    shared: Path

    @property
    def url(self) -> str:
        """The URL of the UI, from this machine."""
        host = WILDCARDS.get(self.host, self.host)
        return f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"

    @property
    def code_socket(self) -> Path:
        """The socket of the code server."""
        return self.shared / "code.socket"

    @property
    def workspace(self) -> Path:
        """The file that tells webserver and daemon where the code server is."""
        return self.shared / "workspace.yaml"


def code_server(place: Place) -> Program:
    """Return the program that loads the definitions and executes runs; the UI can have it load them anew."""
    options = ("--socket", str(place.code_socket), "--location-name", LOCATION, "--log-level", "warning")
    return Program(
        "code-server",
        _python("dagster", "code-server", "start", "-m", DEFINITIONS, *options),
        place.logs / "code-server.log",
        lingers=True,
    )


def webserver(place: Place) -> Program:
    """Return the program that serves the UI."""
    where = ("-w", str(place.workspace), "--host", place.host, "--port", str(place.port))
    return Program("webserver", _python("dagster_webserver", *where), place.logs / "webserver.log")


def daemon(place: Place) -> Program:
    """Return the program that starts queued runs and evaluates sensors and schedules."""
    where = ("-w", str(place.workspace))
    return Program("daemon", _python("dagster._daemon", "run", *where), place.logs / "daemon.log")


def write_workspace(place: Place) -> None:
    """Write the file that tells webserver and daemon where the code server is. JSON is YAML, too."""
    place.shared.mkdir(exist_ok=True)
    server = {"socket": str(place.code_socket), "host": "localhost", "location_name": LOCATION}
    part = place.workspace.with_suffix(".part")
    part.write_text(json.dumps({"load_from": [{"grpc_server": server}]}), encoding="utf-8")
    part.replace(place.workspace)


def is_listening(path: Path) -> bool:
    """Tell whether somebody listens on a Unix socket; the code server does when it has loaded the code."""
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(str(path)) == 0


def require_free(host: str, port: int) -> None:
    """Raise RequestError when the UI cannot be served on this address, saying why."""
    try:
        (family, kind, _, _, address), *_ = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM)
        with socket.socket(family, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        raise RequestError(
            f"the UI cannot be served on {host}, port {port}: {error.strerror or error}. "
            "Is another UI running there? Choose another port with --port."
        ) from error


def code_state(url: str) -> tuple[CodeState, str]:
    """Ask the webserver how the code behind it stands; return that, and what a failing load says."""
    try:
        (entry,) = _ask(url, _STATE)["workspaceOrError"]["locationEntries"]
    except _NO_ANSWER:
        return CodeState.AWAY, ""
    found = entry["locationOrLoadError"]
    if found is None or entry["loadStatus"] == "LOADING":
        return CodeState.LOADING, ""
    if found["__typename"] == "RepositoryLocation":
        return CodeState.LOADED, ""
    if found.get("className") == _UNREACHABLE:
        return CodeState.UNREACHABLE, ""
    return CodeState.REFUSED, str(found.get("message", "")).strip()


def load_again(url: str) -> None:
    """Have the code loaded anew, as the UI's button Reload does; an answer is not waited for in vain."""
    try:
        _ask(url, _RELOAD, name=LOCATION)
    except _NO_ANSWER:
        return


def _ask(url: str, query: str, **variables: Any) -> Mapping[str, Any]:
    body = json.dumps({"query": query, "variables": variables}).encode()
    request = urllib.request.Request(f"{url}/graphql", body, {"Content-Type": "application/json"})
    # The webserver is on this machine, where no proxy is in between.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=SECONDS_TO_ANSWER) as answer:
        data: Mapping[str, Any] = json.load(answer)["data"]
    return data


def _python(module: str, *arguments: str) -> tuple[str, ...]:
    return (sys.executable, "-m", module, *arguments)
