"""Builds a dataset over and over, each time killed at another of its file operations.

A program of its own (``python -m ... LAKE DATASET``), so that its children inherit no threads. It prints
how many of them were killed.
"""

from __future__ import annotations

import os
import signal
import sys
from typing import Any

import matplotlib.backends.backend_agg  # noqa: F401 -- once, and not in every child

from refinebio_assets.lake.store import Lake
from refinebio_assets.pipelines.datasets.bundle import build_bundle
from refinebio_assets.pipelines.datasets.dataset_matrices import build_matrices

OPERATIONS = ("open", "os.mkdir", "os.rename", "os.chmod", "os.remove", "os.rmdir", "os.scandir")
STRIDE = 17
"""Operations between two kills; a prime, so that it is in step with nothing."""


def build_until(lake: str, dataset: str, last: int) -> None:
    """Build the dataset in a child that is killed at its operation number ``last`` on the lake's files."""
    seen = 0

    def count(event: str, given: tuple[Any, ...]) -> None:
        nonlocal seen
        if event in OPERATIONS and str(given[0]).startswith(lake):
            seen += 1
            if seen == last:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(count)
    build_matrices(Lake(lake), dataset)
    build_bundle(Lake(lake), dataset)


def main(lake: str, dataset: str) -> None:
    killed = 0
    while True:
        child = os.fork()
        if child == 0:
            build_until(lake, dataset, 1 + killed * STRIDE)
            os._exit(0)
        if os.WIFEXITED(os.waitpid(child, 0)[1]):
            break
        killed += 1
    print(killed)


if __name__ == "__main__":
    main(*sys.argv[1:])
