"""What the command line's exit codes mean, and how errors become them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import click

from refinebio_assets.errors import RefinebioError

DONE = 0
FAILED = 1
USAGE = 2
PARTIAL = 3
TRY_AGAIN = 4

EXPLANATION = """\b
Exit codes:
  0  done
  1  refused or failed; the message says why
  2  wrong usage
  3  done in part: some samples failed, the others are delivered
  4  failed for a reason that may pass (disk full, storage away); try again"""


@contextmanager
def errors_shown() -> Iterator[None]:
    """Print a RefinebioError's message and end with its exit code."""
    try:
        yield
    except RefinebioError as error:
        click.echo(f"Error: {error}", err=True)
        raise SystemExit(FAILED if error.permanent else TRY_AGAIN) from error
