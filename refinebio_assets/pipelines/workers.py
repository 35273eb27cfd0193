"""One bounded pool of workers for the independent pieces of a step, and how cores are shared out."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import TypeVar

from refinebio_assets.pipelines.cpu_quota import cpu_quota

THREADS_A_WORKER = 4
SECONDS_A_TICK = 1.0

Item = TypeVar("Item")
Result = TypeVar("Result")


def available_cores() -> int:
    """Return how many cores this process may use, by its affinity and its control groups' quotas."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, round(min(cores, cpu_quota())))


def share_cores(cores: int, pieces: int) -> tuple[int, int]:
    """Return (workers, threads a worker) for ``pieces`` independent pieces on ``cores`` cores.

    On a large machine a worker gets at least four threads: each holds an index in memory (about 1 GB
    for human), and Salmon gains little from a process a core.
    """
    workers = max(1, min(pieces, max(min(cores, 2), cores // THREADS_A_WORKER)))
    return workers, max(1, cores // workers)


def run_all(
    work: Callable[[Item], Result],
    items: Sequence[Item],
    *,
    workers: int,
    cancelled: threading.Event | None = None,
    tick: Callable[[], None] | None = None,
) -> Iterator[tuple[Item, Result]]:
    """Yield (item, result) as pieces finish; ``tick`` is called every second from the caller's thread.

    When one raises, or the caller stops, pieces that wait are not begun and ``cancelled`` is set, so that
    those that run can end early.
    """
    with ThreadPoolExecutor(max_workers=max(1, workers), thread_name_prefix="sample") as pool:
        futures = {pool.submit(work, item): item for item in items}
        try:
            for future in _finished(futures, tick):
                yield futures[future], future.result()
        except BaseException:
            if cancelled is not None:
                cancelled.set()
            raise
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _finished(
    futures: Collection[Future[Result]], tick: Callable[[], None] | None
) -> Iterator[Future[Result]]:
    waiting = set(futures)
    while waiting:
        done, waiting = wait(waiting, timeout=SECONDS_A_TICK if tick else None, return_when=FIRST_COMPLETED)
        if tick is not None:
            tick()
        yield from done
