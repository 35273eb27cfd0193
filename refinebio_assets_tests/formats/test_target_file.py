"""Files of quantile targets, as refine.bio writes them."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from refinebio_assets.errors import FormatError, NotFoundError
from refinebio_assets.formats.target_file import read_target_file, target_file_bytes


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1))
def test_a_target_reads_back_to_the_same_numbers(values: list[float]) -> None:
    lines = target_file_bytes(np.array(values)).decode().splitlines()
    assert [float(line) for line in lines] == sorted(values)


def test_a_file_may_be_gzip_and_in_any_order_and_end_with_empty_lines(tmp_path: Path) -> None:
    path = tmp_path / "target.tsv.gz"
    path.write_bytes(gzip.compress(b'3\r\n 1.5\n"-2e-5"\n\n \n'))
    assert read_target_file(path).tolist() == [-2e-5, 1.5, 3.0]


def test_a_written_target_is_read_back(tmp_path: Path) -> None:
    path = tmp_path / "target.tsv"
    target = np.sort(np.random.default_rng(1).normal(size=500))
    path.write_bytes(target_file_bytes(target))
    np.testing.assert_array_equal(read_target_file(path), target)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"1\nx\n", "line 2: expected one number a line, nothing else, found 'x'"),
        (b"Gene\n1\n", "line 1"),
        (b"1\n2\t3\n", "line 2"),
        (b"1\n\n3\n", "line 2"),
        (b"1\nnan\n", "line 2: expected a finite number"),
        (b"inf\n", "line 1: expected a finite number"),
        (b"1_000\n", "line 1: expected a finite number"),
        (b"", "found no numbers"),
        (b"\n\n", "found no numbers"),
    ],
)
def test_anything_but_one_number_a_line_is_refused_by_line(
    tmp_path: Path, content: bytes, problem: str
) -> None:
    path = tmp_path / "target.tsv"
    path.write_bytes(content)
    with pytest.raises(FormatError, match=problem):
        read_target_file(path)


def test_no_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="no file at"):
        read_target_file(tmp_path / "none.tsv")


def test_a_target_with_missing_numbers_is_not_written() -> None:
    with pytest.raises(ValueError, match="finite"):
        target_file_bytes(np.array([1.0, np.nan]))
