"""Matrices in scratch files behave like arrays, and say what went wrong with the disk."""

from __future__ import annotations

import resource
import signal
from pathlib import Path

import numpy as np
import pytest

from refinebio_assets.errors import StorageError
from refinebio_assets.formats.row_matrix import RowMatrix


@pytest.mark.parametrize("dtype", [np.float32, np.uint8])
def test_rows_and_columns_are_those_that_were_written(dtype: type, tmp_path: Path) -> None:
    values = np.arange(7 * 5).reshape(7, 5).astype(dtype)
    with RowMatrix(tmp_path / "scratch", (7, 5), dtype) as matrix:
        assert not matrix[0:7].any()
        matrix[0:3] = values[:3]
        matrix[slice(3, None)] = values[3:]
        np.testing.assert_array_equal(matrix[slice(None)], values)
        np.testing.assert_array_equal(matrix[slice(2, 99)], values[2:])
        np.testing.assert_array_equal(matrix.columns(slice(1, 3)), values[:, 1:3])
        assert matrix[3:3].shape == (0, 5)


def test_values_of_another_shape_are_refused(tmp_path: Path) -> None:
    with (
        RowMatrix(tmp_path / "scratch", (4, 2), np.float32) as matrix,
        pytest.raises(ValueError, match="2, 2"),
    ):
        matrix[0:2] = np.ones((1, 2))


def test_a_removed_matrix_leaves_no_file(tmp_path: Path) -> None:
    matrix = RowMatrix(tmp_path / "scratch", (4, 2), np.float32)
    matrix.remove()
    assert not any(tmp_path.iterdir())


def test_a_disk_without_room_is_known_before_anything_is_written(tmp_path: Path) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000, before[1]))
    try:
        with pytest.raises(StorageError, match=r"room for 40,000 bytes .*scratch"):
            RowMatrix(tmp_path / "scratch", (1_000, 10), np.float32)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    assert not any(tmp_path.iterdir())


def test_a_file_that_was_cut_is_told(tmp_path: Path) -> None:
    with RowMatrix(tmp_path / "scratch", (4, 2), np.float32) as matrix:
        (tmp_path / "scratch").write_bytes(b"")
        with pytest.raises(StorageError, match="was it cut"):
            matrix[0:4]
