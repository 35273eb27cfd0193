"""Taking some files out of an archive by their names, in one pass over it.

Taking all is the work of ``unpacking``, which name means which file that of ``names``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

from refinebio_assets.errors import PermanentError, RefinebioError
from refinebio_assets.formats.archive.kinds import budget_of, files_of, required_kind
from refinebio_assets.formats.archive.limits import DEFAULT_LIMITS, Budget, Limits
from refinebio_assets.formats.archive.names import Missing, Names, folded_base
from refinebio_assets.formats.archive.unpacking import Unpacked, Unpacker
from refinebio_assets.formats.archive.workshop import move, numbered_name, require_empty, work_folder, write

_ARCHIVE_SUFFIXES = (".tar", ".tgz", ".tar.gz", ".tbz2", ".tbz", ".tar.bz2", ".zip")
Found = dict[str, Unpacked | RefinebioError]


def extract_members(
    archive: Path, wanted: Sequence[str], folder: Path, *, limits: Limits = DEFAULT_LIMITS, label: str = ""
) -> dict[str, Unpacked | RefinebioError]:
    """Take some files out of an archive into ``folder``, which is new or empty.

    A wanted name is a file's path or its base name; case counts unless nothing fits otherwise. The
    archive's own files come first, then those of archives inside it, for which the archive is read once
    more; a path into an archive inside (``inner.tar/a.CEL``) is looked for there at once. Returns, for
    each wanted name, its file (names that mean the same file share it) or what is wrong with that name
    alone: a NotFoundError that names near ones, a PermanentError when several files fit, or why the
    archives inside, where it may be, cannot be read. The files get names as in ``unpack`` and come into
    ``folder`` at once; nothing is there after an error for all.

    Raises what concerns all names, as ``unpack``: FormatError for what is no archive, or damaged or cut,
    PermanentError beyond a limit and when a file with a wanted base name is encrypted, NotFoundError when
    there is no such archive, StorageError when the disk is full.
    """
    label = label or archive.name
    require_empty(folder)
    with work_folder(folder.parent, label) as workshop:
        found = _find_all(archive, wanted, workshop, limits, label)
        placed = _place(found, workshop / "files", label)
        move(workshop / "files", folder, label)
    return {
        name: each if isinstance(each, RefinebioError) else replace(each, path=folder / each.path.name)
        for name, each in placed.items()
    }


def extract_member(
    archive: Path, member: str, target: Path, *, limits: Limits = DEFAULT_LIMITS, label: str = ""
) -> Unpacked:
    """Take one file out of an archive and put it at ``target``; for several, ``extract_members`` is faster.

    ``member`` is found, and errors are, as there; what is wrong with the name is raised as well.
    """
    label = label or archive.name
    with work_folder(target.parent, label) as workshop:
        found = _find_all(archive, [member], workshop, limits, label)[member]
        if isinstance(found, RefinebioError):
            raise found
        move(found.path, target, label)
    return replace(found, path=target)


def _find_all(archive: Path, wanted: Sequence[str], workshop: Path, limits: Limits, label: str) -> Found:
    """Find each wanted name, in the archives inside only where names tell that there are any."""
    budget = budget_of(archive, limits, label)
    names, files = _take_own(archive, _fits_any(wanted), workshop, label, budget)
    inside = _paths_into(names, wanted)
    found = _resolve([name for name in wanted if name not in inside], files, label)
    rest = [name for name in wanted if name not in found]
    if inside or (rest and any(name.lower().endswith(_ARCHIVE_SUFFIXES) for name in names)):
        budget = budget_of(archive, limits, label)
        try:
            inner, files = _take_inner(archive, _fits_any(rest), workshop, label, budget)
        except PermanentError as error:
            if budget.passed:
                raise
            return found | dict.fromkeys(rest, error)
        own = set(names)
        names = [*names, *(name for name in inner if name not in own)]
        found |= _resolve(rest, files, label)
    missing = Missing(names, label)
    return {name: found[name] if name in found else missing.error(name) for name in wanted}


def _paths_into(names: Iterable[str], wanted: Iterable[str]) -> set[str]:
    """Return the wanted names that are paths into one of these files, so that it must be an archive.

    One of the archive's own files with the same base name is another file.
    """
    own = set(names)
    return {name for name in wanted if any(str(parent) in own for parent in PurePosixPath(name).parents)}


def _fits_any(wanted: Iterable[str]) -> Callable[[str], bool]:
    """Return what tells of a file whether any of the wanted names may mean it.

    Which one does is not known before the last file, and reading all again costs more than a few
    namesakes too many.
    """
    bases = {folded_base(name) for name in wanted}
    return lambda name: folded_base(name) in bases


def _take_own(
    archive: Path, fits: Callable[[str], bool], workshop: Path, label: str, budget: Budget
) -> tuple[list[str], list[Unpacked]]:
    """Return the names of the archive's own files, and those files that fit."""
    names: list[str] = []
    files: list[Unpacked] = []
    for entry in files_of(archive, required_kind(archive, label, budget), label, budget):
        names.append(entry.name)
        if fits(entry.name):
            path = workshop / f"own_{len(files)}"
            files.append(Unpacked(entry.name, path, write(entry, path, label)))
    return names, files


def _take_inner(
    archive: Path, fits: Callable[[str], bool], workshop: Path, label: str, budget: Budget
) -> tuple[list[str], list[Unpacked]]:
    """Return the names of all files, those in archives inside included, and the files that fit."""
    with work_folder(workshop, label) as inner:
        unpacker = Unpacker(inner, label, budget, fits)
        unpacker.take_all(archive)
        move(unpacker.folder, workshop / "inner", label)
    files = [replace(file, path=workshop / "inner" / file.path.name) for file in unpacker.files]
    return unpacker.names, files


def _resolve(wanted: Iterable[str], files: Sequence[Unpacked], label: str) -> Found:
    """Return what each wanted name means among the files, without those that mean nothing."""
    index = Names(file.member for file in files)
    found: Found = {}
    for name in wanted:
        try:
            number = index.find(name, label)
        except PermanentError as error:
            found[name] = error
        else:
            if number is not None:
                found[name] = files[number]
    return found


def _place(found: Found, folder: Path, label: str) -> Found:
    """Give the files that were found their names in the folder."""
    placed: dict[Path, Path] = {}
    result = dict(found)
    for name, each in found.items():
        if isinstance(each, Unpacked):
            if each.path not in placed:
                placed[each.path] = folder / numbered_name(len(placed) + 1, each.member)
                move(each.path, placed[each.path], label)
            result[name] = replace(each, path=placed[each.path])
    return result
