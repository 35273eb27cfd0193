"""Starts the runs that build datasets for the web API: one process a dataset, a few at a time."""

from __future__ import annotations

import json
import logging
import signal
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Lock

from refinebio_assets.api.building import Built

_LAST_LINES = 20
_logger = logging.getLogger(__name__)


class ProcessBuilder:
    """Builds datasets in processes, ``at_once`` at a time; the others wait in the order in which they came.

    A process of its own keeps the server alive whatever a build does, and Dagster out of it.
    """

    def __init__(self, at_once: int = 1) -> None:
        self._pool = ThreadPoolExecutor(at_once, thread_name_prefix="build")
        self._running: set[subprocess.Popen[str]] = set()
        self._lock = Lock()
        self._stopping = False

    def start(self, dataset: str, done: Callable[[Built], None]) -> None:
        """Queue a build; ``done`` is called when it has ended, unless the server is being stopped."""
        self._pool.submit(self._build, dataset, done)

    def stop(self) -> None:
        """Interrupt what is running; it is built when the server starts again."""
        with self._lock:
            self._stopping = True
            for process in self._running:
                with suppress(OSError):
                    process.send_signal(signal.SIGINT)
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _build(self, dataset: str, done: Callable[[Built], None]) -> None:
        try:
            built = self._run(dataset)
        except OSError as error:
            built = Built(False, f"no process could be started: {error}")
        if built is not None:
            _logger.info("dataset %s: %s", dataset, "built" if built.success else built.problem)
            done(built)

    def _run(self, dataset: str) -> Built | None:
        """Run a build to its end; None when it ended because the server does."""
        command = [sys.executable, "-m", "refinebio_assets.cli.api_worker", dataset]
        with self._lock:
            if self._stopping:
                return None
            process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            self._running.add(process)
        try:
            output, errors = process.communicate()
        finally:
            with self._lock:
                self._running.discard(process)
                stopping = self._stopping
        return None if stopping else _built(process.returncode, output, errors)


def _built(code: int, output: str, errors: str) -> Built:
    """Return what the last line of a worker says, or what it left when it was killed."""
    lines = output.strip().splitlines()
    try:
        said = json.loads(lines[-1])
        return Built(bool(said["success"]), str(said["problem"]))
    except (IndexError, ValueError, KeyError, TypeError):
        end = "\n".join(errors.strip().splitlines()[-_LAST_LINES:])
        _logger.warning("a build ended with code %s:\n%s", code, end)
        return Built(False, f"the build ended without a word (exit code {code})")
