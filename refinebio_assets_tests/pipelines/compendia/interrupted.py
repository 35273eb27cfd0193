"""Builds compendia in processes that are killed at a chosen moment, or whose disk is too small.

Run as a program: KIND LAKE [EVENT PATH], it builds the human compendium and is killed at the first audit
event of this name whose arguments contain PATH. The tests' side are the functions.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from refinebio_assets.errors import RefinebioError
from refinebio_assets.lake.store import Lake
from refinebio_assets.pipelines.compendia.kinds import CompendiumKind
from refinebio_assets.pipelines.compendia.normalized_compendium import build_normalized_compendium
from refinebio_assets.pipelines.compendia.rnaseq_samples.rnaseq_sample_compendium import (
    build_rnaseq_sample_compendium,
)
from refinebio_assets.pipelines.outcome import Outcome
from refinebio_assets_tests.conftest import REPOSITORY
from refinebio_assets_tests.pipelines.datasets.world import HUMAN

ENDED_BY_ERROR = 9
_PAGE = 4096


def build(kind: CompendiumKind, lake: Lake) -> Outcome:
    """Build the human compendium of this kind."""
    if kind is CompendiumKind.NORMALIZED:
        return build_normalized_compendium(lake, HUMAN)
    return build_rnaseq_sample_compendium(lake, HUMAN)


def killed_at(kind: CompendiumKind, lake: Lake, event: str, path: str) -> None:
    """Build in a process that is killed when it is about to do something with a path."""
    done = subprocess.run(
        [sys.executable, "-m", __name__, kind, lake.url, event, path], cwd=REPOSITORY, check=False
    )
    assert done.returncode == -signal.SIGKILL


def error_on_small_disk(kind: CompendiumKind, lake: Lake, folder: Path, room: int) -> str:
    """Build in a copy of a lake on a disk of its own that has this much room beside it; return the error.

    The copy must still be whole and as it was. Skips where a disk cannot be made.
    """
    if os.geteuid() != 0 or not shutil.which("unshare"):
        pytest.skip("mounting a small disk needs root")
    if subprocess.run(["unshare", "--mount", "true"], check=False, capture_output=True).returncode:
        pytest.skip("this machine allows no private mounts")
    sizes = [file.stat().st_size for file in Path(lake.url).rglob("*") if file.is_file()]
    blocks = sum(_PAGE * -(-size // _PAGE) for size in sizes)
    mount = (
        f'mount -t tmpfs -o size={blocks + room} none "$1" && cp -r "$2" "$1/lake" && shift 2 && exec "$@"'
    )
    program = [sys.executable, "-m", __name__, kind, f"{folder}/lake"]
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", mount, "sh", str(folder), lake.url, *program],
        cwd=REPOSITORY,
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == ENDED_BY_ERROR, done.stderr
    return done.stdout


def _main(kind: str, url: str, event: str = "", path: str = "") -> None:
    def watch(name: str, arguments: tuple[object, ...]) -> None:
        if name == event and path in " ".join(map(str, arguments)):
            os.kill(os.getpid(), signal.SIGKILL)

    if event:
        sys.addaudithook(watch)
    lake = Lake(url)
    before = lake.head(CompendiumKind(kind).asset, HUMAN)
    try:
        build(CompendiumKind(kind), lake)
    except RefinebioError as error:
        assert lake.head(CompendiumKind(kind).asset, HUMAN) == before
        assert lake.verify_all().problems == ()
        print(f"{type(error).__name__}: {error}")
        sys.exit(ENDED_BY_ERROR)


if __name__ == "__main__":
    _main(*sys.argv[1:])
