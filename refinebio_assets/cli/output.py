"""The file that a command writes: its option, checked before any work, and where to say what was written."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from refinebio_assets.cli.tables import terminal


def output_option(
    help: str = "File to write.", *, required: bool = True
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return the option ``--output``; a name where nothing can be written is refused at once."""
    kind = click.Path(dir_okay=False, path_type=Path)
    return click.option("--output", "-o", type=kind, required=required, callback=_checked, help=help)


def console_beside(output: Path) -> Console:
    """Return the console to print on: standard error where ``output`` is what standard output goes to."""
    return terminal(stderr=_is_stdout(output))


def say_copied(console: Console, size: int, output: Path) -> None:
    """Say how much was written to which file."""
    console.print(f"{size:,} bytes written to {output}", highlight=False, soft_wrap=True, markup=False)


def _checked(_context: click.Context, _option: click.Parameter, output: Path | None) -> Path | None:
    from refinebio_assets.pipelines.whole_file import require_place

    if output is not None:
        require_place(output)
    return output


def _is_stdout(output: Path) -> bool:
    try:
        return os.path.samestat(output.stat(), os.fstat(sys.stdout.fileno()))
    except (OSError, ValueError):
        return False
