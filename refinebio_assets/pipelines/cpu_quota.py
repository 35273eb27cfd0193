"""How much processor time the kernel's control groups leave this process. Nothing else of them is read."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

GROUPS_OF_PROCESS = Path("/proc/self/cgroup")
MOUNTED = Path("/sys/fs/cgroup")


def cpu_quota(process: Path = GROUPS_OF_PROCESS, mounted: Path = MOUNTED) -> float:
    """Return how many cores' time this process may use; without a limit, infinity.

    The smallest limit counts of the process's own group (a service's ``CPUQuota=``) and those above it, the
    container's among them. Both versions of control groups are read; what cannot be read does not limit.
    """
    return min((_quota(folder) for folder in _groups(process, mounted)), default=math.inf)


def _groups(process: Path, mounted: Path) -> Iterator[Path]:
    """Yield the folders of the groups that the process is in, and of all above them."""
    yield mounted
    try:
        lines = process.read_text(encoding="utf-8").splitlines()
    except OSError:
        return
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers and "cpu" not in controllers.split(","):
            continue
        top = mounted / "cpu" if controllers else mounted
        names = [name for name in path.split("/") if name not in {"", "..", "."}]
        # A container may see its own group as the top one, and be told of one outside it.
        yield from (top.joinpath(*names[:depth]) for depth in range(len(names) + 1))


def _quota(folder: Path) -> float:
    """Return the cores' time that one group may use: version 2 has one file for it, version 1 two."""
    try:
        quota, period = (folder / "cpu.max").read_text(encoding="ascii").split()
    except (OSError, ValueError):
        try:
            quota, period = (
                (folder / f"cpu.cfs_{name}_us").read_text(encoding="ascii") for name in ("quota", "period")
            )
        except OSError:
            return math.inf
    try:
        cores = int(quota) / int(period)
    except (ValueError, ZeroDivisionError):
        return math.inf
    return cores if cores > 0 else math.inf
