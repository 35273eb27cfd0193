"""Matrices are read back some genes at a time, every number as it was written."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as from_numpy

from refinebio_assets.errors import FormatError
from refinebio_assets.formats.matrix_tsv import write_matrix_tsv
from refinebio_assets.formats.matrix_tsv_blocks import read_blocks, read_header

MATRICES = from_numpy.arrays(
    np.float32,
    st.tuples(st.integers(1, 6), st.integers(1, 5)),
    elements=st.floats(width=32, allow_nan=True, allow_infinity=True),
)


@given(MATRICES, st.integers(1, 200))
def test_what_was_written_is_read(values: np.ndarray, block_bytes: int) -> None:
    genes = [f'gene "{number}"\t' if number % 2 else f"ENSG{number}" for number in range(len(values))]
    samples = [f"S{number}" for number in range(values.shape[1])]
    file = io.BytesIO()
    write_matrix_tsv(file, genes, samples, values)
    file.seek(0)
    assert read_header(file) == samples
    blocks = list(read_blocks(file, len(samples), "x.tsv", block_bytes=block_bytes))
    assert [gene for names, _ in blocks for gene in names] == genes
    np.testing.assert_array_equal(np.concatenate([block for _, block in blocks]), values)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"Gene\tA\tB\ng1\t1.0\n", "gene g1.*expected 2 values.*found 1"),
        (b"Gene\tA\tB\ng1\t1.0\tx\n", "expected numbers"),
    ],
)
def test_a_cut_line_and_text_are_refused_by_name(text: bytes, message: str) -> None:
    file = io.BytesIO(text)
    samples = read_header(file)
    with pytest.raises(FormatError, match=r"x\.tsv") as caught:
        list(read_blocks(file, len(samples), "x.tsv"))
    assert caught.match(f"(?s){message}")
