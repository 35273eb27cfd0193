"""A file that is still arriving: ``<target>.part``, and a note beside it of where it comes from.

Only the disk is here; what is asked of the server is in ``download``.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from refinebio_assets.errors import StorageError

READ_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Origin:
    """Where the bytes of a part come from: normalized URL, If-Range validator, state (see RemoteFile)."""

    url: str
    validator: str = ""
    state: str = ""


class PartFile:
    """The bytes so far, hashed as they come. A context manager: open only while bytes arrive.

    Every method raises StorageError when the disk fails.
    """

    def __init__(self, target: Path) -> None:
        self.target = target
        self.path = target.with_name(target.name + ".part")
        self._note = target.with_name(target.name + ".part.json")
        self._stream: BinaryIO | None = None
        self.origin: Origin | None = None
        self.size = 0
        self._reset()

    def recall(self) -> None:
        """Take up what an earlier try, perhaps of another process, left; nothing when it is unclear."""
        self._reset()
        origin = self._read_note()
        if origin is None or not self.path.is_file():
            return
        with self._writing(), self.path.open("rb") as stream:
            while chunk := stream.read(READ_BYTES):
                self._count(chunk)
        self.origin = origin

    def begin(self, origin: Origin) -> None:
        """Start anew, empty, with bytes from ``origin``."""
        self._reset()
        with self._writing():
            self._close()
            self._note.unlink(missing_ok=True)
            self._stream = self.path.open("wb")
            self._note.write_text(json.dumps(asdict(origin)), encoding="utf-8")
        self.origin = origin

    def append(self, chunk: bytes) -> None:
        """Add the next bytes."""
        with self._writing():
            if self._stream is None:
                self._stream = self.path.open("ab")
            self._stream.write(chunk)
        self._count(chunk)

    def discard(self) -> None:
        """Remove what has come so far."""
        self._reset()
        with self._writing():
            self._close()
            self._note.unlink(missing_ok=True)
            self.path.unlink(missing_ok=True)

    def finish(self) -> None:
        """Give the whole file its name, durably."""
        with self._writing():
            self._close()
            _sync(self.path)
            self.path.replace(self.target)
            _sync(self.target.parent)
            self._note.unlink(missing_ok=True)
        self.origin = None

    def require_room(self, size: int) -> None:
        """Raise StorageError when the disk has no room for so many bytes more."""
        with self._writing():
            free = shutil.disk_usage(self.target.parent).free
        if free < size:
            raise StorageError(f"no room for {self.target}: {size:,} bytes are to come, {free:,} are free")

    @property
    def md5(self) -> str:
        """MD5 of the bytes so far, in hexadecimal."""
        return self._md5.hexdigest()

    @property
    def sha256(self) -> str:
        """SHA-256 of the bytes so far, in hexadecimal."""
        return self._sha256.hexdigest()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        with self._writing():
            self._close()

    def _reset(self) -> None:
        self.origin = None
        self.size = 0
        self._md5 = hashlib.md5(usedforsecurity=False)
        self._sha256 = hashlib.sha256()

    def _count(self, chunk: bytes) -> None:
        self._md5.update(chunk)
        self._sha256.update(chunk)
        self.size += len(chunk)

    def _close(self) -> None:
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.close()

    def _read_note(self) -> Origin | None:
        try:
            fields = json.loads(self._note.read_text(encoding="utf-8"))
            return Origin(str(fields["url"]), str(fields["validator"]), str(fields["state"]))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError):
            # A damaged note says nothing about the part; the file is fetched anew.
            return None

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            # After a failed write it is not known how much of it is on the disk.
            self.origin = None
            reason = error.strerror or str(error)
            raise StorageError(
                f"could not read or write {self.path} ({self.size:,} bytes so far): {reason}"
            ) from error


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
