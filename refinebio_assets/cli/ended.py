"""How experiments that were asked for ended, in a word and in a line."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape

from refinebio_assets.errors import RefinebioError

FAILED = "failed"
TRY_AGAIN = "try again"


def say_refused(console: Console, name: str, error: RefinebioError) -> str:
    """Say why a name was refused, and return how that ended: for good, or for now."""
    console.print(f"[red]{escape(name)}[/]: {escape(str(error))}", highlight=False)
    return FAILED if error.permanent else TRY_AGAIN


def say_up_to_date(console: Console, name: str) -> None:
    """Say that there is nothing to do for a name."""
    console.print(f"[bold]{escape(name)}[/]: up to date, nothing to do")
