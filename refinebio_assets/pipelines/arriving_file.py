"""Stores a source file that has arrived: hashed, FASTQ fully checked, archives and SRA runs taken apart.

What an archive holds is stored, not the archive: the same content is in the lake once, whichever way it
came.
"""

from __future__ import annotations

import gzip
import hashlib
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from refinebio_assets.domain import FileRole, SourceFile
from refinebio_assets.errors import FormatError, RefinebioError, StorageError, TransientError
from refinebio_assets.formats.archive import extract_members, unpack
from refinebio_assets.formats.cel import read_cel_header
from refinebio_assets.formats.fastq import FastqScanner, FastqStats
from refinebio_assets.lake.store import Lake, StoredFile
from refinebio_assets.pipelines.fetch_file import (
    Origin,
    Tell,
    WebSource,
    locate,
    no_web,
    promised,
    within_reach,
)
from refinebio_assets.platforms.file_roles import is_archive, role_of_file
from refinebio_assets.tools.sra_tools import sra_to_fastq

CHUNK_BYTES = 4 * 1024 * 1024
CORES_A_CONVERSION = 2
"""Several runs are converted at a time, and reading is most of the work."""
FASTQ_ROLES = (FileRole.FASTQ_1, FileRole.FASTQ_2)


@dataclass(frozen=True, slots=True)
class Findings:
    """What a file turned out to hold: ``fastq`` how its reads are, ``chip_type`` the array of a CEL file."""

    fastq: FastqStats | None = None
    chip_type: str = ""


@dataclass(frozen=True, slots=True)
class FetchedFile:
    """A source file in the lake, and what a look into it found (``findings``).

    ``member`` is its path in the archive or run that it came out of, empty when it came by itself.
    """

    origin: Origin
    role: FileRole | None
    member: str
    stored: StoredFile
    md5: str
    findings: Findings


@dataclass(frozen=True, slots=True)
class FailedPart:
    """A member of an archive that is not what it should be."""

    role: FileRole
    member: str
    error: RefinebioError


Parts = list[FetchedFile | FailedPart]


def fetch(lake: Lake, location: str, role: FileRole | None, web: WebSource = no_web) -> FetchedFile:
    """Bring one file of a person's own into the lake.

    Raises NotFoundError when it is missing, FormatError when a FASTQ is damaged, TransientError when it
    changed while it was read, StorageError when the lake cannot take it.
    """
    origin = locate(location, web)
    with within_reach(lake, SourceFile(role or FileRole.ARCHIVE, location), web) as path:
        fetched = _store(lake, path, origin, role)
        if locate(location, web) != origin or (origin.size and fetched.stored.size != origin.size):
            raise TransientError(f"{location} changed while it was read; nothing was recorded")
    return fetched


def fetch_from_archive(
    lake: Lake, files: Sequence[SourceFile], web: WebSource, tell: Tell | None = None
) -> dict[SourceFile, Parts | RefinebioError]:
    """Bring what a public archive holds at one location into the lake, downloading it once.

    ``files`` are the files wanted from there, all with the same location; a run of SRA gives one or two
    FASTQ files, an archive whose members are not known gives each file that has a role. What is wrong with
    one of the files, a member that is not there, say, is returned in its place. Raises what concerns all:
    a damaged archive, and what ``within_reach`` raises.
    """
    with within_reach(lake, files[0], web, tell) as path:
        members = [file for file in files if file.member]
        taken = _take_members(lake, path, members) if members else {}
        return taken | {file: _attempt(lake, path, file) for file in files if not file.member}


def check_stored(lake: Lake, stored: StoredFile, role: FileRole, label: str) -> Findings:
    """Check a file of the lake as it would be checked on arrival, and return what was found.

    Raises FormatError for a damaged FASTQ or CEL file; files of other roles have no checks of their own.
    """
    if role is FileRole.CEL:
        return Findings(chip_type=read_cel_header(lake.local(stored), label=label).chip_type)
    if role not in FASTQ_ROLES:
        return Findings()
    scanner = FastqScanner(label)
    with lake.open(stored) as stream:
        while chunk := stream.read(CHUNK_BYTES):
            scanner.feed(chunk)
    scanner.finish()
    return Findings(fastq=scanner.stats())


def _attempt(lake: Lake, path: Path, file: SourceFile) -> Parts | RefinebioError:
    try:
        return _take(lake, path, file)
    except StorageError:
        raise
    except RefinebioError as error:
        return error


def _take(lake: Lake, path: Path, file: SourceFile) -> Parts:
    if file.role is FileRole.SRA:
        return _take_run(lake, path, file)
    if file.role is FileRole.ARCHIVE or is_archive(file.name):
        return _take_all(lake, path, file)
    return [_store(lake, path, promised(file), file.role)]


def _take_run(lake: Lake, path: Path, file: SourceFile) -> Parts:
    with _scratch(path) as folder:
        converted = sra_to_fastq(path, folder, cores=CORES_A_CONVERSION, run=file.name.removesuffix(".sra"))
        compressed = [_compress(fastq) for fastq in converted.fastqs]
        return [
            _store(lake, fastq, promised(file), role, member=fastq.name)
            for fastq, role in zip(compressed, FASTQ_ROLES, strict=False)
        ]


def _compress(fastq: Path) -> Path:
    """Replace a FASTQ file by its gzip, a fifth of the size; the same reads give the same bytes."""
    target = fastq.with_name(f"{fastq.name}.gz")
    try:
        with (
            fastq.open("rb") as plain,
            target.open("wb") as raw,
            gzip.GzipFile(filename="", mode="wb", compresslevel=1, fileobj=raw, mtime=0) as packed,
        ):
            shutil.copyfileobj(plain, packed, CHUNK_BYTES)
        fastq.unlink()
    except OSError as error:
        raise StorageError(f"could not compress {fastq}: {error}") from error
    return target


def _take_members(
    lake: Lake, path: Path, files: Sequence[SourceFile]
) -> dict[SourceFile, Parts | RefinebioError]:
    """Take the members that samples wait for out of their archive, in one pass."""
    taken: dict[SourceFile, Parts | RefinebioError] = {}
    with _scratch(path) as folder:
        wanted = list(dict.fromkeys(file.member for file in files))
        found = extract_members(path, wanted, folder / "members", label=files[0].location)
        for file in files:
            member = found[file.member]
            if isinstance(member, RefinebioError):
                taken[file] = member
            else:
                taken[file] = [_store_part(lake, member.path, file, file.role, file.member)]
    return taken


def _take_all(lake: Lake, path: Path, file: SourceFile) -> Parts:
    with _scratch(path) as folder:
        members = [
            (each, role_of_file(each.member))
            for each in unpack(path, folder / "members", label=file.location).files
        ]
        wanted = [
            (each, role)
            for each, role in members
            if role is not None and file.role in (FileRole.ARCHIVE, role)
        ]
        if not wanted:
            names = ", ".join(each.member for each, _ in members[:5]) or "nothing"
            raise FormatError(file.location, expected=f"a file of role {file.role}", found=names)
        return [_store_part(lake, each.path, file, role, each.member) for each, role in wanted]


def _store_part(
    lake: Lake, path: Path, file: SourceFile, role: FileRole, member: str
) -> FetchedFile | FailedPart:
    """Store one member of an archive; what is wrong with it concerns no other."""
    try:
        return _store(lake, path, promised(file), role, member=member)
    except StorageError:
        raise
    except RefinebioError as error:
        return FailedPart(role, member, error)


def _store(lake: Lake, path: Path, origin: Origin, role: FileRole | None, member: str = "") -> FetchedFile:
    """Read a local file once while hashing and scanning it into the lake."""
    label = f"{origin.location} ({member})" if member else origin.location
    md5 = hashlib.md5(usedforsecurity=False)
    scanner = FastqScanner(label) if role in FASTQ_ROLES else None
    name = (member or origin.location.split("?", 1)[0]).rstrip("/").rsplit("/", 1)[-1]
    chip_type = read_cel_header(path, label=label).chip_type if role is FileRole.CEL else ""
    stored = lake.put_object(_observed(path, label, md5, scanner), name)
    findings = Findings(scanner.stats() if scanner else None, chip_type)
    return FetchedFile(origin, role, member, stored, md5.hexdigest(), findings)


def _observed(path: Path, location: str, md5: Any, scanner: FastqScanner | None) -> Iterator[bytes]:
    try:
        with path.open("rb") as stream:
            while chunk := stream.read(CHUNK_BYTES):
                md5.update(chunk)
                if scanner is not None:
                    scanner.feed(chunk)
                yield chunk
    except OSError as error:
        raise TransientError(f"could not read {location}: {error}") from error
    if scanner is not None:
        scanner.finish()


@contextmanager
def _scratch(path: Path) -> Iterator[Path]:
    """Give an empty folder beside a download, on the disk that had room for it."""
    folder = Path(tempfile.mkdtemp(prefix="unpacked-", dir=path.parent))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
