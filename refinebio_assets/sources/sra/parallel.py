"""Asks for many records at once, a bounded number at a time. What is asked for is the caller's business."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Answer = TypeVar("Answer")

REQUESTS_AT_ONCE = 8
"""Requests that one survey has under way; the rate limit of each host is kept by ``sources.web``."""


def fetch_each(accessions: Iterable[str], fetch: Callable[[str], Answer]) -> dict[str, Answer]:
    """Return what ``fetch`` gives for each accession, each asked once, in order of first appearance.

    The first error in that order is raised as it is; what was not yet started is then not asked.
    """
    wanted = list(dict.fromkeys(accessions))
    with ThreadPoolExecutor(REQUESTS_AT_ONCE, thread_name_prefix="sra") as pool:
        futures = [pool.submit(fetch, accession) for accession in wanted]
        try:
            return {accession: future.result() for accession, future in zip(wanted, futures, strict=True)}
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
