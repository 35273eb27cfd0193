"""A lake in a bucket, or on any other file system that fsspec knows (``s3://``, ``memory://``).

An object is put whole or not at all, so a commit's record, put last, decides what exists. What a
killed upload leaves in a bucket's list of multipart uploads is for the bucket's lifecycle rule.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

from refinebio_assets.errors import NotFoundError, RequestError, StorageError, ToolMissingError
from refinebio_assets.lake.storage import Found, remove_tree, storing

# Enough to hide a bucket's latency (20-100 ms a request) without flooding it.
PARALLEL_REQUESTS = 16
_EXTRAS = {"s3": "pip install 'refinebio-assets[s3]'", "gcs": "pip install gcsfs", "gs": "pip install gcsfs"}
_MODIFIED_KEYS = ("LastModified", "last_modified", "mtime", "updated", "created")


def connect(url: str) -> tuple[Any, str]:
    """Return the file system of a URL and the root within it; credentials come from the environment.

    Listings are never cached, as other processes commit at any time. Raises ToolMissingError when
    the library for this kind of URL is not installed, RequestError for an unknown kind.
    """
    import fsspec

    scheme = url.partition("://")[0]
    try:
        filesystem, root = fsspec.core.url_to_fs(url, use_listings_cache=False)
    except ImportError as error:
        install = _EXTRAS.get(scheme, f"install the fsspec library for {scheme}://")
        raise ToolMissingError(f"a lake at {url} needs a library that is not installed: {install}") from error
    except ValueError as error:
        raise RequestError(f"{url} cannot be a lake: {error}") from error
    return filesystem, str(root).rstrip("/")


class RemoteStorage:
    """A root on an fsspec file system; ``scratch`` is a local folder for files on their way there."""

    def __init__(self, url: str, scratch: Path) -> None:
        self._url = url.rstrip("/")
        self.scratch = scratch
        self._files, self._root = connect(url)

    def read(self, path: str) -> bytes:
        """Return a file's content. Raises NotFoundError, StorageError."""
        with storing(f"reading {self._url}/{path}"):
            try:
                data: bytes = self._files.cat_file(self._full(path))
            except (FileNotFoundError, IsADirectoryError) as error:
                raise NotFoundError(f"{path} is not in the lake") from error
            return data

    def open(self, path: str) -> BinaryIO:
        """Open a file for reading. Raises NotFoundError, StorageError."""
        with storing(f"opening {self._url}/{path}"):
            try:
                stream: BinaryIO = self._files.open(self._full(path), "rb")
            except (FileNotFoundError, IsADirectoryError) as error:
                raise NotFoundError(f"{path} is not in the lake") from error
            return stream

    def size(self, path: str) -> int | None:
        """Return a file's size in bytes, or None when there is no such file."""
        with storing(f"looking at {self._url}/{path}"):
            try:
                found = self._files.info(self._full(path))
            except FileNotFoundError:
                return None
            return int(found["size"]) if found["type"] == "file" else None

    def names(self, folder: str) -> list[str]:
        """Return the sorted names directly in a folder; none when there is no such folder."""
        with storing(f"listing {self._url}/{folder}"):
            try:
                paths = self._files.ls(self._full(folder), detail=False)
            except FileNotFoundError:
                return []
        return sorted(path.rstrip("/").rpartition("/")[2] for path in paths)

    def grandchildren(self, folder: str) -> Iterator[tuple[str, str]]:
        """Yield (child, grandchild) names two levels down, from one listing (1,000 names a request)."""
        for path in sorted(self.tree(folder)):
            parts = path.split("/")
            if len(parts) == 2:
                yield parts[0], parts[1]

    def tree(self, folder: str) -> dict[str, Found]:
        """Return all files below a folder by their path relative to it."""
        start = len(self._full(folder)) + 1
        with storing(f"listing {self._url}/{folder}"):
            try:
                entries = self._files.find(self._full(folder), detail=True)
            except FileNotFoundError:
                return {}
        return {path[start:]: Found(int(entry["size"]), _modified(entry)) for path, entry in entries.items()}

    def put(self, source: Path, path: str) -> None:
        """Upload a file and remove it locally."""
        self._upload(source, path)
        with storing(f"removing {source}"):
            source.unlink()

    def put_folder(self, source: Path, path: str) -> None:
        """Upload a folder's files side by side, check that all arrived, and remove it locally."""
        sizes = {
            file.relative_to(source).as_posix(): file.stat().st_size
            for file in source.rglob("*")
            if file.is_file()
        }
        with ThreadPoolExecutor(PARALLEL_REQUESTS) as pool:
            uploads = [pool.submit(self._upload, source / name, f"{path}/{name}") for name in sizes]
        for upload in uploads:
            upload.result()
        arrived = {name: found.size for name, found in self.tree(path).items()}
        if arrived != sizes:
            raise StorageError(
                f"uploading to {self._url}/{path} failed: {len(arrived)} of {len(sizes)} arrived"
            )
        remove_tree(source)

    def put_bytes(self, data: bytes, path: str) -> None:
        """Upload a small file in one request."""
        with storing(f"writing {self._url}/{path}"):
            self._files.pipe_file(self._full(path), data)

    def create(self, data: bytes, path: str) -> bool:
        """Upload a small file unless there is one (a conditional write), and tell whether it was uploaded."""
        with storing(f"writing {self._url}/{path}"):
            try:
                self._files.pipe_file(self._full(path), data, mode="create")
            except FileExistsError:
                return False
        return True

    def move(self, path: str, to: str) -> None:
        """Give a file another path: it is copied by the server, then removed. Raises NotFoundError."""
        with storing(f"moving {self._url}/{path} to {self._url}/{to}"):
            try:
                self._files.cp_file(self._full(path), self._full(to))
            except FileNotFoundError as error:
                raise NotFoundError(f"{path} is not in the lake") from error
            self._files.rm_file(self._full(path))

    def remove(self, path: str) -> None:
        """Remove a folder's files (or one file) one by one, never through a pattern; absence is fine."""
        with storing(f"removing {self._url}/{path}"):
            try:
                found = self._files.find(self._full(path))
            except FileNotFoundError:
                return
            for full in found:
                self._files.rm_file(full)

    def _upload(self, source: Path, path: str) -> None:
        with storing(f"uploading {self._url}/{path}"):
            self._files.put_file(str(source), self._full(path))

    def _full(self, path: str) -> str:
        return f"{self._root}/{path}"


def _modified(entry: dict[str, Any]) -> datetime | None:
    value = next((entry[key] for key in _MODIFIED_KEYS if entry.get(key)), None)
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    return datetime.fromtimestamp(value, UTC) if isinstance(value, int | float) else None
