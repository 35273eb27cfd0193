"""What is a flow, and what flows share."""

from __future__ import annotations

import json
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

EMAIL = "someone@example.org"
FOLDER = Path(sys.argv[1])
FLOWS: dict[str, Callable[[], None]] = {}


def flow(made: Callable[[], None]) -> Callable[[], None]:
    FLOWS[made.__name__] = made
    return made


def refused(error: type[Exception], call: Callable[..., Any], *values: Any, **options: Any) -> Exception:
    try:
        call(*values, **options)
    except error as found:
        return found
    raise AssertionError(f"{error.__name__} was expected")


def lock_of(path: Path) -> dict[str, Any]:
    with zipfile.ZipFile(path) as archive:
        found: dict[str, Any] = json.loads(archive.read("compendium.lock.json"))
        return found


def members(path: Path) -> list[str]:
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        return archive.namelist()
