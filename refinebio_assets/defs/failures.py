"""Errors a person can act on, as Dagster shows them: the message first, retried only when it helps."""

from collections.abc import Iterator
from contextlib import contextmanager

from dagster import Failure, RetryPolicy

from refinebio_assets.errors import RefinebioError

RETRY_TRANSIENT = RetryPolicy(max_retries=2, delay=5)
"""For failures that may pass (storage away, disk full); permanent ones are never retried."""


@contextmanager
def explained() -> Iterator[None]:
    """Turn a RefinebioError into a Dagster failure that shows its message in the UI."""
    try:
        yield
    except RefinebioError as error:
        raise Failure(
            description=str(error),
            metadata={"error": type(error).__name__, "permanent": error.permanent},
            allow_retries=not error.permanent,
        ) from error
