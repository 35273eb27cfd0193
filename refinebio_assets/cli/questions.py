"""Questions of the command line, which ``--yes`` answers beforehand."""

from __future__ import annotations

import sys

import click


def agreed(question: str) -> bool:
    """Ask, and return the answer. Raises UsageError, which names ``--yes``, where nobody can answer."""
    try:
        return click.confirm(question)
    except click.Abort:
        if sys.stdin.isatty():
            raise
        raise click.UsageError("nobody answers here; --yes agrees beforehand") from None
