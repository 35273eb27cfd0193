"""CLF files of ST arrays: in which cell each probe id lies."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import numpy as np
import pyarrow as pa

from refinebio_assets.errors import FormatError
from refinebio_assets.formats.probe_tables.delimited import parse_columns, vector
from refinebio_assets.formats.probe_tables.library_file import LibraryHead, body_lines
from refinebio_assets.formats.probe_tables.model import Int32s
from refinebio_assets.formats.probe_tables.opening import table_lines

_MEMBER = re.compile(r"\.clf(\.\w+)?$", re.IGNORECASE)
_TYPES = {name: pa.int32() for name in ("probe_id", "x", "y")}
_MOST_SIDE = 1 << 16


@dataclass(frozen=True, slots=True, eq=False)
class CellLayout:
    """Where probes lie: ``probe_ids`` are distinct and rising; ``x`` and ``y`` are the cells, from 0."""

    label: str
    chip_types: tuple[str, ...]
    columns: int
    rows: int
    probe_ids: Int32s
    x: Int32s
    y: Int32s

    def cells_of(self, probe_ids: Int32s) -> tuple[Int32s, Int32s]:
        """Return x and y of probes. Raises FormatError for a probe that is not in the file."""
        places = np.searchsorted(self.probe_ids, probe_ids).clip(max=len(self.probe_ids) - 1)
        absent = np.flatnonzero(self.probe_ids[places] != probe_ids)
        if len(absent):
            found = f"{len(absent):,} that it lacks"
            raise FormatError(self.label, expected=f"probe {probe_ids[absent[0]]}", found=found)
        return self.x[places], self.y[places]


def read_clf(path: Path, *, label: str = "") -> CellLayout:
    """Read a CLF file, plain or packed. ``label`` replaces the path in messages.

    Coordinates are those of the rows: what the head says of ids in sequence is wrong about the order in
    files of the manufacturer (see its description of the format). Raises FormatError for a head without
    dimensions or columns, a row that is wrong, a probe given twice, and a cell outside of the array.
    """
    name = label or str(path)
    head = LibraryHead(name)
    parts = []
    with table_lines(path, name, _MEMBER) as pieces:
        for number, lines in body_lines(head, pieces):
            names = head.columns(0, tuple(_TYPES))
            if any(lines):
                columns = parse_columns(b"\n".join(lines), names, _TYPES, name, line_numbers=count(number))
                parts.append([vector(columns[column]) for column in _TYPES])
    if not parts:
        raise FormatError(name, line=head.lines + 1, expected="rows of probes", found="the end of the file")
    probe_ids, x, y = (np.concatenate(part) for part in zip(*parts, strict=True))
    layout = _sorted(head, probe_ids, x, y)
    _check(layout)
    return layout


def _sorted(head: LibraryHead, probe_ids: Int32s, x: Int32s, y: Int32s) -> CellLayout:
    order = np.argsort(probe_ids, kind="stable")
    columns, rows = (_side(head, name) for name in ("cols", "rows"))
    return CellLayout(head.label, tuple(head.chip_types), columns, rows, probe_ids[order], x[order], y[order])


def _side(head: LibraryHead, name: str) -> int:
    value = head.value(name)
    if not (value.isascii() and value.isdigit() and len(value) < 6 and 0 < int(value) <= _MOST_SIDE):
        expected = f"#%{name}= from 1 to {_MOST_SIDE:,}"
        raise FormatError(head.label, place="the head", expected=expected, found=repr(value[:60]))
    return int(value)


def _check(layout: CellLayout) -> None:
    twice = np.flatnonzero(np.diff(layout.probe_ids) == 0)
    if len(twice):
        found = f"probe {layout.probe_ids[twice[0]]} twice"
        raise FormatError(layout.label, expected="each probe once", found=found)
    outside = np.flatnonzero((layout.x >= layout.columns) | (layout.y >= layout.rows))
    if len(outside):
        first = outside[0]
        raise FormatError(
            layout.label,
            place=f"probe {layout.probe_ids[first]}",
            expected=f"a cell of {layout.columns:,} columns and {layout.rows:,} rows",
            found=f"x {layout.x[first]}, y {layout.y[first]}",
        )
