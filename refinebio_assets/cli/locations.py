"""Where files are, as a command is told: paths from the working directory, or URLs."""

from __future__ import annotations

from pathlib import Path


def absolute(given: str | None) -> str:
    """Return a path in full, a URL as it is, and an empty text for nothing."""
    if not given:
        return ""
    return given if "://" in given else str(Path(given).expanduser().resolve())
