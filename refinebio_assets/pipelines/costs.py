"""What a step costs this process: seconds by the clock, seconds of processors, memory.

What single samples cost is in the table ``results``; steps of a whole experiment are in ``step_costs``.
"""

from __future__ import annotations

import resource
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

TABLE = "step_costs"
_BYTES_A_UNIT = 1024
"""Linux counts the memory that a process held in KiB."""


class Meter:
    """Measures from when it is made until it is read."""

    def __init__(self) -> None:
        with suppress(OSError):
            # Linux: the peak is counted anew from here (proc_pid_clear_refs(5)).
            Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
        self._began, self._used = time.monotonic(), _processor_seconds()

    def row(
        self, experiment: str, *, samples: int, bytes_in: int | None = None, bytes_out: int | None = None
    ) -> dict[str, Any]:
        """Return what it cost until now for so many samples, as a row of ``step_costs``."""
        return {
            "experiment": experiment,
            "samples": samples,
            "wall_seconds": time.monotonic() - self._began,
            "cpu_seconds": _processor_seconds() - self._used,
            "peak_memory_bytes": peak_memory(),
            "bytes_in": bytes_in,
            "bytes_out": bytes_out,
        }


def peak_memory() -> int:
    """Return the most memory that this process held, in bytes: since its last `Meter`, or ever."""
    with suppress(OSError, ValueError, IndexError):
        status = Path("/proc/self/status").read_text(encoding="ascii")
        return int(status.split("VmHWM:")[1].split()[0]) * _BYTES_A_UNIT
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _BYTES_A_UNIT


def _processor_seconds() -> float:
    """Return the processor time of this process and of the programs that it has waited for."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime
