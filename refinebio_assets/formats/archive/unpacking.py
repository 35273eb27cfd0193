"""Taking all files out of an archive, and listing them; taking some is the work of ``extraction``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from refinebio_assets.formats.archive.entry import Entry, is_clutter
from refinebio_assets.formats.archive.kinds import (
    Kind,
    budget_of,
    entries_of,
    files_of,
    recognize,
    required_kind,
)
from refinebio_assets.formats.archive.limits import DEFAULT_LIMITS, Budget, Limits
from refinebio_assets.formats.archive.workshop import move, numbered_name, require_empty, work_folder, write


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
    budget = budget_of(archive, limits, label)
    require_empty(folder)
    with work_folder(folder.parent, label) as workshop:
        unpacker = Unpacker(workshop, label, budget)
        unpacker.take_all(archive)
        move(unpacker.folder, folder, label)
    files = (replace(file, path=folder / file.path.name) for file in unpacker.files)
    return Unpacking(tuple(files), tuple(unpacker.left_out))


def members(archive: Path, *, limits: Limits = DEFAULT_LIMITS, label: str = "") -> tuple[Member, ...]:
    """Return the files in an archive, in order; archives inside it are files here. Errors as ``unpack``."""
    label = label or archive.name
    budget = budget_of(archive, limits, label)
    kind = required_kind(archive, label, budget)
    return tuple(Member(entry.name, entry.size) for entry in files_of(archive, kind, label, budget))


class Unpacker:
    """Takes files out of an archive and out of archives inside it, all into one folder.

    ``names`` are the members of all files in order, ``files`` those that were kept, as ``keep`` says of a
    member; without it all are.
    """

    def __init__(
        self, workshop: Path, label: str, budget: Budget, keep: Callable[[str], bool] | None = None
    ) -> None:
        self.folder = workshop / "files"
        self._workshop = workshop
        self._label = label
        self._budget = budget
        self._keep = keep
        self.names: list[str] = []
        self.files: list[Unpacked] = []
        self.left_out: list[LeftOut] = []

    def take_all(self, archive: Path) -> None:
        """Take the files of the outermost archive and of all inside; errors as ``unpack``."""
        kind = required_kind(archive, self._label, self._budget)
        self._enter(archive, kind, self._label, inside="", depth=1)

    def _enter(self, archive: Path, kind: Kind, label: str, *, inside: str, depth: int) -> None:
        self._budget.enter(depth)
        for entry in entries_of(archive, kind, label, self._budget):
            if entry.refusal:
                self.left_out.append(LeftOut(inside + entry.name, entry.refusal))
            elif not is_clutter(entry.name):
                self._take(entry, inside + entry.name, depth)

    def _take(self, entry: Entry, member: str, depth: int) -> None:
        path = self.folder / numbered_name(len(self.files) + 1, entry.name)
        size = write(entry, path, self._label)
        label = f"{self._label} ({member})"
        kind = recognize(path, label, self._budget)
        if kind is None:
            self._settle(Unpacked(member, path, size))
            return
        inner = path.rename(self._workshop / f"archive_{depth}")
        self._enter(inner, kind, label, inside=f"{member}/", depth=depth + 1)
        inner.unlink()

    def _settle(self, file: Unpacked) -> None:
        self.names.append(file.member)
        if self._keep is None or self._keep(file.member):
            self.files.append(file)
        else:
            file.path.unlink()
