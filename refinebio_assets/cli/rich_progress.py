"""Progress as bars in a terminal, and at the same time as lines in the run's log."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)
from rich.progress import Progress as Bars
from rich.text import Text

from refinebio_assets.defs.log_progress import LogProgress
from refinebio_assets.pipelines.progress import Progress


class RateColumn(ProgressColumn):
    """How many units are done a second, where that is at least one."""

    def render(self, task: Task) -> Text:
        """Return the rate as it is now."""
        rate = task.finished_speed or task.speed or 0.0
        return Text(f"{rate:,.0f}/s" if rate >= 1 else "")


class _Log(Protocol):
    @property
    def info(self) -> Callable[[str], None]: ...


class BarProgress:
    """Shows each task as a bar under a heading; everything is passed on to the run's log too."""

    def __init__(self, bars: Bars, heading: str, log: Progress) -> None:
        self._bars = bars
        self._heading = heading
        self._log = log
        self._tasks: dict[str, TaskID] = {}

    def start(self, task: str, total: int, unit: str) -> None:
        """Add a bar."""
        self._log.start(task, total, unit)
        self._tasks[task] = self._bars.add_task(f"{self._heading}: {task}", total=total, unit=unit)

    def advance(self, task: str, note: str = "", amount: int = 1) -> None:
        """Move a bar on."""
        self._log.advance(task, note, amount)
        self._bars.advance(self._tasks[task], amount)

    def say(self, text: str) -> None:
        """Print a line above the bars."""
        self._log.say(text)
        self._bars.console.print(text)


class BarProgressSource:
    """Gives each Dagster step that runs in this process a progress with bars in this terminal."""

    def __init__(self, bars: Bars, heading: str) -> None:
        self._bars = bars
        self._heading = heading

    def of(self, log: _Log) -> Progress:
        """Return the progress of one step."""
        return BarProgress(self._bars, self._heading, LogProgress(log.info))


@contextmanager
def bars(console: Console) -> Iterator[Bars]:
    """Show progress bars while the block runs; they vanish afterwards."""
    with Bars(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(bar_width=30),
        MofNCompleteColumn(),
        TextColumn("{task.fields[unit]}"),
        RateColumn(),
        TimeElapsedColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    ) as shown:
        yield shown
