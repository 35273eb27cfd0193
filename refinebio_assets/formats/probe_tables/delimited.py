"""Columns of a delimited text as Arrow arrays, and which line is wrong when one is."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.csv

from refinebio_assets.errors import FormatError
from refinebio_assets.formats.compressed import quoted

_WHOLE = re.compile(rb"\s*\d{1,10}\s*")
_MOST = np.iinfo(np.int32).max
Columns = Mapping[str, "pa.Array[Any]"]


def parse_columns(
    lines: bytes,
    names: Sequence[str],
    types: Mapping[str, pa.DataType],
    label: str,
    *,
    line_numbers: Iterable[int],
    delimiter: str = "\t",
    quoting: bool = False,
) -> Columns:
    """Return the columns in ``types`` of lines that have a field for each of ``names``.

    Types are ``pa.string()`` (never missing, may be empty) and ``pa.int32()`` (whole, not negative).
    Raises FormatError for a line with another number of fields, or a value that is not of its type, with
    its number of ``line_numbers``, which are those of the lines in the file.
    """
    if not lines.strip():
        raise FormatError(label, expected="rows below the header", found="the end of the file")
    parse = pa.csv.ParseOptions(delimiter=delimiter, quote_char='"' if quoting else False)
    convert = pa.csv.ConvertOptions(
        column_types=dict(types),
        include_columns=list(types),
        null_values=[],
        strings_can_be_null=False,
    )
    read = pa.csv.ReadOptions(use_threads=False, block_size=len(lines) + 1, column_names=list(names))
    try:
        table = pa.csv.read_csv(
            pa.BufferReader(lines),  # type: ignore[arg-type]  # the stubs know Python's files only
            read_options=read,
            parse_options=parse,
            convert_options=convert,
        )
    except pa.ArrowInvalid as error:
        found = _first_problem(lines, names, types, label, line_numbers, delimiter)
        raise found or FormatError(label, expected="a table", found=str(error)) from error
    columns = {name: _whole(table.column(name)) for name in types}
    numbers = [name for name, kind in types.items() if kind == pa.int32()]
    if any(vector(columns[name]).min() < 0 for name in numbers):
        found = _first_problem(lines, names, types, label, line_numbers, delimiter)
        raise found or FormatError(label, expected="whole numbers, not negative", found="a negative one")
    return columns


def vector(array: pa.Array[Any]) -> npt.NDArray[Any]:
    """View an array of numbers as a numpy vector; not by ``to_numpy``, which imports pandas."""
    return np.from_dlpack(array)


def _whole(column: pa.ChunkedArray[Any]) -> pa.Array[Any]:
    return cast("pa.Array[Any]", column.chunk(0) if column.num_chunks == 1 else column.combine_chunks())


def _first_problem(
    lines: bytes,
    names: Sequence[str],
    types: Mapping[str, pa.DataType],
    label: str,
    line_numbers: Iterable[int],
    delimiter: str,
) -> FormatError | None:
    """Say where the first wrong line is; slow, and only used once something is wrong."""
    for number, line in zip(line_numbers, lines.split(b"\n"), strict=False):
        fields = line.rstrip(b"\r").split(delimiter.encode())
        if not line.strip():
            continue
        if len(fields) != len(names):
            found = f"{len(fields)}: {quoted(line)}"
            return FormatError(label, line=number, expected=f"{len(names)} fields", found=found)
        for name, value in zip(names, fields, strict=True):
            problem = _problem(value, types.get(name))
            if problem:
                place = f"column {name}"
                return FormatError(label, line=number, place=place, expected=problem, found=quoted(value))
    return None


def _problem(value: bytes, kind: pa.DataType | None) -> str:
    if kind == pa.int32():
        bare = value.strip(b'"')
        if not _WHOLE.fullmatch(bare) or int(bare) > _MOST:
            return "a whole number, not negative"
    if kind == pa.string():
        try:
            value.decode("utf-8")
        except UnicodeDecodeError:
            return "UTF-8 text"
    return ""
