"""Runs the command in a process of its own that need not import everything anew: a fork of one that has.

Importing Dagster takes seconds; a test of a command starts several. What a command imports, and when, is
not tested with this (``test_rooms.py`` does, with real starts).
"""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

IMPORTED = (
    "alembic.command",
    "dagster_postgres",
    "matplotlib.backends.backend_agg",
    "matplotlib.figure",
    "pytest",
    "refinebio_assets.cli.building",
    "refinebio_assets.cli.dataset_building",
    "refinebio_assets.cli.processing",
    "refinebio_assets.cli.rich_progress",
    "refinebio_assets.definitions",
    "refinebio_assets.defs.launch",
    "refinebio_assets.defs.storage",
)
_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(list(IMPORTED))


def run_command(
    arguments: Sequence[str], folder: Path, env: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    """Run ``refinebio-assets`` in ``folder`` with the environment ``env``; check nothing."""
    with tempfile.TemporaryDirectory() as scratch:
        streams = [Path(scratch) / name for name in ("stdout", "stderr")]
        process = _FORKS.Process(target=_command, args=(list(arguments), folder, dict(env), streams))
        process.start()
        process.join()
        out, err = (stream.read_text(encoding="utf-8") for stream in streams)
    return subprocess.CompletedProcess(arguments, process.exitcode or 0, out, err)


def _command(arguments: list[str], folder: Path, env: dict[str, str], streams: list[Path]) -> None:
    for number, stream in enumerate(streams, start=1):
        os.dup2(os.open(stream, os.O_CREAT | os.O_WRONLY | os.O_APPEND), number)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(env)
    sys.argv = ["refinebio-assets", *arguments]
    from refinebio_assets.cli.main import main

    main(prog_name="refinebio-assets")
