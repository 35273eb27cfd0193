"""Stored content and its checksum: verified reads, and verified local copies for programs.

Which files there are is `store.py`'s business.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

from refinebio_assets.errors import CorruptionError, NotFoundError
from refinebio_assets.lake.records import StoredFile
from refinebio_assets.lake.storage import (
    LocalStorage,
    Storage,
    make_folder,
    make_scratch,
    remove_tree,
    replace_durably,
    storing,
    sync_path,
)

CHUNK_BYTES = 1 << 20
HINT = "; `refinebio-assets lake verify` says what can be done"


def hash_stream(stream: BinaryIO, write: Callable[[bytes], object] | None = None) -> tuple[str, int]:
    """Return the sha256 and size of a stream's content, handing each chunk to ``write``."""
    digest, size = sha256(), 0
    while chunk := stream.read(CHUNK_BYTES):
        digest.update(chunk)
        size += len(chunk)
        if write is not None:
            write(chunk)
    return digest.hexdigest(), size


def hash_file(path: Path) -> tuple[str, int]:
    """Return the sha256 and size of a local file. Raises StorageError."""
    with storing(f"reading {path}"), path.open("rb") as stream:
        return hash_stream(stream)


def require_content(file: StoredFile, found_sha256: str, found_size: int, hint: str = HINT) -> None:
    """Raise CorruptionError, naming file and both checksums, unless content is what was committed."""
    if (found_sha256, found_size) != (file.sha256, file.size):
        raise CorruptionError(
            f"{file.name} at {file.path}: expected sha256 {file.sha256} ({file.size:,} bytes), "
            f"found {found_sha256} ({found_size:,} bytes){hint}"
        )


def verify_file(storage: Storage, file: StoredFile) -> None:
    """Read a stored file and compare. Raises NotFoundError, CorruptionError, StorageError."""
    with storage.open(file.path) as stream, storing(f"reading {file.path}"):
        found = hash_stream(stream)
    require_content(file, *found, hint="")


def read_verified(storage: Storage, file: StoredFile) -> bytes:
    """Return a stored file's content, verified. Raises NotFoundError, CorruptionError, StorageError."""
    try:
        data = storage.read(file.path)
    except NotFoundError as error:
        raise NotFoundError(f"{error}{HINT}") from error
    require_content(file, sha256(data).hexdigest(), len(data))
    return data


class LocalCopies:
    """Stored files as paths that programs can open: in place, or verified copies in a cache folder.

    A copy is checked in full when it is made and once by each process that uses it.
    """

    def __init__(self, storage: Storage, cache: Path) -> None:
        self._storage = storage
        self._cache = cache
        self._checked: set[Path] = set()

    def file(self, file: StoredFile) -> Path:
        """Return a path with the file's content. Raises NotFoundError, CorruptionError, StorageError."""
        if isinstance(self._storage, LocalStorage):
            self._require_present(file)
            return self._storage.locate(file.path)
        target = self._cache / "files" / file.sha256[:2] / file.sha256 / Path(file.name).name
        if not self._is_sound(target, file):
            temporary = self._storage.scratch / f"copy-{uuid4().hex}"
            try:
                self._copy(file, temporary)
                with storing(f"caching {file.name} as {target}"):
                    replace_durably(temporary, target)
            finally:
                with suppress(OSError):
                    temporary.unlink(missing_ok=True)
            self._checked.add(target)
        return target

    def folder(self, files: Mapping[str, StoredFile]) -> Path:
        """Return a folder that holds the files under these relative names; same errors as ``file``."""
        if isinstance(self._storage, LocalStorage):
            first, file = next(iter(files.items()))
            base = file.path.removesuffix(f"/{first}")
            if all(stored.path == f"{base}/{name}" for name, stored in files.items()):
                for stored in files.values():
                    self._require_present(stored)
                return self._storage.locate(base)
        return self._copied_folder(files)

    def _copied_folder(self, files: Mapping[str, StoredFile]) -> Path:
        content = "".join(f"{file.sha256} {name}\0" for name, file in sorted(files.items()))
        target = self._cache / "folders" / sha256(content.encode()).hexdigest()
        if self._is_whole(target, files):
            return target
        building = make_scratch(self._storage.scratch, "folder")
        damaged = building / "damaged"
        try:
            for name, file in files.items():
                self._copy(file, building / "new" / name)
            # Another process may have made it meanwhile, and programs may be reading it.
            if not self._is_whole(target, files):
                with storing(f"caching a folder as {target}"):
                    if target.exists():
                        target.rename(damaged)
                    replace_durably(building / "new", target)
        finally:
            remove_tree(building)
        self._checked.update(target / name for name in files)
        return target

    def _is_whole(self, folder: Path, files: Mapping[str, StoredFile]) -> bool:
        return all(self._is_sound(folder / name, file) for name, file in files.items())

    def _copy(self, file: StoredFile, target: Path) -> None:
        with self._storage.open(file.path) as stream, storing(f"copying {file.path} to {target}"):
            make_folder(target.parent)
            with target.open("wb") as copy:
                found = hash_stream(stream, copy.write)
            sync_path(target)
        require_content(file, *found)

    def _is_sound(self, path: Path, file: StoredFile) -> bool:
        with storing(f"looking at {path}"):
            if not path.is_file() or path.stat().st_size != file.size:
                return False
        if path not in self._checked:
            if hash_file(path)[0] != file.sha256:
                return False
            self._checked.add(path)
        return True

    def _require_present(self, file: StoredFile) -> None:
        size = self._storage.size(file.path)
        if size is None:
            raise NotFoundError(f"{file.name} at {file.path} is not in the lake{HINT}")
        if size != file.size:
            raise CorruptionError(
                f"{file.name} at {file.path}: expected {file.size:,} bytes, found {size:,}{HINT}"
            )
