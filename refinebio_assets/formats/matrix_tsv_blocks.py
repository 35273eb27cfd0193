"""Reads back what ``matrix_tsv`` writes, some genes at a time, as float32: of matrices larger than memory.

Quick because the numbers of many lines are parsed at once, as one column of text.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.csv as pacsv

from refinebio_assets.errors import FormatError

BLOCK_BYTES = 8 << 20

Values = npt.NDArray[np.float32]


class Lines(Protocol):
    """A binary file that is read by line."""

    def readline(self) -> bytes: ...  # noqa: D102
    def readlines(self, hint: int = -1, /) -> list[bytes]:
        """Return the next lines, of about ``hint`` bytes."""


def read_header(file: Lines) -> list[str]:
    """Return the samples that the first line names."""
    return _fields(file.readline())[1:]


def read_blocks(
    file: Lines, samples: int, about: str, *, block_bytes: int = BLOCK_BYTES
) -> Iterator[tuple[list[str], Values]]:
    """Yield the ids and values (genes x samples) of the lines after the header; an empty cell is NaN.

    Raises FormatError, which names ``about`` and the line's gene, for lines that have not ``samples`` values
    or other text than numbers.
    """
    while lines := file.readlines(block_bytes):
        genes, cells = [], []
        for line in lines:
            gene, values = _split(line)
            found = values.count(b"\t") + 1 if samples else 0
            if found != samples:
                raise FormatError(
                    about, place=f"gene {gene}", expected=f"{samples:,} values", found=f"{found:,}"
                )
            genes.append(gene)
            cells.append(values)
        yield genes, _numbers(cells, samples, about)


def _split(line: bytes) -> tuple[str, bytes]:
    if line.startswith(b'"'):
        gene = _fields(line)[0]
        start = len(b'"' + gene.replace('"', '""').encode() + b'"')
        return gene, line[start + 1 :].rstrip(b"\n")
    name, _, values = line.rstrip(b"\n").partition(b"\t")
    return name.decode(), values


def _fields(line: bytes) -> list[str]:
    return next(csv.reader([line.decode().rstrip("\n")], "excel-tab"), [])


def _numbers(cells: list[bytes], samples: int, about: str) -> Values:
    if not samples:
        return np.empty((len(cells), 0), np.float32)
    text = b"\n".join(cells).replace(b"\t", b"\n") + b"\n"
    source: Any = pa.BufferReader(text)
    reading: dict[str, Any] = {
        "read_options": pacsv.ReadOptions(column_names=["value"], block_size=len(text) + 1),
        "parse_options": pacsv.ParseOptions(delimiter="\t", quote_char=False, ignore_empty_lines=False),
        "convert_options": pacsv.ConvertOptions(column_types={"value": pa.float32()}, null_values=[""]),
    }
    try:
        column = pacsv.read_csv(source, **reading).column("value")
    except pa.ArrowInvalid as error:
        raise FormatError(about, expected="numbers", found=str(error)) from error
    values: Values = column.to_numpy()
    return values.reshape(len(cells), samples)
