"""Matrices as text: every number reads back as it was, whoever reads."""

from __future__ import annotations

import io
import math
import shutil
import subprocess
from pathlib import Path

import duckdb
import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow.csv as pacsv
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from refinebio_assets.formats import matrix_tsv
from refinebio_assets.formats.matrix_tsv import COMMA, write_matrix_tsv

NAN = float("nan")
AWKWARD = [0.0, -0.0, 1.0, 1e15, 1e16, 1e22, 1e23, 0.1, 1e-3, 1e-4, 9.9e-5, 1.2e-5, -1e-5, 1e-6, 1.5e-6, 1e-7]
AWKWARD += [5e-324, 1.7976931348623157e308, 10.00001, 100000.00001, -0.000012345678901234567, 2**53 + 2.0]
SPECIAL = [math.inf, -math.inf, NAN]
SHAPES = array_shapes(min_dims=2, max_dims=2, max_side=6)
WIDE = st.one_of(st.sampled_from(AWKWARD + SPECIAL), st.floats(width=64), st.floats(-1e-3, 1e-3))
NARROW = st.one_of(st.floats(width=32), st.floats(-1, 1, width=32))


def text_of(values: npt.NDArray[np.floating]) -> str:
    sink = io.BytesIO()
    genes, samples = values.shape
    write_matrix_tsv(sink, [f"G{i}" for i in range(genes)], [f"S{i}" for i in range(samples)], values)
    return sink.getvalue().decode()


def cells(text: str) -> list[list[str]]:
    return [line.split("\t")[1:] for line in text.splitlines()[1:]]


def same_bits(one: npt.NDArray[np.floating], other: npt.NDArray[np.floating]) -> bool:
    return (
        one.dtype == other.dtype
        and np.where(np.isnan(one), NAN, one).tobytes()
        == np.where(np.isnan(other), NAN, other).astype(other.dtype).tobytes()
    )


@given(arrays(np.float64, SHAPES, elements=WIDE))
def test_every_float64_reads_back_and_no_shorter_text_would(values: npt.NDArray[np.float64]) -> None:
    for row, texts in zip(values.tolist(), cells(text_of(values)), strict=True):
        for value, text in zip(row, texts, strict=True):
            back = float(text or "nan")
            assert same_bits(np.array([back]), np.array([value]))
            if math.isfinite(value):
                assert len(significant(text)) <= len(significant(repr(value)))


@given(arrays(np.float32, SHAPES, elements=NARROW))
def test_every_float32_reads_back_from_the_shortest_text_of_a_float32(
    values: npt.NDArray[np.float32],
) -> None:
    for row, texts in zip(values, cells(text_of(values)), strict=True):
        for value, text in zip(row, texts, strict=True):
            assert same_bits(np.array([text or "nan"]).astype(np.float32), np.array([value]))
            if np.isfinite(value):
                assert len(significant(text)) <= len(significant(str(value)))


def significant(text: str) -> str:
    """Return a number's digits without sign, point, exponent and the zeros around."""
    return text.lstrip("-").split("e")[0].replace(".", "").strip("0")


@given(arrays(np.float64, SHAPES, elements=WIDE))
def test_pandas_reads_back_the_same_numbers(values: npt.NDArray[np.float64]) -> None:
    text = io.StringIO(text_of(values))
    frame = pd.read_csv(text, sep="\t", index_col=0, float_precision="round_trip")
    assert same_bits(frame.to_numpy(np.float64), values)
    assert frame.index.name == "Gene"


def test_small_numbers_have_an_exponent_so_that_pandas_default_parser_keeps_their_digits() -> None:
    values = np.array([[0.0000123456789012, 10.00001234, -0.00009, 0.0001]])
    text = text_of(values)
    assert cells(text) == [["1.23456789012e-5", "10.00001234", "-9e-5", "0.0001"]]
    read = pd.read_csv(io.StringIO(text), sep="\t", index_col=0).to_numpy()
    np.testing.assert_allclose(read, values, rtol=1e-15)


@pytest.mark.skipif(shutil.which("Rscript") is None, reason="R is not installed")
def test_r_reads_back_the_same_numbers(tmp_path: Path) -> None:
    values = np.array([AWKWARD + SPECIAL, np.random.default_rng(1).normal(size=len(AWKWARD) + 3)])
    values = values[:, np.abs(values[0]) != 5e-324]  # R flushes it
    (tmp_path / "m.tsv").write_text(text_of(values))
    script = (
        "x <- as.matrix(read.delim('m.tsv', row.names = 1)); "
        "writeBin(as.vector(t(x)), 'm.bin'); cat(typeof(x), rownames(x))"
    )
    done = subprocess.run(["Rscript", "-e", script], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout == "double G0 G1"
    read = np.fromfile(tmp_path / "m.bin").reshape(values.shape)
    np.testing.assert_array_equal(np.isnan(read), np.isnan(values))
    np.testing.assert_allclose(read, values, rtol=2e-15)  # R's own reading of decimals


def test_duckdb_and_arrow_read_back_the_same_numbers(tmp_path: Path) -> None:
    values = np.array([AWKWARD + SPECIAL]).T
    path = tmp_path / "m.tsv"
    path.write_text(text_of(values))
    arrow = pacsv.read_csv(path, parse_options=pacsv.ParseOptions(delimiter="\t")).column("S0")
    assert same_bits(np.array([NAN if x is None else x for x in arrow.to_pylist()]), values[:, 0])
    rows = duckdb.sql(f"SELECT S0 FROM read_csv('{path}', delim = '\t', header = true)").fetchall()
    assert same_bits(np.array([NAN if row[0] is None else row[0] for row in rows]), values[:, 0])


@pytest.mark.parametrize("order", ["C", "F"])
def test_blocks_of_genes_make_the_same_text_as_one(order: str, monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.array(np.random.default_rng(2).normal(size=(17, 3)), order=order)  # type: ignore[call-overload]
    values[4] = NAN
    whole = text_of(values)
    monkeypatch.setattr(matrix_tsv, "BLOCK_CELLS", 6)
    assert text_of(values) == whole
    assert whole.splitlines()[0] == "Gene\tS0\tS1\tS2"
    assert whole.splitlines()[5] == "G4\t\t\t"


def test_ids_that_would_break_a_line_are_quoted_as_pandas_reads_them() -> None:
    genes, samples = ['a"b', "c\td", "e\nf", "g'h", "Ährenß"], ['s"1', "s2"]
    sink = io.BytesIO()
    write_matrix_tsv(sink, genes, samples, np.ones((5, 2)))
    frame = pd.read_csv(io.BytesIO(sink.getvalue()), sep="\t", index_col=0)
    assert frame.index.tolist() == genes
    assert frame.columns.tolist() == samples


@given(arrays(np.float64, SHAPES, elements=WIDE))
def test_commas_separate_the_same_texts(values: npt.NDArray[np.float64]) -> None:
    genes, samples = (
        [f"{mark}{n}" for n in range(size)] for mark, size in zip("GS", values.shape, strict=True)
    )
    sink = io.BytesIO()
    write_matrix_tsv(sink, genes, samples, values, separator=COMMA)
    assert sink.getvalue().decode() == text_of(values).replace("\t", ",")


def test_ids_with_a_comma_are_quoted_where_commas_separate() -> None:
    sink = io.BytesIO()
    write_matrix_tsv(sink, ["a,b", "c\td"], ["liver, left"], np.ones((2, 1)), separator=COMMA)
    assert sink.getvalue() == b'Gene,"liver, left"\n"a,b",1.0\nc\td,1.0\n'


@pytest.mark.parametrize(("shape", "text"), [((0, 2), "Gene\tS0\tS1\n"), ((2, 0), "Gene\nG0\nG1\n")])
def test_an_empty_matrix_has_its_header_and_genes(shape: tuple[int, int], text: str) -> None:
    assert text_of(np.empty(shape)) == text


def test_values_of_another_shape_or_type_are_refused() -> None:
    with pytest.raises(ValueError, match="1 genes and 2 samples"):
        write_matrix_tsv(io.BytesIO(), ["g"], ["a", "b"], np.ones((2, 2)))
    with pytest.raises(TypeError, match="int64"):
        write_matrix_tsv(io.BytesIO(), ["g"], ["a"], np.ones((1, 1), np.int64))  # type: ignore[arg-type]
