"""The inbox: a folder into which dataset requests are dropped as files, and what becomes of each.

A file is left alone until it has settled, then taken once: kept as a request and moved to ``accepted/``,
or moved to ``refused/``; a text of the same name beside it says which dataset it became, or all that is
wrong with it. A pass that is killed at any moment leaves files that the next one takes.
"""

from __future__ import annotations

import fcntl
import stat
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from uuid import UUID, uuid5

from refinebio_assets.errors import PermanentError, RefinebioError, RequestError
from refinebio_assets.lake.catalog import Catalog
from refinebio_assets.lake.storage import make_folder, replace_durably, storing, write_durably
from refinebio_assets.lake.store import Lake
from refinebio_assets.pipelines.datasets.acceptance import read_and_accept
from refinebio_assets.pipelines.datasets.registry import (
    ASSET,
    RegisteredDataset,
    is_deleted,
    register_dataset,
    registered_dataset,
)
from refinebio_assets.pipelines.datasets.request_file import SUFFIXES, read_request_file

INBOX_VARIABLE = "REFINEBIO_INBOX"
DEFAULT_INBOX = "inbox"
ACCEPTED, REFUSED = "accepted", "refused"
ORIGIN = "inbox"
SETTLED_SECONDS = 2.0
"""A file that was written to more recently may not be whole yet."""

FILES_A_PASS = 100
_UNFINISHED = (".part", ".partial", ".tmp", ".filepart", ".crdownload", ".swp", "~")
_IDS = UUID("6f1d5a52-5a35-5a6b-9c0e-2d2c1f6a7b10")


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of one file: the dataset that it asked for, or (``dataset`` empty) why it was refused."""

    file: str
    moved_to: Path
    dataset: str = ""
    advice: tuple[str, ...] = ()
    problem: str = ""


@dataclass(frozen=True, slots=True)
class InboxPass:
    """What one pass did. ``waiting`` are files that may not be whole yet, or came after the last that fitted.

    ``failed`` gives for a file that stays why it could not be judged now (storage away).
    """

    taken: tuple[Taken, ...] = ()
    waiting: tuple[str, ...] = ()
    failed: Mapping[str, str] | None = None


def inbox_folder(lake: Lake, environment: Mapping[str, str]) -> Path:
    """Return the inbox: ``REFINEBIO_INBOX``, else ``inbox`` in a local lake. RequestError for a bucket."""
    given = environment.get(INBOX_VARIABLE, "")
    if given:
        return Path(given).expanduser().absolute()
    if not lake.is_local:
        raise RequestError(f"the lake is {lake.url}: say in {INBOX_VARIABLE} which local folder is the inbox")
    return Path(lake.url) / DEFAULT_INBOX


def take_requests(
    lake: Lake, catalog: Catalog, folder: Path, *, now: Callable[[], float] = time.time
) -> InboxPass:
    """Take every settled file of the inbox, oldest first; the folder is made when it is not there.

    Another process's pass is not waited for: this one then takes nothing. Raises StorageError when the
    folder cannot be read or written.
    """
    with storing(f"making {folder}"):
        make_folder(folder)
    with _only_pass(folder) as alone:
        if not alone:
            return InboxPass()
        settled, waiting = _files(folder, now())
        taken, failed = [], {}
        for path in settled[:FILES_A_PASS]:
            try:
                done = _take(lake, catalog, path)
            except RefinebioError as error:
                failed[path.name] = str(error)
                continue
            taken.append(done)
        late = [path.name for path in settled[FILES_A_PASS:]]
        return InboxPass(tuple(taken), (*waiting, *late), failed)


def requests_after(lake: Lake, commit_id: str) -> list[RegisteredDataset]:
    """Return the datasets whose newest request came through an inbox after this commit, oldest first."""
    newest = {
        entry.partition_part: entry for entry in sorted(lake.entries(ASSET), key=lambda entry: entry.id)
    }
    found = []
    for entry in newest.values():
        if entry.id > commit_id:
            commit = lake.read(entry)
            if commit.info.get("origin", "").startswith(ORIGIN) and not is_deleted(commit):
                found.append(registered_dataset(lake, commit.partition))
    return sorted(found, key=lambda dataset: dataset.commit.id)


@contextmanager
def _only_pass(folder: Path) -> Iterator[bool]:
    """Hold the inbox; yields False when another process does. The lock ends with the process."""
    with storing(f"locking {folder}"):
        stream = (folder / ".lock").open("w")
    with stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True


def _files(folder: Path, now: float) -> tuple[list[Path], list[str]]:
    """Return the settled files, oldest first, and the names of those that are not settled."""
    found, waiting = [], []
    with storing(f"reading {folder}"):
        for path in sorted(folder.iterdir()):
            with suppress(FileNotFoundError):
                status = path.lstat()
                if path.name.startswith(".") or stat.S_ISDIR(status.st_mode):
                    continue
                # A time in the future is a clock that is wrong, not a file that is being written.
                is_recent = 0 <= now - status.st_mtime < SETTLED_SECONDS
                if is_recent or path.name.endswith(_UNFINISHED):
                    waiting.append(path.name)
                else:
                    found.append((status.st_mtime, path))
    return [path for _, path in sorted(found)], waiting


def _take(lake: Lake, catalog: Catalog, path: Path) -> Taken:
    """Judge one file and move it. Raises what may pass (StorageError); the file then stays."""
    try:
        dataset, advice = _register(lake, catalog, path)
    except PermanentError as error:
        moved = _move(path, REFUSED, f"{error}\n")
        return Taken(path.name, moved, problem=str(error))
    lines = [f"Accepted as dataset {dataset}", "", *advice, f"refinebio-assets dataset show {dataset}", ""]
    return Taken(path.name, _move(path, ACCEPTED, "\n".join(lines)), dataset, advice)


def _register(lake: Lake, catalog: Catalog, path: Path) -> tuple[str, tuple[str, ...]]:
    if not stat.S_ISREG(path.lstat().st_mode):
        raise RequestError("is a link or device; only plain files are read", about=path.name)
    if path.suffix.lower() not in SUFFIXES:
        raise RequestError(f"expected a name that ends in {', '.join(SUFFIXES)}", about=path.name)
    accepted = read_and_accept(lake, catalog, lambda: read_request_file(path), about=path.name)
    # The same file gives the same id, so that a pass that was killed before it moved the file asks once.
    own = str(uuid5(_IDS, f"{path.name}\n{sha256(path.read_bytes()).hexdigest()}"))
    registered = register_dataset(
        lake, accepted, dataset=accepted.request.name or own, origin=f"{ORIGIN}: {path.name}"
    )
    return registered.dataset, accepted.advice


def _move(path: Path, kind: str, text: str) -> Path:
    """Move a file to ``accepted`` or ``refused``, the text beside it; an earlier file of its name stays."""
    folder = path.parent / kind
    with storing(f"moving {path} to {folder}"):
        make_folder(folder)
        target, number = folder / path.name, 1
        while target.exists():
            number += 1
            target = folder / f"{path.stem}-{number}{path.suffix}"
        write_durably(text.encode(), target.with_name(f"{target.name}.txt"), folder)
        replace_durably(path, target)
    return target
