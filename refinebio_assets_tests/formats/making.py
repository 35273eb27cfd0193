"""Makes file contents for the tests of this room."""

from __future__ import annotations

import gzip


def zipped(data: bytes) -> bytes:
    """Compress without the time of day, so that the names of parametrized tests are the same each run."""
    return gzip.compress(data, mtime=0)
