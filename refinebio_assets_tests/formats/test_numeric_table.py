"""People's own matrices: every common way to write them is read, and what is wrong is named."""

from __future__ import annotations

import gzip
from pathlib import Path

import anndata
import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from refinebio_assets.errors import FormatError, NotFoundError
from refinebio_assets.formats.numeric_table import NumericTable, read_numeric_table

FRAME = pd.DataFrame(
    [[1.5, np.nan], [-2e-5, 3.0], [4.0, 1e300]], index=["g1", "g2", "g3"], columns=["s1", "s 2"]
)


def written(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def assert_is_frame(table: NumericTable) -> None:
    assert (table.rows, table.columns) == (("g1", "g2", "g3"), ("s1", "s 2"))
    np.testing.assert_array_equal(table.values, FRAME.to_numpy())


def test_tsv_and_csv_are_read_whatever_their_name_says(tmp_path: Path) -> None:
    for name, mark in (("a.tsv", "\t"), ("a.csv", ","), ("b.csv", ";"), ("a.txt", ",")):
        FRAME.to_csv(tmp_path / name, sep=mark)
        assert_is_frame(read_numeric_table(tmp_path / name))


def test_gzip_quotes_and_names_of_missing_values_are_read(tmp_path: Path) -> None:
    path = tmp_path / "a.tsv.gz"
    path.write_bytes(gzip.compress(b'"Gene"\t"s1"\t"s 2"\n"g1"\t1.5\tNA\n"g2"\t-2e-5\t3\n"g3"\t4\t1e300\n'))
    assert_is_frame(read_numeric_table(path))


def test_a_header_without_a_name_for_the_first_column_is_that_of_r(tmp_path: Path) -> None:
    text = '"s1"\t"s 2"\n"g1"\t1.5\tNA\n"g2"\t-2e-05\t3\n"g3"\t4\t1e+300\n'
    assert_is_frame(read_numeric_table(written(tmp_path / "r.txt", text)))


def test_parquet_is_read_with_a_column_of_names_or_an_index(tmp_path: Path) -> None:
    FRAME.to_parquet(tmp_path / "a.parquet")
    assert_is_frame(read_numeric_table(tmp_path / "a.parquet"))
    FRAME.reset_index(names="Gene").astype({"s1": "float32"}).to_parquet(tmp_path / "b.parquet", index=False)
    table = read_numeric_table(tmp_path / "b.parquet")
    np.testing.assert_array_equal(table.values, FRAME.astype({"s1": "float32"}).to_numpy())


@pytest.mark.parametrize("is_sparse", [False, True])
def test_h5ad_has_observations_as_columns(tmp_path: Path, is_sparse: bool) -> None:
    values = np.ascontiguousarray(FRAME.to_numpy().T)
    data = anndata.AnnData(
        X=sparse.csr_matrix(values) if is_sparse else values,
        obs=pd.DataFrame(index=list(FRAME.columns)),
        var=pd.DataFrame(index=list(FRAME.index)),
    )
    data.write_h5ad(tmp_path / "a.h5ad")
    assert_is_frame(read_numeric_table(tmp_path / "a.h5ad"))


def test_a_transposed_table_has_its_sides_exchanged(tmp_path: Path) -> None:
    FRAME.T.to_csv(tmp_path / "a.tsv", sep="\t")
    assert_is_frame(read_numeric_table(tmp_path / "a.tsv").transposed())


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("Gene\ta\tb\ng\t1\t2\nh\t1\tx2\n", "line 3, column b: expected a number, found 'x2'"),
        ("Gene\ta\tb\ng\t1\t2\nh\t1\n", "line 3: expected 3 fields, found 2 fields"),
        ("Gene\tSymbol\ta\ng\tTP53\t2\n", "line 2, column Symbol: expected a number, found 'TP53'"),
        ("Gene\ta\tb\ng\t1,5\t2\n", "line 2, column a: expected a number, found '1,5'"),
        ("Gene\ta\n", "line 2: .*found no second line"),
        ("one\ntwo\n", "line 2: .*found 1 field"),
        ("Gene\ta\tb\tc\ng\t1\n", "line 2: expected 4 fields, found 2 fields"),
        ("Gene\ta\ta\ng\t1\t2\n", "expected different names of columns, found 1 that come again: a"),
        ("Gene\ta\t\ng\t1\t2\n", "expected a name for every column, found none for column 3"),
        ("Gene\ta\tb\ng\t1\t2\nh\t1\t-inf\n", "row h, column b: expected a finite number.*found -inf$"),
        ("Gene\ta\tb\ng\t1\tInf\nh\t-inf\t2\n", "row g, column b: .*found inf, and 1 more"),
        ("", "found no second line"),
    ],
)
def test_what_is_no_matrix_is_refused_by_line_and_column(tmp_path: Path, text: str, problem: str) -> None:
    path = written(tmp_path / "m.tsv", text)
    with pytest.raises(FormatError, match=problem) as caught:
        read_numeric_table(path)
    assert str(caught.value).startswith(str(path))


LONG = "Gene\ta\n" + "".join(f"g{number}\t{number * 0.37}\n" for number in range(2000))


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"\x07\xe6\x00\x91\n\xff\xfe", "the byte 0xE6 of another encoding"),
        (LONG.encode("utf-16"), "UTF-16; save it as UTF-8"),
        (LONG.replace("g1999", "g\u00e9").encode("latin-1"), "the byte 0xE9 of another encoding"),
        (gzip.compress(LONG.encode())[:1000], "end-of-stream marker"),
        (b"a\tb\n" + b"x" * 200_000 + b"\t1\n", "field larger than field limit"),
    ],
    ids=["binary", "UTF-16", "Latin-1", "cut gzip", "endless field"],
)
def test_what_is_no_text_is_refused_with_what_was_found(tmp_path: Path, content: bytes, found: str) -> None:
    path = tmp_path / "matrix.tsv"
    path.write_bytes(content)
    with pytest.raises(FormatError, match=rf"matrix\.tsv: expected text in UTF-8.*{found}"):
        read_numeric_table(path)


def test_other_files_with_the_name_of_a_matrix_are_refused(tmp_path: Path) -> None:
    for name in ("m.parquet", "m.h5ad"):
        with pytest.raises(FormatError, match=f"{name}: expected"):
            read_numeric_table(written(tmp_path / name, "nonsense"))
    pd.DataFrame({"a": ["x"], "b": ["y"], "c": [1.0]}).to_parquet(tmp_path / "t.parquet")
    with pytest.raises(FormatError, match=r"one column of names.*found 2: a, b"):
        read_numeric_table(tmp_path / "t.parquet")
    with pytest.raises(NotFoundError, match="no file at"):
        read_numeric_table(tmp_path / "none.tsv")
