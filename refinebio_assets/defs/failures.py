"""Errors a person can act on, as Dagster shows them: the message first, retried only when it helps."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from dagster import Failure, MetadataValue, RetryRequested

from refinebio_assets.errors import GivenUpError, RefinebioError

RETRIES = 2
SECONDS_BETWEEN = 5


@contextmanager
def explained(details: Callable[[], Mapping[str, MetadataValue]] = dict) -> Iterator[None]:
    """Turn a RefinebioError into a Dagster failure that shows its message, and ``details``, in the UI.

    A transient one (storage away, disk full) asks for another attempt first, unless it was tried often
    enough already; other exceptions are programming errors and pass as they are.
    """
    try:
        yield
    except RefinebioError as error:
        if not error.permanent and not isinstance(error, GivenUpError):
            raise RetryRequested(max_retries=RETRIES, seconds_to_wait=SECONDS_BETWEEN) from error
        raise Failure(
            description=str(error),
            metadata={"error": type(error).__name__, **details()},
            allow_retries=False,
        ) from error
