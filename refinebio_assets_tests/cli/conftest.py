"""Fixtures of the command line's tests: a home of its own for each test, and the command as users run it."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from refinebio_assets_tests.cli.warm_process import run_command
from refinebio_assets_tests.pipelines.study import Study

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def study(tmp_path: Path) -> Study:
    """A study of three samples in a folder whose lake is the command line's home."""
    return Study.of_three(tmp_path)


@pytest.fixture
def refinebio(tmp_path: Path) -> Run:
    """Run ``refinebio-assets`` with these arguments in a process of its own; check nothing."""
    return command_in(tmp_path)


def command_in(folder: Path) -> Run:
    """Return a function that runs the command in ``folder``, with the lake ``folder/lake``."""
    # A mirror without a single file: no test asks the real archives.
    mirror = folder / "no-archives"
    mirror.mkdir(exist_ok=True)
    home = {"REFINEBIO_HOME": str(folder / "lake"), "COLUMNS": "240", "NO_COLOR": "1"}
    home["REFINEBIO_MIRROR"] = str(mirror)
    kept = {
        key: value
        for key, value in os.environ.items()
        if key not in {"DAGSTER_HOME", "REFINEBIO_POSTGRES_URL"}
    }

    def run(*arguments: str | Path, env: Mapping[str, str] = {}) -> subprocess.CompletedProcess[str]:
        return run_command([*map(str, arguments)], folder, kept | home | dict(env))

    return run


def rows_of(run: subprocess.CompletedProcess[str]) -> list[dict[str, Any]]:
    """Return the rows that a command printed with ``--format json``."""
    assert run.returncode == 0, run.stderr
    return [json.loads(line) for line in run.stdout.splitlines()]
