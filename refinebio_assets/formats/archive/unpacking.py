"""Taking the files out of an archive, all of them or one.

Files get names of our own making, so that no path in an archive can lead anywhere.
"""

from __future__ import annotations

import difflib
import re
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from refinebio_assets.errors import NotFoundError, PermanentError, StorageError
from refinebio_assets.formats.archive.entry import Entry, base_name, is_clutter
from refinebio_assets.formats.archive.kinds import Kind, entries_of, no_archive, recognize
from refinebio_assets.formats.archive.limits import DEFAULT_LIMITS, Budget, Limits

_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
_NAME_BYTES = 100
_SHOWN = 5
_ARCHIVE_SUFFIXES = (".tar", ".tgz", ".tar.gz", ".tbz2", ".tbz", ".tar.bz2", ".zip")


@dataclass(frozen=True, slots=True)
class Member:
    """A file in an archive that was not unpacked: its path there, and its size in bytes as declared there."""

    name: str
    size: int


@dataclass(frozen=True, slots=True)
class Unpacked:
    """A file that came out of an archive.

    ``member`` is its path in the archive, through the archives inside it (``inner.tar/file.txt``); two
    members may have the same. ``path`` is where it is now, ``size`` its bytes.
    """

    member: str
    path: Path
    size: int


@dataclass(frozen=True, slots=True)
class LeftOut:
    """An entry of an archive that is not a file that can be taken, and what it is."""

    member: str
    reason: str


@dataclass(frozen=True, slots=True)
class Unpacking:
    """All that came out of an archive, in its order, and what was left out."""

    files: tuple[Unpacked, ...]
    left_out: tuple[LeftOut, ...]


def unpack(archive: Path, folder: Path, *, limits: Limits = DEFAULT_LIMITS, label: str = "") -> Unpacking:
    """Unpack an archive, and archives inside it, into ``folder``, which is new or empty.

    Each file gets a number and the safe part of its base name. Links, devices and sparse files are left
    out; folders and what systems add (``__MACOSX``, ``._x``, ``Thumbs.db``) are no files. ``label`` is
    what messages call the archive, its file name when empty. Everything comes into ``folder`` at once, by
    a rename, and nothing on an error.

    Raises FormatError for what is no archive, or damaged or cut; PermanentError for an encrypted one and
    beyond a limit; NotFoundError when there is no such file; StorageError when the disk is full.
    """
    label = label or archive.name
    budget = Budget(limits, label, _size(archive))
    _require_empty(folder)
    with _workshop(folder.parent, label) as workshop:
        unpacker = _Unpacker(workshop, label, budget)
        unpacker.take_all(archive, _required_kind(archive, label, budget), label, inside="", depth=1)
        _move(unpacker.folder, folder, label)
    files = (replace(file, path=folder / file.path.name) for file in unpacker.files)
    return Unpacking(tuple(files), tuple(unpacker.left_out))


def members(archive: Path, *, limits: Limits = DEFAULT_LIMITS, label: str = "") -> tuple[Member, ...]:
    """Return the files in an archive, in order; archives inside it are files here. Errors as ``unpack``."""
    label = label or archive.name
    budget = Budget(limits, label, _size(archive))
    kind = _required_kind(archive, label, budget)
    return tuple(Member(entry.name, entry.size) for entry in _files(archive, kind, label, budget))


def extract_member(
    archive: Path, member: str, target: Path, *, limits: Limits = DEFAULT_LIMITS, label: str = ""
) -> Unpacked:
    """Take one file out of an archive and put it at ``target``.

    ``member`` is its path or its base name; case counts unless nothing fits otherwise. The archive's own
    files come first, then those of archives inside it. Raises NotFoundError that names near ones, or
    PermanentError when several files fit; other errors as ``unpack``.
    """
    label = label or archive.name
    names = [each.name for each in members(archive, limits=limits, label=label)]
    number = _find(names, member, label)
    with _workshop(target.parent, label) as workshop:
        if number is None:
            found = _take_from_inner(archive, member, names, workshop, limits, label)
        else:
            found = _take_one(archive, number, workshop, label, Budget(limits, label, _size(archive)))
        _move(found.path, target, label)
    return replace(found, path=target)


class _Unpacker:
    """Takes files out of an archive and out of archives inside it, all into one folder."""

    def __init__(self, workshop: Path, label: str, budget: Budget) -> None:
        self.folder = workshop / "files"
        self._workshop = workshop
        self._label = label
        self._budget = budget
        self.files: list[Unpacked] = []
        self.left_out: list[LeftOut] = []

    def take_all(self, archive: Path, kind: Kind, label: str, *, inside: str, depth: int) -> None:
        self._budget.enter(depth)
        for entry in entries_of(archive, kind, label, self._budget):
            if entry.refusal:
                self.left_out.append(LeftOut(inside + entry.name, entry.refusal))
            elif not is_clutter(entry.name):
                self._take(entry, inside + entry.name, depth)

    def _take(self, entry: Entry, member: str, depth: int) -> None:
        path = self.folder / f"{len(self.files) + 1:06d}_{_safe(entry.name)}"
        size = _write(entry, path, self._label)
        label = f"{self._label} ({member})"
        kind = recognize(path, label, self._budget)
        if kind is None:
            self.files.append(Unpacked(member, path, size))
            return
        inner = path.rename(self._workshop / f"archive_{depth}")
        self.take_all(inner, kind, label, inside=f"{member}/", depth=depth + 1)
        inner.unlink()


def _files(archive: Path, kind: Kind, label: str, budget: Budget) -> Iterator[Entry]:
    for entry in entries_of(archive, kind, label, budget):
        if not entry.refusal and not is_clutter(entry.name):
            yield entry


def _take_one(archive: Path, number: int, folder: Path, label: str, budget: Budget) -> Unpacked:
    kind = _required_kind(archive, label, budget)
    for place, entry in enumerate(_files(archive, kind, label, budget)):
        if place == number:
            return Unpacked(entry.name, folder / "member", _write(entry, folder / "member", label))
    raise StorageError(f"{label} changed while it was read")


def _take_from_inner(
    archive: Path, member: str, names: Sequence[str], workshop: Path, limits: Limits, label: str
) -> Unpacked:
    """Look for a file in the archives inside; only where names tell that there are any, as it takes long."""
    files: tuple[Unpacked, ...] = ()
    if any(name.lower().endswith(_ARCHIVE_SUFFIXES) for name in names):
        files = unpack(archive, workshop / "all", limits=limits, label=label).files
    inner = [file.member for file in files]
    number = _find(inner, member, label)
    if number is None:
        known = [*names, *(name for name in inner if name not in names)]
        near = difflib.get_close_matches(member, known, n=_SHOWN, cutoff=0.5) or known[:_SHOWN]
        listed = f"near ones: {', '.join(near)}" if near else "it holds no files"
        raise NotFoundError(f"{label} has no member {member} among its {len(known):,}; {listed}")
    return files[number]


def _write(entry: Entry, path: Path, label: str) -> int:
    """Write an entry's content into a new file; return its size."""
    content = entry.content()
    size = 0
    try:
        with path.open("xb") as stream:
            for chunk in content:
                stream.write(chunk)
                size += len(chunk)
    except OSError as error:
        raise StorageError(f"could not unpack member {entry.name} of {label}: {error}") from error
    return size


def _find(names: Sequence[str], member: str, label: str) -> int | None:
    """Return the number of the one name that fits best, or None. Raises PermanentError when several do."""
    base = base_name(member)
    ways = (
        [name == member for name in names],
        [base_name(name) == base for name in names],
        [base_name(name).casefold() == base.casefold() for name in names],
    )
    for fits in ways:
        numbers = [number for number, fit in enumerate(fits) if fit]
        if len(numbers) == 1:
            return numbers[0]
        if numbers:
            shown = ", ".join(names[number] for number in numbers[:_SHOWN])
            raise PermanentError(
                f"{label}: {len(numbers):,} members fit {member}: {shown}; give the whole path"
            )
    return None


def _required_kind(archive: Path, label: str, budget: Budget) -> Kind:
    kind = recognize(archive, label, budget)
    if kind is None:
        raise no_archive(archive, label)
    return kind


def _size(archive: Path) -> int:
    try:
        return archive.stat().st_size
    except FileNotFoundError as error:
        raise NotFoundError(f"no archive at {archive}") from error
    except OSError as error:
        raise StorageError(f"could not read {archive}: {error}") from error


def _safe(name: str) -> str:
    """Return what of a base name can be part of a file's name anywhere; its end tells more than its start."""
    return _UNSAFE.sub("_", base_name(name))[-_NAME_BYTES:]


def _require_empty(folder: Path) -> None:
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise PermanentError(f"{folder} is not an empty folder; nothing was unpacked into it")


@contextmanager
def _workshop(folder: Path, label: str) -> Iterator[Path]:
    """Give a folder for work in progress inside ``folder``, and remove it whatever happens."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        workshop = Path(tempfile.mkdtemp(prefix=".unpacking-", dir=folder))
        (workshop / "files").mkdir()
    except OSError as error:
        raise StorageError(f"could not unpack {label} in {folder}: {error}") from error
    try:
        yield workshop
    finally:
        shutil.rmtree(workshop, ignore_errors=True)


def _move(made: Path, target: Path, label: str) -> None:
    try:
        made.replace(target)
    except OSError as error:
        raise StorageError(f"could not put what was in {label} at {target}: {error}") from error
