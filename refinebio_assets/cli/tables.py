"""Tables and lists as a terminal shows them, and rows as other programs read them."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

import click
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from refinebio_assets.domain import first_lines

_Command = TypeVar("_Command", bound=Callable[..., Any])

WIDTH_OF_FILES = 200
MAX_REASONS = 8


_COLORS = {
    "complete": "green",
    "processed": "green",
    "partial": "yellow",
    "failed": "red",
    "not supported": "yellow",
}


def rows_format(help: str | None = None) -> Callable[[_Command], _Command]:
    """Return the option ``--format`` of a command that lists rows; the command takes it as ``form``."""
    forms = click.Choice(["table", "csv", "tsv", "json"])
    return click.option("--format", "form", type=forms, default="table", show_default=True, help=help)


def terminal(*, stderr: bool = False) -> Console:
    """Return the console to print on; output that goes to a file or a pipe is not folded at 80 columns."""
    console = Console(stderr=stderr)
    if console.is_terminal:
        return console
    return Console(width=max(console.width, WIDTH_OF_FILES), stderr=stderr)


def say_reasons(console: Console, reasons: Sequence[str]) -> None:
    """List reasons, the first of many."""
    for line in first_lines(reasons, MAX_REASONS):
        console.print(f"  - {escape(line)}", highlight=False)


def cell(value: Any) -> str:
    """Return a value as people read it: thousands separated, times to the second, None empty."""
    match value:
        case None:
            text = ""
        case bool():
            text = "yes" if value else "no"
        case int():
            text = f"{value:,}"
        case float():
            text = f"{value:.4g}"
        case datetime():
            text = value.strftime("%Y-%m-%d %H:%M:%S")
        case list() | tuple():
            text = ", ".join(str(item) for item in value)
        case _:
            text = str(value)
    return text


def table(
    rows: Iterable[Mapping[str, Any]], columns: Sequence[str], *, title: str = "", all_columns: bool = False
) -> Table:
    """Return a table of the rows' columns; empty ones are left out unless ``all_columns``."""
    listed = list(rows)
    shown = [
        column
        for column in columns
        if all_columns or any(row.get(column) not in (None, "", []) for row in listed)
    ]
    made = Table(title=title or None, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for column in shown:
        numeric = all(isinstance(row.get(column), int | float | None) for row in listed)
        made.add_column(column.replace("_", " "), justify="right" if numeric else "left", overflow="fold")
    for row in listed:
        made.add_row(*(_styled(cell(row.get(column))) for column in shown))
    return made


def write_rows(rows: Sequence[Mapping[str, Any]], form: str, columns: Sequence[str] = ()) -> None:
    """Print rows to standard output as ``table``, ``csv``, ``tsv`` or ``json`` (one object a line).

    ``columns`` are the names that head a file without rows.
    """
    if form == "json":
        for row in rows:
            click.echo(json.dumps(row, default=str, ensure_ascii=False))
    elif form in ("csv", "tsv"):
        writer = csv.writer(sys.stdout, delimiter="," if form == "csv" else "\t", lineterminator="\n")
        header = list(rows[0].keys()) if rows else columns
        if header:
            writer.writerow(header)
        writer.writerows([_plain(value) for value in row.values()] for row in rows)
    elif rows:
        terminal().print(table(rows, list(rows[0].keys()), all_columns=True))
    else:
        terminal().print("no rows")


def _plain(value: Any) -> Any:
    """Return a value as a spreadsheet reads it: lists joined."""
    return ";".join(map(str, value)) if isinstance(value, list) else value


def _styled(text: str) -> Text:
    return Text(text, style=_COLORS.get(text, ""))
