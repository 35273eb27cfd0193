"""Whether there is a lake at a place, and where one may have been meant. Looking makes nothing.

A lake is told by its commit log: what has no record in it does not exist.
"""

from __future__ import annotations

from difflib import get_close_matches
from enum import Enum, auto
from pathlib import Path

from refinebio_assets.lake.home import DEFAULT_HOME
from refinebio_assets.lake.storage import storing
from refinebio_assets.lake.store import Lake

_LIKENESS = 0.6
"""The share of two names that must be alike: what ``difflib`` takes by default."""


class Presence(Enum):
    """What is at a lake's place."""

    NOTHING = auto()
    EMPTY = auto()
    LAKE = auto()


def presence(lake: Lake) -> Presence:
    """Tell what is at a lake's place: two looks at a disk, one listing of a bucket.

    A folder in which nothing was ever committed is EMPTY. In a bucket that is NOTHING, as buckets have no
    empty folders. Raises StorageError.
    """
    if not lake.is_local:
        return Presence.LAKE if lake.storage.names("log") else Presence.NOTHING
    root = Path(lake.url)
    with storing(f"looking for a lake at {root}"):
        if not root.is_dir():
            return Presence.NOTHING
        return Presence.LAKE if (root / "log").is_dir() else Presence.EMPTY


def lake_near(folder: Path) -> Path | None:
    """Return a folder with a lake that was probably meant by ``folder``, or None.

    One in it under the default name, or where the first of its names that does not exist is one misspelled.
    """
    if _is_lake(folder / DEFAULT_HOME):
        return folder / DEFAULT_HOME
    try:
        there = next((parent for parent in folder.parents if parent.is_dir()), None)
        if there is None or folder.is_dir():
            return None
        names = [path.name for path in there.iterdir() if path.is_dir()]
    except OSError:
        return None
    wrong, *rest = folder.relative_to(there).parts
    meant = (there.joinpath(name, *rest) for name in get_close_matches(wrong, names, cutoff=_LIKENESS))
    return next((path for path in meant if _is_lake(path)), None)


def _is_lake(folder: Path) -> bool:
    """Tell whether there is a lake in a local folder, as far as one may look."""
    try:
        return (folder / "log").is_dir()
    except OSError:
        return False
