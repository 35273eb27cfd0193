"""``refinebio-assets ui``: Dagster's code server, webserver and daemon on the lake's instance."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from types import FrameType

import click

from refinebio_assets.cli.home import lake_url, say_new_lake
from refinebio_assets.cli.ui_place import folder_of_sockets, only_ui
from refinebio_assets.cli.ui_services import (
    LOGS,
    CodeState,
    Place,
    code_server,
    code_state,
    daemon,
    is_listening,
    load_again,
    require_free,
    webserver,
    write_workspace,
)
from refinebio_assets.errors import ToolError
from refinebio_assets.tools.supervision import Supervisor

SECONDS_A_LOOK = 0.2
SECONDS_BETWEEN_QUESTIONS = 5.0
SECONDS_TO_SEE = 10.0
"""How long the code server takes to end when no run is in progress, generously."""

SECONDS_FOR_RUNS = 30.0
SECONDS_TO_LOAD = 60.0
"""How long loading the code may take before it is asked for again."""


@dataclass(slots=True)
class EndAsked:
    """The signal that asked for the end, once one did."""

    signal: signal.Signals | None = None


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", type=click.IntRange(1, 65535), default=3000, show_default=True)
def ui(host: str, port: int) -> None:
    """Open Dagster's UI, daemon and code server on the same instance; stop with Ctrl-C.

    Each is started again when it dies. Ctrl-C ends runs in progress, too, which are tried again at the next
    start; SIGTERM lets them go on to their end. What the servers print is in server_logs/ of Dagster's home.
    """
    from refinebio_assets.defs.dagster_home import prepare_dagster_home

    require_free(host, port)
    say_new_lake()
    home = prepare_dagster_home(lake_url())
    with folder_of_sockets(click.echo) as shared:
        place = Place(host, port, home / LOGS, shared)
        with only_ui(home, place.url):
            click.echo(f"Dagster home: {home}\nLogs: {place.logs}\nStarting, which takes some seconds ...")
            serve(place)


def serve(place: Place) -> None:
    """Run the three servers until a signal asks for the end. Raises ToolError when they do not start."""
    supervisor = Supervisor(_tell)
    with signals_noted() as end:
        try:
            start(place, supervisor, end)
            if end.signal is None:
                click.echo(f"UI: {place.url}")
            keep(place, supervisor, end)
        finally:
            stop(supervisor, end)


def start(place: Place, supervisor: Supervisor, end: EndAsked) -> None:
    """Start the servers, and return when the UI shows the code, or when the end is asked for."""
    write_workspace(place)
    supervisor.start(code_server(place))
    _wait(supervisor, end, lambda: is_listening(place.code_socket))
    if end.signal is None:
        supervisor.start(webserver(place))
        supervisor.start(daemon(place))
    _wait(supervisor, end, lambda: code_state(place.url)[0] not in {CodeState.AWAY, CodeState.LOADING})


def keep(place: Place, supervisor: Supervisor, end: EndAsked) -> None:
    """Until the end is asked for, start again what dies, and have code loaded again whose process died."""
    asked, last, loaded = time.monotonic(), CodeState.LOADED, -SECONDS_TO_LOAD
    while end.signal is None:
        time.sleep(SECONDS_A_LOOK)
        supervisor.look()
        if time.monotonic() - asked < SECONDS_BETWEEN_QUESTIONS:
            continue
        if not place.workspace.exists():
            # Temporary files are cleaned up on some machines; a server that is started again needs it.
            with suppress(OSError):  # On a full disk, in a while.
                write_workspace(place)
        state, why = code_state(place.url)
        # Asked twice, as the webserver takes seconds to notice that a code server is there again.
        lost = state is last is CodeState.UNREACHABLE and is_listening(place.code_socket)
        if lost and time.monotonic() - loaded >= SECONDS_TO_LOAD:
            _tell("the code server's process with the code ended and is started again")
            load_again(place.url)
            loaded = time.monotonic()
        if state is CodeState.REFUSED and last is not state:
            _tell(f"{state}, see the UI: {why.splitlines()[0] if why else 'no reason was given'}")
        asked, last = time.monotonic(), state


def stop(supervisor: Supervisor, end: EndAsked) -> None:
    """End the servers; on Ctrl-C also the runs in progress."""
    interrupted = end.signal is signal.SIGINT
    if interrupted:
        supervisor.signal_descendants(signal.SIGINT)
    supervisor.end()
    if supervisor.wait_for_descendants(SECONDS_TO_SEE):
        return
    if not interrupted:
        _tell("runs in progress go on to their end")
    elif not supervisor.wait_for_descendants(SECONDS_FOR_RUNS):
        supervisor.signal_descendants(signal.SIGKILL)
        _tell("runs in progress did not end and were killed")


@contextmanager
def signals_noted() -> Iterator[EndAsked]:
    """Note the first signal that asks for the end; a second one ends this process, and so the servers."""
    end = EndAsked()
    signals = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]
    before = {number: signal.getsignal(number) for number in signals}

    def note(number: int, _frame: FrameType | None) -> None:
        end.signal = signal.Signals(number)
        for each, handler in before.items():
            signal.signal(each, handler)

    for number, handler in before.items():
        if handler is not signal.SIG_IGN:
            signal.signal(number, note)
    try:
        yield end
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _wait(supervisor: Supervisor, end: EndAsked, ready: Callable[[], bool]) -> None:
    """Wait until the servers are ready or the end is asked for. Raises ToolError when one ends meanwhile."""
    while end.signal is None and not ready():
        ended = supervisor.ended()
        if ended is not None:
            raise ToolError(ended)
        time.sleep(SECONDS_A_LOOK)


def _tell(what: str) -> None:
    with suppress(OSError):  # What is told may go to a full disk.
        click.echo(f"{datetime.now():%H:%M:%S} {what}")
