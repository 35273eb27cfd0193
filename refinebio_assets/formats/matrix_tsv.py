"""Genes x samples matrices as text, separated by tabs or commas: the one writer of the project.

The header is ``Gene`` and the samples, each line a gene. A number is the shortest text that reads back to
the same number of its type (a float32 as such: 0.1, not 0.10000000149011612), a missing value is empty
unless told otherwise, infinity is ``inf``. Ids with the separator, a line's end or a quotation mark are
quoted, as pandas does. Files are read by ``float()``, pandas, R's ``read.delim`` and readr, DuckDB and Arrow.

What an id may be is decided elsewhere. Python's csv module and pandas take twenty times as long.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import orjson

GENE_COLUMN = "Gene"
BLOCK_CELLS = 1 << 17
"""Numbers formatted at a time: 2 MB of text, which a processor's cache holds."""

Matrix = npt.NDArray[np.floating[Any]]

TAB, COMMA = "\t", ","
_TO_QUOTE = {separator: re.compile(f'["{separator}\r\n]') for separator in (TAB, COMMA)}
_SMALLEST_DECIMAL = 1e-4
_SMALL_NUMBER = re.compile(rb"0\.0000(0*)([0-9])([0-9]*)")


class ByteSink(Protocol):
    """What bytes can be written to: a file, a member of a zip archive."""

    def write(self, data: bytes, /) -> object:
        """Take all of ``data``."""


def write_matrix_tsv(
    sink: ByteSink,
    genes: Sequence[str],
    samples: Sequence[str],
    values: Matrix,
    *,
    corner: str = GENE_COLUMN,
    missing: str = "",
    separator: str = TAB,
) -> None:
    """Write a matrix (float32 or float64, any memory order), a block of genes at a time.

    Memory beyond the matrix is a few megabytes. Raises ValueError where shapes differ, TypeError for values
    of another type.
    """
    if values.shape != (len(genes), len(samples)):
        raise ValueError(f"{len(genes):,} genes and {len(samples):,} samples have values {values.shape}")
    sink.write(tsv_header(samples, corner=corner, separator=separator))
    step = max(1, BLOCK_CELLS // max(1, len(samples)))
    for start in range(0, len(genes), step):
        rows = slice(start, start + step)
        sink.write(tsv_lines(genes[rows], values[rows], missing=missing, separator=separator))


def tsv_header(samples: Iterable[str], *, corner: str = GENE_COLUMN, separator: str = TAB) -> bytes:
    """Return the first line."""
    return (separator.join(_quoted(name, separator) for name in (corner, *samples)) + "\n").encode()


def tsv_lines(genes: Sequence[str], values: Matrix, *, missing: str = "", separator: str = TAB) -> bytes:
    """Return the lines of some genes; ``values`` are genes x samples, float32 or float64."""
    if values.dtype not in (np.float32, np.float64):
        raise TypeError(f"expected float32 or float64 values, got {values.dtype}")
    if not values.shape[1]:
        return "".join(f"{_quoted(gene, separator)}\n" for gene in genes).encode()
    block = np.ascontiguousarray(values)
    # "[[1.0,2.0],[3.0,4.0]]" in pieces "[[1.0,2.0", ",[3.0,4.0", "", ""
    pieces = orjson.dumps(block, option=orjson.OPT_SERIALIZE_NUMPY).split(b"]")
    between = bytes.maketrans(b",", separator.encode())
    lines = [piece[2:].translate(between) for piece in pieces[: len(block)]]
    for row in np.flatnonzero(~np.isfinite(block).all(axis=1)).tolist():
        lines[row] = _with_missing(lines[row], block[row], missing.encode())
    for row in np.flatnonzero(_small(block).any(axis=1)).tolist():
        lines[row] = _SMALL_NUMBER.sub(_with_exponent, lines[row])
    ids = (f"{_quoted(gene, separator)}{separator}".encode() for gene in genes)
    return b"".join(part for pair in zip(ids, lines, strict=True) for part in (*pair, b"\n"))


def _with_missing(line: bytes, row: Matrix, missing: bytes) -> bytes:
    """Return a line with what JSON cannot say: missing values and infinities."""
    special = row[~np.isfinite(row)].tolist()
    names = [b"inf" if value > 0 else b"-inf" if value < 0 else missing for value in special]
    return b"".join(_alternating(line.split(b"null"), names))


def _alternating(pieces: Sequence[bytes], between: Sequence[bytes]) -> Iterator[bytes]:
    yield pieces[0]
    for name, piece in zip(between, pieces[1:], strict=True):
        yield name
        yield piece


def _small(block: Matrix) -> npt.NDArray[np.bool_]:
    sizes = np.abs(block)
    return (sizes < _SMALLEST_DECIMAL) & (sizes > 0)


def _with_exponent(found: re.Match[bytes]) -> bytes:
    """Write 0.0000123 as 1.23e-5: of so many zeros pandas' default parser loses digits."""
    # The end of 10.00001 looks like a small number; a look behind in the pattern is ten times slower.
    if found.start() and found.string[found.start() - 1 : found.start()].isdigit():
        return found.group()
    zeros, first, rest = found.groups()
    fraction = b"." + rest if rest else b""
    return b"%b%be-%d" % (first, fraction, len(zeros) + 5)


def _quoted(name: str, separator: str) -> str:
    return '"' + name.replace('"', '""') + '"' if _TO_QUOTE[separator].search(name) else name
