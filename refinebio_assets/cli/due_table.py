"""What is due in experiments, as a table that people read, and as rows for other programs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rich import box
from rich.table import Table
from rich.text import Text

from refinebio_assets.domain import first_lines

if TYPE_CHECKING:
    from refinebio_assets.pipelines.staleness import Stale, Unjudged

MAX_REASONS = 8
SECONDS_AN_HOUR = 3600
CANNOT_BE_JUDGED = "cannot be judged"


def due_table(judged: Sequence[Stale | Unjudged], *, title: str) -> Table:
    """Return a table with an experiment a row, in it a line a step: what to do, samples, time; and why."""
    made = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for column in ("experiment", "to do"):
        made.add_column(column, no_wrap=True)
    made.add_column("samples", justify="right", no_wrap=True)
    made.add_column("time", no_wrap=True)
    made.add_column("why", overflow="fold")
    for each in judged:
        made.add_row(*(Text(cell) for cell in _cells(each)))
    return made


def due_row(judged: Stale | Unjudged) -> dict[str, Any]:
    """Return what is due as columns: samples by step, None where only a survey will tell; and hours.

    ``hours`` is None where nothing was measured yet; ``not_measured`` names steps that it leaves out.
    """
    from refinebio_assets.pipelines.staleness import Unjudged

    row: dict[str, Any] = dict.fromkeys(due_columns()) | {"experiment": judged.experiment, "not_measured": []}
    if isinstance(judged, Unjudged):
        return row | {"from": CANNOT_BE_JUDGED, "input": "", "why": judged.problem}
    todo = judged.todo
    row |= {"from": judged.step, "input": ", ".join(judged.inputs)}
    row |= dict.fromkeys(_step_columns(), 0) | {_column(step.step): step.samples for step in todo.steps}
    return row | {
        "samples_due": todo.samples_due,
        "hours": None if todo.seconds is None else todo.seconds / SECONDS_AN_HOUR,
        "not_measured": [step.step for step in todo.steps if step.seconds is None],
        "why": "; ".join(judged.reasons),
    }


def due_columns() -> list[str]:
    """Return the columns of ``due_row``."""
    return ["experiment", "from", "input", *_step_columns(), "samples_due", "hours", "not_measured", "why"]


def _step_columns() -> list[str]:
    from refinebio_assets.pipelines.estimate import STEPS

    return [_column(step) for step in STEPS.values()]


def _column(step: str) -> str:
    """Return a step as the name of a column."""
    return step.replace(" ", "_")


def _cells(judged: Stale | Unjudged) -> tuple[str, str, str, str, str]:
    from refinebio_assets.pipelines.estimate import duration
    from refinebio_assets.pipelines.staleness import Unjudged

    if isinstance(judged, Unjudged):
        return judged.experiment, CANNOT_BE_JUDGED, "", "", judged.problem
    why = "\n".join(first_lines(judged.reasons, MAX_REASONS))
    steps = judged.todo.steps
    if not steps:
        return judged.experiment, "update records", "0", duration(0.0), why
    return (
        judged.experiment,
        "\n".join(step.step for step in steps),
        "\n".join("?" if step.samples is None else f"{step.samples:,}" for step in steps),
        "\n".join(step.time for step in steps),
        why,
    )
