"""Text CDF files, versions GC1.0 to GC6.0: sections with a line for each cell."""

from __future__ import annotations

import re

import numpy as np
import pyarrow as pa

from refinebio_assets.errors import FormatError
from refinebio_assets.formats.compressed import quoted
from refinebio_assets.formats.probe_tables.cdf_layout import CdfLayout, are_complements, make_layout
from refinebio_assets.formats.probe_tables.delimited import parse_columns, vector

MAGIC = b"[CDF]"
_MOST_SIDE = 1 << 16
_BLOCK = re.compile(rb"\[unit\d+_block\d+\]", re.IGNORECASE)
_CELL = re.compile(rb"cell\d+=", re.IGNORECASE)
_NO_NAME = ("", "NONE")
_TYPES: dict[str, pa.DataType] = {
    "X": pa.int32(),
    "Y": pa.int32(),
    "PBASE": pa.string(),
    "TBASE": pa.string(),
}


def parse_text_cdf(content: bytes, label: str) -> CdfLayout:
    """Return the layout in a text CDF file; errors as ``read_cdf``."""
    reader = _Reader(label)
    for number, line in enumerate(content.split(b"\n"), start=1):
        reader.read(line.removesuffix(b"\r"), number)
    reader.end_block()
    columns, rows = reader.dimension("cols"), reader.dimension("rows")
    if reader.cell_columns is None:
        raise FormatError(label, expected="sections [Unit..._Block...] with cells", found="none")
    cells = parse_columns(
        b"\n".join(reader.cells), reader.cell_columns, _TYPES, label, line_numbers=reader.line_numbers
    )
    probe, target = (_letters(cells[name]) for name in ("PBASE", "TBASE"))
    return make_layout(
        label,
        tuple(reader.chip_types),
        (columns, rows),
        (vector(cells["X"]), vector(cells["Y"]), are_complements(probe, target)),
        (reader.names, reader.counts),
    )


class _Reader:
    """Goes through the lines once and keeps the cells' lines and their blocks."""

    def __init__(self, label: str) -> None:
        self._label = label
        self._section = b""
        self._unit = ""
        self._is_block = False
        self._expected = ("", 0, 0)
        self._chip: dict[str, str] = {}
        self.chip_types: list[str] = []
        self.cell_columns: list[str] | None = None
        self.cells: list[bytes] = []
        self.line_numbers: list[int] = []
        self.names: list[str] = []
        self.counts: list[int] = []

    def read(self, line: bytes, number: int) -> None:
        if self._is_block and line[:4].lower() == b"cell" and line[4:5].isdigit():
            if self.cell_columns is None or not (match := _CELL.match(line)):
                raise self._error(number, "a line CellHeader= before the cells", line)
            self.cells.append(line[match.end() :])
            self.line_numbers.append(number)
            self.counts[-1] += 1
        elif line.startswith(b"["):
            self.end_block()
            self._section = line.strip().lower()
            self._is_block = _BLOCK.match(line) is not None
            if self._is_block:
                self.names.append(self._unit)
                self.counts.append(0)
        elif line.strip():
            tag, _, value = line.decode("latin-1").partition("=")
            self._tag(tag.strip().lower(), value.strip(), number)

    def _tag(self, tag: str, value: str, number: int) -> None:
        if self._section == b"[chip]":
            self._chip.setdefault(tag, value)
            if tag in ("name", "chiptype") and value and value not in self.chip_types:
                self.chip_types.append(value)
        elif not self._is_block:
            if tag == "name":
                self._unit = value
        elif tag == "name":
            self.names[-1] = self._unit if value in _NO_NAME else value
        elif tag == "numcells":
            if not value.isascii() or not value.isdigit():
                raise self._error(number, "NumCells=, a whole number", value.encode())
            self._expected = (value, len(self.cells), number)
        elif tag == "cellheader":
            self._cell_header(value.upper().split("\t"), number)

    def _cell_header(self, names: list[str], number: int) -> None:
        if self.cell_columns is None:
            if not set(_TYPES) <= set(names) or len(set(names)) != len(names):
                expected = f"a CellHeader with {', '.join(_TYPES)}, each once"
                raise self._error(number, expected, "\t".join(names).encode())
            self.cell_columns = names
        elif names != self.cell_columns:
            raise self._error(number, "the same CellHeader in every block", "\t".join(names).encode())

    def end_block(self) -> None:
        """Check that the block that ends has the cells that it should have."""
        value, before, number = self._expected
        found = len(self.cells) - before
        if value and value != str(found):
            raise self._error(number, f"{found} cells in {self.names[-1]}, as many lines", value.encode())
        self._expected = ("", 0, 0)

    def dimension(self, tag: str) -> int:
        """Return the number of columns (``cols``) or rows of the array."""
        value = self._chip.get(tag, "")
        if not (value.isascii() and value.isdigit() and len(value) < 6 and 0 < int(value) <= _MOST_SIDE):
            expected = f"{tag.title()}= from 1 to {_MOST_SIDE:,}"
            found = repr(value[:60]) if tag in self._chip else "none"
            raise FormatError(self._label, place="section [Chip]", expected=expected, found=found)
        return int(value)

    def _error(self, number: int, expected: str, line: bytes) -> FormatError:
        return FormatError(
            self._label, line=number, expected=expected, found=quoted(line) if line else "nothing"
        )


def _letters(column: pa.Array[pa.StringScalar]) -> np.ndarray[tuple[int], np.dtype[np.bytes_]]:
    """Return the first letter of each text; of an empty one, nothing."""
    return np.array([str(text)[:1].encode("latin-1", "replace") for text in column.to_pylist()], "S1")
