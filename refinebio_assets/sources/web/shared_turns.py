"""When a server may be asked next, as a file that all processes of a user on one machine share.

How long turns are apart is the part of ``rate_limit``.
"""

from __future__ import annotations

import fcntl
import math
from pathlib import Path

LONGEST_QUEUE = 120.0
"""Seconds; 360 requests that wait for NCBI. A turn further off is of a clock that was set back since."""


def take_turn(path: Path, now: float, distance: float) -> float:
    """Return when the next request may be sent, ``now`` or later, and reserve it in the file at ``path``.

    Times are in seconds since 1970, as all processes must understand them; ``distance`` is that to the
    following turn. A damaged file counts as none. Raises OSError when the file cannot be used.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+", encoding="ascii", errors="replace") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        stream.seek(0)
        turn = later_turn(now, _told(stream.read(64)))
        stream.seek(0)
        stream.truncate()
        # Closing writes it, and only then lets the lock go.
        stream.write(repr(turn + distance))
    return turn


def later_turn(now: float, reserved: float) -> float:
    """Return ``reserved`` when it is ahead and believable, else ``now``."""
    return reserved if now < reserved <= now + LONGEST_QUEUE else now


def _told(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return -math.inf
