"""The numbers that count the versions of a partition, of which several builds may run side by side."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from refinebio_assets.lake.store import Lake


@contextmanager
def version_number(lake: Lake, asset: str, partition: str) -> Iterator[int]:
    """Give the next version's number to the block; no build that runs beside it gets the same.

    A block that fails gives it back; one that is killed leaves it unused.
    """
    numbers = [int(commit.info["number"]) for commit in lake.history(asset, partition)]
    number = lake.claim_number(asset, partition, above=max(numbers, default=0))
    try:
        yield number
    except BaseException:
        lake.release_number(asset, partition, number)
        raise
