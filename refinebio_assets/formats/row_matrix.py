"""A matrix in a plain file of numbers, row by row, larger than memory: some rows at a time are read and
written.

It is read and written by calls, not mapped: a full disk is then an error and not a signal, and what was
read is memory that its reader holds and lets go. It is for scratch: the file has no header, and its maker
knows its shape.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from refinebio_assets.errors import StorageError

_MOST_BYTES = 1 << 30
"""One call reads or writes at most 2 GB."""


class RowMatrix:
    """A matrix of ``shape`` and ``dtype`` in a new file; a context manager that closes it.

    Rows are read as a new array (``matrix[rows]``) and written by assignment (``matrix[rows] = values``).
    What was not written is 0. Every method raises StorageError that names the file when the disk fails.
    """

    def __init__(self, path: Path, shape: tuple[int, int], dtype: npt.DTypeLike) -> None:
        """Make the file and take its room on the disk at once, so that a disk too small is known at once."""
        self.path = path
        self.shape: tuple[int, ...] = shape
        self.dtype = np.dtype(dtype)
        self._row = shape[1] * self.dtype.itemsize
        try:
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        except OSError as error:
            raise StorageError(f"making the scratch file {path} failed: {error}") from error
        size = shape[0] * self._row
        try:
            if size:
                os.posix_fallocate(self._file, 0, size)
        except OSError as error:
            self.remove()
            raise StorageError(
                f"making room for {size:,} bytes in the scratch file {path} failed: {error}"
            ) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __getitem__(self, rows: slice) -> npt.NDArray[Any]:
        first, last, _ = rows.indices(self.shape[0])
        values = np.empty((max(0, last - first), self.shape[1]), self.dtype)
        self._read(values, first * self._row)
        return values

    def __setitem__(self, rows: slice, values: npt.NDArray[Any]) -> None:
        first, last, _ = rows.indices(self.shape[0])
        expected = (max(0, last - first), self.shape[1])
        if values.shape != expected:
            raise ValueError(f"expected values of shape {expected}, got {values.shape}")
        data = _bytes_of(np.ascontiguousarray(values, self.dtype))
        done, offset = 0, first * self._row
        try:
            while done < len(data):
                done += os.pwrite(self._file, data[done : done + _MOST_BYTES], offset + done)
        except OSError as error:
            raise StorageError(f"writing to the scratch file {self.path} failed: {error}") from error

    def columns(self, columns: slice) -> npt.NDArray[Any]:
        """Return some neighboring columns of all rows."""
        first, last, _ = columns.indices(self.shape[1])
        values = np.empty((self.shape[0], max(0, last - first)), self.dtype)
        start = first * self.dtype.itemsize
        for number, row in enumerate(values):
            self._read(row, number * self._row + start)
        return values

    def append(self, values: npt.NDArray[Any]) -> None:
        """Write rows after the last one; the matrix grows by them."""
        first = self.shape[0]
        self.shape = (first + len(values), self.shape[1])
        self[first:] = values

    def shorten(self, rows: int) -> None:
        """Keep only the first rows, and give the room of the others back."""
        try:
            os.ftruncate(self._file, rows * self._row)
        except OSError as error:
            raise StorageError(f"shortening the scratch file {self.path} failed: {error}") from error
        self.shape = (rows, self.shape[1])

    def close(self) -> None:
        """Close the file; it stays on the disk."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def remove(self) -> None:
        """Close the file and remove it from the disk."""
        self.close()
        with suppress(OSError):
            self.path.unlink(missing_ok=True)

    def _read(self, values: npt.NDArray[Any], offset: int) -> None:
        room, done = _bytes_of(values), 0
        try:
            while done < len(room):
                count = os.preadv(self._file, [room[done : done + _MOST_BYTES]], offset + done)
                if not count:
                    raise StorageError(f"the scratch file {self.path} ends at {offset + done:,}: was it cut?")
                done += count
        except OSError as error:
            raise StorageError(f"reading the scratch file {self.path} failed: {error}") from error


def _bytes_of(values: npt.NDArray[Any]) -> memoryview:
    return values.reshape(-1).view(np.uint8).data
