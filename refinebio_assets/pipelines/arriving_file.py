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
from refinebio_assets.errors import FormatError, StorageError, TransientError
from refinebio_assets.formats.archive import extract_member, unpack
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
from refinebio_assets.pipelines.workers import available_cores
from refinebio_assets.platforms.file_roles import is_archive, role_of_file
from refinebio_assets.tools.sra_tools import sra_to_fastq

CHUNK_BYTES = 4 * 1024 * 1024
FASTQ_ROLES = (FileRole.FASTQ_1, FileRole.FASTQ_2)


@dataclass(frozen=True, slots=True)
class FetchedFile:
    """A source file in the lake. ``fastq`` is what its reads are like, for FASTQ files only.

    ``member`` is its path in the archive or run that it came out of, empty when it came by itself.
    """

    origin: Origin
    role: FileRole | None
    member: str
    stored: StoredFile
    md5: str
    fastq: FastqStats | None


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
) -> dict[SourceFile, list[FetchedFile]]:
    """Bring what a public archive holds at one location into the lake, downloading it once.

    ``files`` are the files wanted from there, all with the same location; a run of SRA gives one or two
    FASTQ files, an archive whose members are not known gives each file that has a role. Raises
    FormatError when the content is not what it should be, and what ``within_reach`` raises.
    """
    with within_reach(lake, files[0], web, tell) as path:
        return {file: _take(lake, path, file) for file in files}


def _take(lake: Lake, path: Path, file: SourceFile) -> list[FetchedFile]:
    if file.role is FileRole.SRA:
        return _take_run(lake, path, file)
    if file.member:
        return [_take_member(lake, path, file)]
    if file.role is FileRole.ARCHIVE or is_archive(file.name):
        return _take_all(lake, path, file)
    return [_store(lake, path, promised(file), file.role)]


def _take_run(lake: Lake, path: Path, file: SourceFile) -> list[FetchedFile]:
    with _scratch(path) as folder:
        converted = sra_to_fastq(path, folder, cores=available_cores(), run=file.name.removesuffix(".sra"))
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


def _take_member(lake: Lake, path: Path, file: SourceFile) -> FetchedFile:
    with _scratch(path) as folder:
        target = folder / "member"
        extract_member(path, file.member, target, label=file.location)
        return _store(lake, target, promised(file), file.role, member=file.member)


def _take_all(lake: Lake, path: Path, file: SourceFile) -> list[FetchedFile]:
    with _scratch(path) as folder:
        members = [
            (each, role_of_file(each.member)) for each in unpack(path, folder, label=file.location).files
        ]
        wanted = [
            (each, role)
            for each, role in members
            if role is not None and file.role in (FileRole.ARCHIVE, role)
        ]
        if not wanted:
            names = ", ".join(each.member for each, _ in members[:5]) or "nothing"
            raise FormatError(file.location, expected=f"a file of role {file.role}", found=names)
        return [_store(lake, each.path, promised(file), role, member=each.member) for each, role in wanted]


def _store(lake: Lake, path: Path, origin: Origin, role: FileRole | None, member: str = "") -> FetchedFile:
    """Read a local file once while hashing and scanning it into the lake."""
    label = f"{origin.location} ({member})" if member else origin.location
    md5 = hashlib.md5(usedforsecurity=False)
    scanner = FastqScanner(label) if role in FASTQ_ROLES else None
    name = (member or origin.location.split("?", 1)[0]).rstrip("/").rsplit("/", 1)[-1]
    stored = lake.put_object(_observed(path, label, md5, scanner), name)
    return FetchedFile(origin, role, member, stored, md5.hexdigest(), scanner.stats() if scanner else None)


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
