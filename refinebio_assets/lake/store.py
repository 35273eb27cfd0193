"""The lake: immutable files, and the commit log that says which of them exist.

``objects/ab/<sha256>`` holds raw files by content, ``assets/<asset>/<partition>/<commit id>/`` the files
of outputs, ``log/<asset>/<partition>/<commit id>.json`` the commit records; what has no record does not
exist. ``staging/`` holds files on their way in, ``claims/`` the numbers of versions that were given out,
``removing/`` notices of what is about to go, ``damaged/`` what was set aside.
Writers never wait for each other. The catalog made from all this is in `catalog.py`, what keeps it tidy in
`upkeep.py`.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO
from uuid import uuid4

from refinebio_assets.errors import NotFoundError, StorageError
from refinebio_assets.lake.content import LocalCopies, read_verified, verify_file
from refinebio_assets.lake.draft import Draft
from refinebio_assets.lake.naming import (
    check_file_name,
    commit_id_of,
    decode_name,
    encode_name,
    is_shortened,
    new_commit_id,
    object_path,
)
from refinebio_assets.lake.records import Commit, InputRef, LogEntry, StoredFile, read_record
from refinebio_assets.lake.storage import LocalStorage, Storage, make_scratch, remove_tree, storing

if TYPE_CHECKING:
    import pyarrow as pa

    from refinebio_assets.lake.damage import VerifyReport
    from refinebio_assets.lake.upkeep import Orphan

__all__ = ["Commit", "Draft", "InputRef", "Lake", "LogEntry", "StoredFile", "utc_now"]

DAMAGED = "damaged"
_LOCAL_SCHEMES = ("file", "local")
# From a bucket a record waits 20 to 100 ms for the server.
_READ_AT_ONCE, _WAITING = 16, 1000
_DISK_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def utc_now() -> datetime:
    """Return the present moment in UTC."""
    return datetime.now(UTC)


def default_cache(url: str) -> Path:
    """Return the folder for local copies of a remote lake, one for each URL."""
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "refinebio-assets" / sha256(url.encode()).hexdigest()[:16]


class Lake:
    """A root folder or bucket (any fsspec URL) with everything that was committed to it.

    ``cache`` is a local folder for copies of a remote lake's files; ``now`` is the clock. Making a Lake
    reads and writes nothing. Every method raises StorageError when the disk or server fails.
    """

    def __init__(self, url: str, *, cache: Path | None = None, now: Callable[[], datetime] = utc_now) -> None:
        scheme, separator, rest = str(url).partition("://")
        self.is_local = not separator or scheme in _LOCAL_SCHEMES
        self.now = now
        self.storage: Storage
        if self.is_local:
            root = Path(rest if separator else str(url)).expanduser().absolute()
            self.url = str(root)
            self.cache = cache or root / "cache"
            self.storage = LocalStorage(root)
        else:
            from refinebio_assets.lake.remote import RemoteStorage

            self.url = str(url).rstrip("/")
            self.cache = cache or default_cache(self.url)
            self.storage = RemoteStorage(self.url, self.cache / "staging")
        self._copies = LocalCopies(self.storage, self.cache)
        self._present: set[str] = set()

    def __repr__(self) -> str:
        return f"Lake({self.url!r})"

    # Raw files, by content

    def put_object(self, chunks: Iterable[bytes], name: str) -> StoredFile:
        """Store a file by its content; there is one file of equal content, the one stored last.

        So what was damaged in the lake is whole again, and what is brought in again looks new to ``gc``;
        reading what is there would cost as much. ``name`` is what the file is called where it belongs.
        Errors of ``chunks`` pass through and leave nothing behind.
        """
        check_file_name(name)
        folder = make_scratch(self.storage.scratch, "object")
        try:
            checksum, size = _write_chunks(folder / "content", chunks)
            path = object_path(checksum)
            self.storage.put(folder / "content", path)
        finally:
            remove_tree(folder)
        self._present.add(path)
        return StoredFile(name, path, size, checksum)

    def has_object(self, sha256: str) -> bool:
        """Tell whether the content with this checksum is stored."""
        return self.storage.size(object_path(sha256)) is not None

    # Files

    def open(self, file: StoredFile) -> BinaryIO:
        """Open a stored file for reading, unverified. Raises NotFoundError."""
        return self.storage.open(file.path)

    def local(self, file: StoredFile) -> Path:
        """Return a path to read the file's content at: in place, or a verified copy in the cache.

        Raises NotFoundError for a lost file, CorruptionError for one that is not what was committed
        (in place, only the size is looked at: see ``verify``).
        """
        return self._copies.file(file)

    def local_folder(self, commit: Commit, prefix: str) -> Path:
        """Return a folder with the commit's files whose names start with ``prefix`` and a slash.

        In place where they lie together, else verified copies; same errors as ``local``.
        """
        start = f"{prefix}/"
        files = {file.name[len(start) :]: file for file in commit.files if file.name.startswith(start)}
        if not files:
            raise NotFoundError(f"{commit}: no folder {prefix!r}")
        return self._copies.folder(files)

    def missing_files(self, commit: Commit, *, tables: bool = True) -> list[str]:
        """Return the names of the commit's files that are lost or of another size.

        ``tables`` False leaves tables out, for who reads them anyway. On a remote lake the files that came
        with the commit are looked at in one listing; those that it attached only where `lost` looks.
        """
        left_out = frozenset() if tables else frozenset(commit.tables.values())
        files = [file for file in commit.files if file.name not in left_out]
        if self.is_local:
            lost = set(self.lost(files))
            return [file.name for file in files if file in lost]
        folder = f"{commit.entry.folder}/"
        own = [file for file in files if file.path.startswith(folder)]
        present = self.storage.tree(commit.entry.folder) if own else {}
        sizes = {f"{folder}{path}": found.size for path, found in present.items()}
        lost = {file for file in own if sizes.get(file.path) != file.size}
        lost.update(self.lost([file for file in files if file not in own]))
        return [file.name for file in files if file in lost]

    def lost(self, files: Sequence[StoredFile]) -> list[StoredFile]:
        """Return those of some files that are lost or of another size.

        One look a file on a local disk. On a remote lake, where that takes a request each, only those are
        looked at that were set aside as damaged, which one listing tells.
        """
        if not self.is_local and files:
            aside = self.set_aside_paths()
            files = [file for file in files if file.path in aside]
        return [file for file in files if self.storage.size(file.path) != file.size]

    def set_aside_paths(self) -> set[str]:
        """Return the paths that damaged files had before they were set aside; see `damage.set_aside`."""
        return {path.partition("/")[2] for path in self.storage.tree(DAMAGED)}

    # Outputs

    @contextmanager
    def draft(self, asset: str, partition: str, *, kept: Path | None = None) -> Iterator[Draft]:
        """Stage an output; leaving without ``commit`` removes everything staged.

        ``kept`` is a folder below the storage's ``scratch`` whose files are staged as they are, and which
        stays when nothing is committed. Raises StorageError when the staging disk is full, RequestError for
        an impossible name.
        """
        for name in (asset, partition):
            encode_name(name)
        folder = kept or make_scratch(self.storage.scratch, "draft")
        draft = Draft(self, asset, partition, folder, keep=kept is not None)
        try:
            yield draft
        except OSError as error:
            if error.errno in _DISK_FULL:
                raise StorageError(f"staging {asset}[{partition}] in {folder} failed: {error}") from error
            raise
        finally:
            draft.close()

    def head(self, asset: str, partition: str) -> Commit | None:
        """Return the newest commit of a partition, read from the log, or None when there is none.

        Raises FormatError when its record is damaged or of a newer format.
        """
        entries = self._entries(asset, partition)
        return self.read(entries[-1]) if entries else None

    def history(self, asset: str, partition: str) -> list[Commit]:
        """Return all commits of a partition, oldest first. Raises FormatError as ``head`` does."""
        return list(self.read_all(self._entries(asset, partition)))

    def find(self, asset: str, partition: str, commit_id: str) -> Commit | None:
        """Return the partition's commit with this id, or None; no other record is read.

        Raises FormatError as ``head`` does.
        """
        entries = self._entries(asset, partition)
        return next((self.read(entry) for entry in entries if entry.id == commit_id), None)

    def partitions(self, asset: str) -> list[str]:
        """Return the asset's partitions that have a commit, sorted."""
        part = encode_name(asset)
        ids: dict[str, str] = {}
        for child, name in self.storage.grandchildren(f"log/{part}"):
            commit_id = commit_id_of(name)
            if commit_id is not None:
                ids[child] = commit_id
        names = (self._partition_name(LogEntry(part, child, commit_id)) for child, commit_id in ids.items())
        return sorted(name for name in names if name is not None)

    def assets(self) -> list[str]:
        """Return the names of the assets that have a commit, sorted."""
        firsts = (next(self._log_of(part), None) for part in self.storage.names("log"))
        names = (self._asset_name(entry) for entry in firsts if entry is not None)
        return sorted(name for name in names if name is not None)

    def log(self, *, without: Collection[str] = ()) -> Iterator[LogEntry]:
        """Yield the log's entries, unread, partition by partition, except those of the assets ``without``."""
        left_out = {encode_name(asset) for asset in without}
        for part in self.storage.names("log"):
            if part not in left_out:
                yield from self._log_of(part)

    def entries(self, asset: str) -> Iterator[LogEntry]:
        """Yield the log's entries of one asset, unread, partition by partition."""
        return self._log_of(encode_name(asset))

    def entries_at(self, asset_part: str, partition_part: str) -> list[LogEntry]:
        """Return the log's entries of one partition by its encoded names, unread, oldest first."""
        names = self.storage.names(f"log/{asset_part}/{partition_part}")
        ids = sorted(commit_id for name in names if (commit_id := commit_id_of(name)))
        return [LogEntry(asset_part, partition_part, commit_id) for commit_id in ids]

    def read(self, entry: LogEntry) -> Commit:
        """Read one commit record. Raises FormatError when it is damaged or of a newer format."""
        return read_record(self.storage.read(entry.path), entry.path)

    def read_all(self, entries: Iterable[LogEntry]) -> Iterator[Commit]:
        """Yield the commits of entries, in their order, many at a time, but not those removed meanwhile.

        Raises FormatError as ``read`` does.
        """
        if self.is_local:
            yield from filter(None, map(self._read_if_there, entries))
            return
        remaining = iter(entries)
        with ThreadPoolExecutor(_READ_AT_ONCE) as pool:
            while some := list(islice(remaining, _WAITING)):
                yield from filter(None, pool.map(self._read_if_there, some))

    def read_table(self, commit: Commit, table: str) -> pa.Table:
        """Return a table that the commit carries: content verified, schema checked.

        Columns that were declared later are null. Raises NotFoundError when the commit has no such
        table, CorruptionError, FormatError.
        """
        from refinebio_assets.lake.parquet import declared_table, read_rows

        if table not in commit.tables:
            raise NotFoundError(f"{commit}: no table {table!r}; it has {', '.join(commit.tables) or 'none'}")
        file = commit.file(commit.tables[table])
        return read_rows(read_verified(self.storage, file), declared_table(table), file.path)

    def claim_number(self, asset: str, partition: str, *, above: int = 0) -> int:
        """Return the next number, above ``above``, that nobody else gets for this partition.

        In a bucket this needs conditional writes, as S3 and Google's storage have them.
        """
        folder = f"claims/{encode_name(asset)}/{encode_name(partition)}"
        taken = [int(name) for name in self.storage.names(folder) if name.isdecimal()]
        number = max(above, *taken, 0) + 1
        while not self.storage.create(self.now().isoformat().encode(), f"{folder}/{number}"):
            number += 1
        return number

    def release_number(self, asset: str, partition: str, number: int) -> None:
        """Give a claimed number back, when nothing was committed under it."""
        self.storage.remove(f"claims/{encode_name(asset)}/{encode_name(partition)}/{number}")

    # Upkeep

    def verify(self, commit: Commit) -> None:
        """Read all files of a commit and compare their checksums.

        Raises CorruptionError that names file, expected and found checksum; NotFoundError for a lost
        file.
        """
        for file in commit.files:
            verify_file(self.storage, file)

    def verify_all(self, assets: Iterable[str] | None = None) -> VerifyReport:
        """Verify all commits (of these assets); see `damage.verify_all`."""
        from refinebio_assets.lake import damage

        return damage.verify_all(self, assets)

    def orphans(self, older_than: timedelta | None = None) -> list[Orphan]:
        """List what killed processes left behind; see `upkeep.orphans`."""
        from refinebio_assets.lake import upkeep

        return upkeep.orphans(self, older_than or upkeep.SAFE_AGE)

    def sweep(self, older_than: timedelta | None = None) -> list[Orphan]:
        """Remove what killed processes left behind, and return it; see `upkeep.sweep`."""
        from refinebio_assets.lake import upkeep

        return upkeep.sweep(self, older_than or upkeep.SAFE_AGE)

    def require_stored(self, file: StoredFile) -> None:
        """Raise NotFoundError unless a file of this size is stored at its path."""
        if file.path in self._present:
            return
        if self.storage.size(file.path) != file.size:
            raise NotFoundError(f"{file.name} at {file.path} is not in the lake with {file.size:,} bytes")
        self._present.add(file.path)

    def next_entry(self, asset: str, partition: str) -> LogEntry:
        """Return where the partition's next commit goes: after all that are visible now."""
        entries = self._entries(asset, partition)
        newest = entries[-1].id if entries else None
        commit_id = new_commit_id(self.now(), uuid4().hex[:8], after=newest)
        return LogEntry(encode_name(asset), encode_name(partition), commit_id)

    def _read_if_there(self, entry: LogEntry) -> Commit | None:
        try:
            return self.read(entry)
        except NotFoundError:
            return None

    def _entries(self, asset: str, partition: str) -> list[LogEntry]:
        return self.entries_at(encode_name(asset), encode_name(partition))

    def _log_of(self, asset_part: str) -> Iterator[LogEntry]:
        for child, name in self.storage.grandchildren(f"log/{asset_part}"):
            commit_id = commit_id_of(name)
            if commit_id is not None:
                yield LogEntry(asset_part, child, commit_id)

    def _asset_name(self, entry: LogEntry) -> str | None:
        return self.read(entry).asset if is_shortened(entry.asset_part) else decode_name(entry.asset_part)

    def _partition_name(self, entry: LogEntry) -> str | None:
        if is_shortened(entry.partition_part):
            return self.read(entry).partition
        return decode_name(entry.partition_part)


def _write_chunks(path: Path, chunks: Iterable[bytes]) -> tuple[str, int]:
    """Write chunks to a file while hashing them; only failures of writing become StorageError."""
    digest, size = sha256(), 0
    with storing(f"writing {path}"):
        file = path.open("xb")
    try:
        for chunk in chunks:
            digest.update(chunk)
            size += len(chunk)
            with storing(f"writing {path}"):
                file.write(chunk)
        with storing(f"writing {path}"):
            file.close()
    finally:
        with suppress(OSError):
            file.close()
    return digest.hexdigest(), size
