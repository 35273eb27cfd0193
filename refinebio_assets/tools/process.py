"""Running one external program: its arguments, how long it took, what it printed, why it ended.

Which programs exist and what their files mean is not known here; see ``salmon``.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from refinebio_assets.errors import ToolError, ToolKilledError, ToolMissingError

TAIL_BYTES = 65_536
"""How much of the end of each output stream is kept in memory."""

TAIL_LINES = 15
"""How many of the last lines an error message shows."""

GRACE_SECONDS = 5.0
"""How long a program that is asked to end (SIGTERM) may take before it is killed."""

POLL_SECONDS = 0.05
"""How often a program that may have to be ended is looked at."""

# Signals a program brings on itself. They come again with the same input (Salmon 1.10.1 aborts on
# every empty FASTA file), so they are permanent; all others came from outside and are transient.
_CRASHES = {"SIGABRT", "SIGSEGV", "SIGFPE", "SIGILL", "SIGTRAP", "SIGSYS"}

# The child asks the kernel to kill it when its parent is gone, then becomes the program. It asks from a
# process of its own because Popen's preexec_fn may deadlock in a parent with threads. "Parent" means
# the thread that started it; run_program waits in that very thread, which therefore cannot end first.
# The parent may already be gone when the request is made: that is what the comparison catches.
_LAUNCHER = """\
import os, signal, sys
parent, program, *arguments = sys.argv[1:]
if sys.platform == "linux":
    import ctypes
    PR_SET_PDEATHSIG = 1
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != int(parent):
        sys.exit("the process that asked for this program is gone")
for name in (signal.SIGPIPE, signal.SIGXFSZ):  # Python ignores them, and exec would pass that on
    signal.signal(name, signal.SIG_DFL)
try:
    os.execv(program, arguments)
except OSError as error:
    sys.exit(f"{program} cannot be started: {error.strerror}")
"""

_TERMINAL_CODES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


@dataclass(frozen=True, slots=True)
class ProgramRun:
    """A program that ended by itself with exit code 0.

    ``command`` is text that a shell would accept; ``stdout_tail`` and ``stderr_tail`` hold the last
    64 KiB of each stream, as text, also when the whole went to a file. ``cpu_seconds`` and
    ``peak_memory_bytes`` are the kernel's count for the program and what it started and waited for.
    """

    command: str
    exit_code: int
    started_at: datetime
    duration_seconds: float
    stdout_tail: str
    stderr_tail: str
    cpu_seconds: float = 0.0
    peak_memory_bytes: int = 0


def run_program(
    arguments: Sequence[str | Path],
    *,
    cwd: Path | None = None,
    timeout_seconds: float | None = None,
    stdout: Path | None = None,
    stderr: Path | None = None,
    install_hint: str = "",
    cancelled: threading.Event | None = None,
) -> ProgramRun:
    """Run a program to its end, in the calling thread, and return what it printed.

    ``stdout`` and ``stderr`` are files that receive the whole output. ``cancelled`` is an event by which
    another thread ends the program, since an interrupt reaches the main thread only. The program gets
    nothing on standard input. It is ended when Python raises here, and killed when this process dies.

    Raises ToolMissingError when it is not installed (``install_hint`` says how to), ToolError when it
    returns non-zero or crashes, ToolKilledError when a signal, the time limit or ``cancelled`` ends it.
    """
    words = [str(argument) for argument in arguments]
    program = find_program(words[0], install_hint)
    command = shlex.join(words)
    with ExitStack() as stack:
        out, err = stack.enter_context(_sink(stdout)), stack.enter_context(_sink(stderr))
        started_at, start = datetime.now(UTC), time.monotonic()
        process = _start(program, words, cwd, out, err)
        ending = _wait(process, timeout_seconds, cancelled)
        duration = time.monotonic() - start
        run = ProgramRun(
            command,
            process.returncode,
            started_at,
            duration,
            _tail(out),
            _tail(err),
            ending.cpu_seconds,
            ending.peak_memory_bytes,
        )
    _raise_for(run, words[0], ending.reason)
    return run


def find_program(name: str, install_hint: str = "") -> str:
    """Return the absolute path of an executable, or raise ToolMissingError with the hint."""
    found = shutil.which(name)
    if found is None:
        hint = f"; {install_hint}" if install_hint else ""
        raise ToolMissingError(f"the program {name} is not installed, or not on the PATH{hint}")
    return str(Path(found).absolute())


def last_lines(text: str, count: int = TAIL_LINES) -> str:
    """Return the last lines of a program's output, without blank lines, colors and progress bars."""
    plain = _TERMINAL_CODES.sub("", text)
    lines = [line.rsplit("\r", 1)[-1].rstrip() for line in plain.replace("\r\n", "\n").split("\n")]
    return "\n".join([line for line in lines if line][-count:])


@contextmanager
def _sink(file: Path | None) -> Iterator[BinaryIO]:
    """Give an open file for one stream: the caller's, or a temporary one."""
    with file.open("w+b") if file else tempfile.TemporaryFile() as handle:
        yield handle


def _start(
    program: str, words: list[str], cwd: Path | None, out: BinaryIO, err: BinaryIO
) -> subprocess.Popen[bytes]:
    launcher = [sys.executable, "-I", "-S", "-c", _LAUNCHER, str(os.getpid()), program, *words]
    try:
        return subprocess.Popen(
            launcher, cwd=cwd, stdin=subprocess.DEVNULL, stdout=out, stderr=err, process_group=0
        )
    except BlockingIOError as error:
        raise ToolKilledError(f"{words[0]} could not be started: {error.strerror}") from error


@dataclass(frozen=True, slots=True)
class _Ending:
    """How a program ended: why we ended it (empty when it ended without us), and what it used until then."""

    reason: str = ""
    cpu_seconds: float = 0.0
    peak_memory_bytes: int = 0


def _wait(
    process: subprocess.Popen[bytes], timeout_seconds: float | None, cancelled: threading.Event | None
) -> _Ending:
    """Wait for the end."""
    deadline = None if timeout_seconds is None else time.monotonic() + timeout_seconds
    try:
        while cancelled is None or not cancelled.is_set():
            ending = _reap(process, wait=cancelled is None and deadline is None)
            if ending is not None:
                return ending
            if deadline is not None and time.monotonic() >= deadline:
                return _Ending(f"was ended after {timeout_seconds:,g} seconds, its time limit")
            time.sleep(POLL_SECONDS)
        return _Ending("was ended because its run was stopped")
    finally:
        if process.poll() is None:
            _end(process)


def _reap(process: subprocess.Popen[bytes], *, wait: bool) -> _Ending | None:
    """Return how a program ended, with what it and those it waited for used; None while it runs.

    ``Popen.wait`` would take the exit status and lose what was used, so Popen is told the status here.
    """
    number, status, used = os.wait4(process.pid, 0 if wait else os.WNOHANG)
    if number == 0:
        return None
    process.returncode = os.waitstatus_to_exitcode(status)
    peak = used.ru_maxrss if sys.platform == "darwin" else used.ru_maxrss * 1024
    return _Ending("", used.ru_utime + used.ru_stime, peak)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the program and all it started: politely, then by force."""
    try:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(GRACE_SECONDS)
    finally:  # also when a second Ctrl-C interrupts the grace; and what the program left behind
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _tail(handle: BinaryIO) -> str:
    size = handle.seek(0, os.SEEK_END)
    handle.seek(max(0, size - TAIL_BYTES))
    return handle.read(TAIL_BYTES).decode("utf-8", errors="replace")


def _raise_for(run: ProgramRun, name: str, ending: str) -> None:
    """Raise the error that tells why the program did not succeed, or do nothing when it did."""
    if run.exit_code == 0 and not ending:
        return
    printed = last_lines(run.stderr_tail) or last_lines(run.stdout_tail) or "(it printed nothing)"
    details = f"\n  command: {run.command}\n  its last words:\n{printed}"
    if ending:
        raise ToolKilledError(f"{name} {ending}{details}")
    killer = _signal_name(run.exit_code)
    if killer is None:
        raise ToolError(f"{name} failed with exit code {run.exit_code}{details}")
    if killer in _CRASHES:
        raise ToolError(f"{name} crashed ({killer}){details}")
    hint = ", most often for lack of memory" if killer == "SIGKILL" else ""
    raise ToolKilledError(f"{name} was ended by {killer}{hint}{details}")


def _signal_name(exit_code: int) -> str | None:
    """Name the signal behind an exit code: -9 from the kernel, 137 (128 + 9) from a wrapping shell."""
    if exit_code < 0:
        number = -exit_code
    elif exit_code in (128 + signal.SIGKILL, 128 + signal.SIGTERM):
        number = exit_code - 128
    else:
        return None
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
