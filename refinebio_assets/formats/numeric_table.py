"""A person's own matrix of numbers with names at both sides: TSV, CSV, Parquet or h5ad.

Whether rows are genes or samples, and what an id may be, is decided elsewhere. Submitters' tables, with all
that may be in them, are read by ``processed_table``.
"""

from __future__ import annotations

import csv
import gzip
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from refinebio_assets.errors import FormatError, NotFoundError, PermanentError
from refinebio_assets.formats.text_encoding import other_encoding

NOT_AVAILABLE = ("", "NA", "NaN", "nan", "null", "None", "N/A", "n/a", "#N/A")
"""How missing values are written."""
_DELIMITERS = {"\t": "tabs", ",": "commas", ";": "semicolons"}
_FIRST = "first column"
_NOT_TEXT = (UnicodeDecodeError, EOFError, gzip.BadGzipFile, zlib.error, csv.Error)
"""What reading raises for another encoding, binary files, and gzip files that are cut or damaged."""

Matrix = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class NumericTable:
    """Numbers, rows x columns, NaN where missing, with the names of rows and columns."""

    rows: tuple[str, ...]
    columns: tuple[str, ...]
    values: Matrix

    def transposed(self) -> NumericTable:
        """Return it with rows and columns exchanged."""
        return NumericTable(self.columns, self.rows, self.values.T)


def read_numeric_table(path: Path) -> NumericTable:
    """Return the table of a file; its name tells the kind: .parquet, .pq, .h5ad, else delimited text.

    Text has a header and names of rows in the first column, separated by tabs, commas or semicolons; it
    may be gzip. A header without a name for the first column is fine, as R writes it. Parquet has one
    column of names, first or pandas' index. Of h5ad the table is X, with observations as columns.

    Raises NotFoundError, and FormatError, which names line and column, for anything but finite numbers,
    columns without a name or with one that comes twice, and lines of unequal length.
    """
    if not path.is_file():
        raise NotFoundError(f"no file at {path}")
    suffix = path.suffix.lower()
    if suffix in (".parquet", ".pq"):
        return _checked(path, _read_parquet(path))
    if suffix == ".h5ad":
        return _checked(path, _read_h5ad(path))
    try:
        return _checked(path, _read_text(path))
    except _NOT_TEXT as error:
        expected = "text in UTF-8, whole, packed with gzip or not, in columns of names and numbers"
        found = other_encoding(error) if isinstance(error, UnicodeDecodeError) else str(error)
        raise FormatError(path, expected=expected, found=found) from error


def _read_text(path: Path) -> NumericTable:
    header, delimiter, has_corner = _header(path)
    names = header if has_corner else [_FIRST, *header]
    keys = [str(number) for number in range(len(names))]  # names may come twice until they are checked
    options = pacsv.ConvertOptions(
        column_types={key: pa.string() if key == "0" else pa.float64() for key in keys},
        null_values=list(NOT_AVAILABLE),
        strings_can_be_null=False,
    )
    try:
        table = pacsv.read_csv(
            path,
            read_options=pacsv.ReadOptions(column_names=keys, skip_rows=1),
            parse_options=pacsv.ParseOptions(delimiter=delimiter),
            convert_options=options,
        )
    except (pa.ArrowException, OSError) as error:
        raise _first_defect(path, names, delimiter) or FormatError(
            path, expected=f"text separated by {_DELIMITERS[delimiter]}", found=str(error)
        ) from error
    return NumericTable(_texts(table.column("0")), tuple(names[1:]), _numbers(table, keys[1:]))


def _header(path: Path) -> tuple[list[str], str, bool]:
    """Return the first line's fields, the delimiter, and whether the first column has a name."""
    with _opened(path) as stream:
        first, second = stream.readline(), stream.readline()
    delimiter = max(_DELIMITERS, key=lambda mark: (first.count(mark), mark == "\t"))
    header, line = (next(csv.reader([text], delimiter=delimiter), []) for text in (first, second))
    if not line or len(line) < 2:
        found = "no second line" if not second else f"{len(line)} field: {second.strip()[:60]!r}"
        place = "fields separated by tabs, commas or semicolons, the first a name and the others numbers"
        raise FormatError(path, line=2, expected=place, found=found)
    if len(line) not in (len(header), len(header) + 1):
        raise FormatError(path, line=2, expected=f"{len(header)} fields", found=f"{len(line)} fields")
    return [name.strip() for name in header], delimiter, len(line) == len(header)


def _first_defect(path: Path, names: Sequence[str], delimiter: str) -> FormatError | None:
    """Return what is wrong first, or None when nothing is; slow, for messages."""
    with _opened(path) as stream:
        lines = csv.reader(stream, delimiter=delimiter)
        next(lines)
        for fields in lines:
            if not fields:
                continue
            if len(fields) != len(names):
                expected, found = f"{len(names)} fields", f"{len(fields)} fields"
                return FormatError(path, line=lines.line_num, expected=expected, found=found)
            for name, text in zip(names[1:], fields[1:], strict=True):
                if text.strip() not in NOT_AVAILABLE and not _is_number(text):
                    place, found = f"column {name}", repr(text)
                    return FormatError(
                        path, line=lines.line_num, place=place, expected="a number", found=found
                    )
    return None


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return "_" not in text


def _opened(path: Path) -> Any:
    with path.open("rb") as stream:
        zipped = stream.read(2) == b"\x1f\x8b"
    if zipped:
        return gzip.open(path, "rt", encoding="utf-8", newline="")
    return path.open(encoding="utf-8", newline="")


def _read_parquet(path: Path) -> NumericTable:
    try:
        table = pq.read_table(path)
    except (pa.ArrowException, OSError) as error:
        raise FormatError(path, expected="a Parquet file", found=str(error)) from error
    text = [field.name for field in table.schema if not _is_numeric(field.type)]
    if len(text) != 1:
        found = f"{len(text)}: {', '.join(text[:5])}" if text else "none"
        raise FormatError(path, expected="one column of names, and numbers in all others", found=found)
    columns = [name for name in table.column_names if name != text[0]]
    names = table.column(text[0]).cast(pa.string())
    return NumericTable(_texts(names), tuple(columns), _numbers(table, columns))


def _is_numeric(kind: pa.DataType) -> bool:
    return pa.types.is_integer(kind) or pa.types.is_floating(kind)


def _read_h5ad(path: Path) -> NumericTable:
    try:
        import anndata
    except ImportError as error:
        raise PermanentError("h5ad needs anndata: pip install 'refinebio-assets[h5ad]'") from error
    try:
        data = anndata.read_h5ad(path)
    except (OSError, KeyError, ValueError) as error:
        raise FormatError(path, expected="an h5ad file", found=str(error)) from error
    if data.X is None:
        raise FormatError(path, expected="values in X", found="none")
    dense: Any = data.X.toarray() if hasattr(data.X, "toarray") else data.X
    values = np.asarray(dense, np.float64).T
    return NumericTable(tuple(map(str, data.var_names)), tuple(map(str, data.obs_names)), values)


def _numbers(table: pa.Table, columns: Sequence[str]) -> Matrix:
    values = np.empty((table.num_rows, len(columns)))
    for number, name in enumerate(columns):
        column = table.column(name).cast(pa.float64()).combine_chunks()
        values[:, number] = column.to_numpy(zero_copy_only=False)
    return values


def _texts(column: pa.ChunkedArray[Any]) -> tuple[str, ...]:
    return tuple("" if text is None else str(text) for text in column.to_pylist())


def _checked(path: Path, table: NumericTable) -> NumericTable:
    problem = next(_problems(table), None)
    if problem is not None:
        raise FormatError(path, expected=problem[0], found=problem[1])
    infinite = np.argwhere(np.isinf(table.values))
    if len(infinite):
        row, column = infinite[0].tolist()
        more = f", and {len(infinite) - 1:,} more" if len(infinite) > 1 else ""
        raise FormatError(
            path,
            place=f"row {table.rows[row]}, column {table.columns[column]}",
            expected="a finite number, or NA where it is missing",
            found=f"{table.values[row, column]}{more}",
        )
    return table


def _problems(table: NumericTable) -> Iterator[tuple[str, str]]:
    if not table.rows or not table.columns:
        yield "rows and columns of numbers", f"{len(table.rows)} rows and {len(table.columns)} columns"
    for what, names in (("columns", table.columns), ("rows", table.rows)):
        if what == "columns" and "" in names:
            yield "a name for every column", f"none for column {names.index('') + 2}"
        if what == "columns":
            twice = [name for name, count in Counter(names).items() if count > 1]
            if twice:
                yield "different names of columns", f"{len(twice)} that come again: {', '.join(twice[:5])}"
