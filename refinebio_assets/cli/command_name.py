"""What the command that is being executed is called."""

from __future__ import annotations

import click


def command_name() -> str:
    """Return the name of the command that is being executed, without the program's: ``dataset build``."""
    names: list[str] = []
    context = click.get_current_context(silent=True)
    while context is not None and context.parent is not None:
        names.insert(0, str(context.info_name))
        context = context.parent
    return " ".join(names)
