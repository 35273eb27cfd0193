"""Progress as log lines: counts and rate, few enough not to slow the work down."""

import time
from collections.abc import Callable
from dataclasses import dataclass

SECONDS_BETWEEN_LINES = 5.0
"""A line costs 5-8 ms in Dagster's storage; one every five seconds is readable and free."""


@dataclass
class _Task:
    total: int
    unit: str
    started: float
    done: int = 0
    last_line: float = 0.0


class LogProgress:
    """Writes the start and end of each task and a line every few seconds in between."""

    def __init__(self, write: Callable[[str], None], *, clock: Callable[[], float] = time.monotonic) -> None:
        self._write = write
        self._clock = clock
        self._tasks: dict[str, _Task] = {}

    def start(self, task: str, total: int, unit: str) -> None:
        """Announce a task."""
        now = self._clock()
        self._tasks[task] = _Task(total, unit, now, last_line=now)
        self._write(f"{task}: {total:,} {unit} to do")

    def advance(self, task: str, note: str = "", amount: int = 1) -> None:
        """Count units; write a line when the last is old enough or the task is done."""
        state = self._tasks[task]
        state.done += amount
        now = self._clock()
        waits = state.done < state.total and now - state.last_line < SECONDS_BETWEEN_LINES
        if waits or not state.done:
            return
        state.last_line = now
        elapsed = max(now - state.started, 1e-9)
        rate = state.done / elapsed
        pace = f"{rate:.2f} {state.unit} a second" if rate >= 1 else f"{1 / rate:.1f} s each"
        suffix = f" ({note})" if note else ""
        self._write(f"{task}: {state.done:,} of {state.total:,} {state.unit}, {pace}{suffix}")

    def say(self, text: str) -> None:
        """Write one fact."""
        self._write(text)
