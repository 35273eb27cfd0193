"""Programs that are kept running: started again when they end, later and later, and ended in order.

What the programs are is for the caller to say; nothing here knows one of them.
"""

from __future__ import annotations

import ctypes
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

STEADY_SECONDS = 60.0
"""A program that lived so long is started again at once, whatever happened before."""

LONGEST_PAUSE = 60.0
SECONDS_TO_END = 30.0
SECONDS_TO_LINGER = 3.0
"""How long a program is waited for that may stay for what it started."""

SECONDS_BETWEEN_LOOKS = 0.1
LARGEST_LOG = 20_000_000
"""Bytes; a log that is larger is kept as one older file and begun anew."""

_COLORS = re.compile(r"\x1b\[[0-9;]*m")
_LAST_BYTES = 4096
_SIGNAL_AT_PARENTS_DEATH = 1  # PR_SET_PDEATHSIG of Linux


@dataclass(frozen=True, slots=True)
class Program:
    """A program to keep running; what it prints goes to ``log``.

    One that ``lingers`` ends only after what it started, and is left to do so when it is asked to end.
    """

    name: str
    command: tuple[str, ...]
    log: Path
    lingers: bool = False


@dataclass(frozen=True, slots=True)
class Patience:
    """How often a program ended without having lived long, and so how long to wait with the next start."""

    ends: int = 0

    def after(self, lived: float) -> Patience:
        """Return the patience after another end of a program that lived for so many seconds."""
        return Patience(1 if lived >= STEADY_SECONDS else self.ends + 1)

    @property
    def seconds(self) -> float:
        """Seconds until the next start: 0, 1, 2, 4 ... 60."""
        return min(LONGEST_PAUSE, 2.0 ** (self.ends - 2)) if self.ends > 1 else 0.0


@dataclass(slots=True)
class _Kept:
    """A program with its process, and when it is started again if it has none."""

    program: Program
    process: subprocess.Popen[bytes]
    started: float
    patience: Patience = field(default_factory=Patience)
    due: float | None = None


class Supervisor:
    """Starts programs, each in a session of its own, and keeps them running until it is told to end them.

    A signal of the terminal reaches none of them; should this process be killed, Linux ends them (SIGTERM).
    """

    def __init__(self, tell: Callable[[str], None], clock: Callable[[], float] = time.monotonic) -> None:
        self._tell = tell
        self._clock = clock
        self._kept: list[_Kept] = []
        self._groups: set[int] = set()

    def start(self, program: Program) -> None:
        """Start a program and keep it running from now on. Raises OSError where it cannot be started."""
        self._kept.append(_Kept(program, self._launch(program), self._clock()))

    def ended(self) -> str | None:
        """Return how one of the programs ended and what it said last; None while all of them run."""
        for kept in self._kept:
            code = kept.process.poll()
            if code is not None:
                program, how = kept.program, how_it_ended(code)
                return f"{program.name} ended ({how}): {last_words(program.log)}\nMore is in {program.log}"
        return None

    def look(self) -> None:
        """Start again what has ended and is due, tell of it, and begin logs anew that grew too large."""
        now = self._clock()
        for kept in self._kept:
            _begin_log_anew(kept.program.log)
            if kept.due is None and (code := kept.process.poll()) is not None:
                kept.patience = kept.patience.after(now - kept.started)
                kept.due = now + kept.patience.seconds
                self._tell(_end_told(kept, code))
            if kept.due is not None and now >= kept.due:
                self._start_again(kept, now)
        self._groups = {group for group in self._groups if _is_there(group)}

    def end(self, seconds: float = SECONDS_TO_END) -> None:
        """Ask each program to end, the one that was started last first, and wait for it; then kill it.

        What the programs themselves started is left alone, and so is one that lingers.
        """
        for kept in reversed(self._kept):
            with suppress(ProcessLookupError):
                kept.process.terminate()
            try:
                kept.process.wait(SECONDS_TO_LINGER if kept.program.lingers else seconds)
            except subprocess.TimeoutExpired:
                if kept.program.lingers:
                    continue
                self._tell(f"{kept.program.name} did not end within {seconds:.0f} s and was killed")
                kept.process.kill()
                kept.process.wait()
        self._kept = [kept for kept in self._kept if kept.process.poll() is None]

    def signal_descendants(self, number: signal.Signals) -> None:
        """Send a signal to every program and to what the programs, also earlier ones, started."""
        for group in self._groups:
            with suppress(ProcessLookupError):
                os.killpg(group, number)

    def wait_for_descendants(self, seconds: float) -> bool:
        """Wait until nothing is left that the programs started; tell whether that is so in time."""
        deadline = self._clock() + seconds
        while any(_is_there(group) for group in self._groups):
            if self._clock() >= deadline:
                return False
            time.sleep(SECONDS_BETWEEN_LOOKS)
        return True

    def _start_again(self, kept: _Kept, now: float) -> None:
        try:
            kept.process, kept.started, kept.due = self._launch(kept.program), now, None
        except OSError as error:
            kept.patience = kept.patience.after(0)
            kept.due = now + kept.patience.seconds
            again = f"is tried again in {kept.patience.seconds:.0f} s"
            self._tell(f"{kept.program.name} cannot be started and {again}: {error}")

    def _launch(self, program: Program) -> subprocess.Popen[bytes]:
        program.log.parent.mkdir(parents=True, exist_ok=True)
        with program.log.open("ab") as log:
            process = subprocess.Popen(
                program.command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=_at_start(),  # noqa: PLW1509  # this process has no other thread
            )
        self._groups.add(process.pid)
        return process


def how_it_ended(code: int) -> str:
    """Return an exit code of ``subprocess`` in words: an exit code, or the signal's name."""
    if code >= 0:
        return f"exit code {code}"
    try:
        return f"killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"killed by signal {-code}"


def last_words(log: Path) -> str:
    """Return the last line that is not empty of a log, without colors."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - _LAST_BYTES))
            text = file.read().decode("utf-8", errors="replace")
    except OSError as error:
        return f"its log cannot be read: {error}"
    lines = [line.strip() for line in _COLORS.sub("", text).splitlines() if line.strip()]
    return lines[-1] if lines else "it printed nothing"


def _end_told(kept: _Kept, code: int) -> str:
    pause = kept.patience.seconds
    again = f"is started again in {pause:.0f} s" if pause else "is started again"
    words = f": {last_words(kept.program.log)}" if code > 0 else ""
    return f"{kept.program.name} ended ({how_it_ended(code)}) and {again}{words}"


def _begin_log_anew(log: Path) -> None:
    """Keep a log that grew too large as one older file; the program goes on writing to the same one.

    Lines that are written in this moment may be lost, and on a full disk those that find no room.
    """
    with suppress(OSError):
        if log.stat().st_size > LARGEST_LOG:
            with suppress(OSError):
                shutil.copyfile(log, log.with_name(f"{log.name}.1"))
            os.truncate(log, 0)


def _is_there(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _at_start() -> Callable[[], None]:
    """Return what a new process calls first: it heeds SIGINT, and on Linux it ends with this process."""
    library = ctypes.CDLL(None) if sys.platform.startswith("linux") else None
    parent = os.getpid()

    def begin() -> None:
        # What a script starts with & ignores SIGINT, and a program that maps SIGTERM to it would never end.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        if library is not None:
            library.prctl(_SIGNAL_AT_PARENTS_DEATH, signal.SIGTERM)
            if os.getppid() != parent:
                os._exit(1)

    return begin
