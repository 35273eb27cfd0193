"""Flat probe tables: the manufacturer's ``*_probe_tab``, Brainarray's, and others with such columns."""

from __future__ import annotations

import re
from itertools import count
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa

from refinebio_assets.errors import FormatError
from refinebio_assets.formats.compressed import quoted
from refinebio_assets.formats.probe_tables.delimited import Columns, parse_columns, vector
from refinebio_assets.formats.probe_tables.model import (
    ProbeTable,
    in_cell_order,
    make_labels,
    make_sequences,
)
from refinebio_assets.formats.probe_tables.opening import table_bytes

SPELLINGS = {
    "x": ("probex", "x"),
    "y": ("probey", "y"),
    "sequence": ("probesequence", "sequence"),
    "probe_set": ("probesetname", "probesetid", "probeset", "transcriptclusterid"),
    "strand": ("targetstrandedness",),
    "category": ("category",),
}
"""Names of columns without case and punctuation, as the manufacturer, Brainarray and Bioconductor write
them (``Probe Set ID``, ``Probe.Set.Name``); the first that a table has counts."""
_REQUIRED = ("x", "y", "sequence", "probe_set")
_TYPES = {"x": pa.int32(), "y": pa.int32()}
_MEMBER = re.compile(r"(probe[._-]?tab|_probes?|\.probe)\b[^/]*$|\.(tab|tsv)(\.\w+)?$", re.IGNORECASE)
_PUNCTUATION = re.compile(r"[\W_]+")
_UTF8_MARK = b"\xef\xbb\xbf"


class _Layout(NamedTuple):
    """Where a table's rows begin, and its columns: our name where it is one of ours."""

    start: int
    line: int
    delimiter: str
    names: list[str]


def read_probe_tab(path: Path, *, label: str = "", columns: int | None = None) -> ProbeTable:
    """Read a flat probe table, tab or comma separated, quoted or not, plain or packed.

    Columns are found by name; others, comment lines (``#``) before the header and R's column of row
    names are passed over. With the array's number of ``columns`` the rows come in cell order (see
    ``in_cell_order``), else in the file's. ``label`` replaces the path in messages.

    Raises FormatError, naming line and value, for a header without a needed column, a missing or extra
    field, a coordinate that is no whole number, no rows, and damage; NotFoundError when there is no file.
    """
    name = label or str(path)
    content = table_bytes(path, name, _MEMBER)
    layout = _find_layout(content, name)
    types = {ours: _TYPES.get(ours, pa.string()) for ours in SPELLINGS if ours in layout.names}
    found = parse_columns(
        content[layout.start :],
        layout.names,
        types,
        name,
        line_numbers=count(layout.line),
        delimiter=layout.delimiter,
        quoting=b'"' in content[:10_000],
    )
    table = make_table(found)
    return in_cell_order(table, columns, label=name) if columns else table


def make_table(columns: Columns) -> ProbeTable:
    """Return the table of columns x, y (int32), probe_set, sequence, strand and category (strings)."""
    sequences, lengths = make_sequences(columns["sequence"])
    return ProbeTable(
        x=vector(columns["x"]),
        y=vector(columns["y"]),
        probe_sets=make_labels(columns["probe_set"]),
        sequences=sequences,
        lengths=lengths,
        strands=make_labels(columns["strand"]) if "strand" in columns else None,
        categories=make_labels(columns["category"]) if "category" in columns else None,
    )


def our_names(names: list[str], label: str, *, line: int | None = None) -> list[str]:
    """Return a table's column names with ours for those that we know; FormatError for one that lacks."""
    bare = [_PUNCTUATION.sub("", name).lower() for name in names]
    renamed = [f"column {number}" for number in range(1, len(names) + 1)]
    for ours, spellings in SPELLINGS.items():
        spelling = next((each for each in spellings if each in bare), None)
        if spelling is not None:
            renamed[bare.index(spelling)] = ours
        elif ours in _REQUIRED:
            expected = f"a column for the probe's {ours.replace('_', ' ')} ({' or '.join(spellings)})"
            found = quoted("\t".join(names).encode())
            raise FormatError(label, line=line, expected=expected, found=found)
    return renamed


def _find_layout(content: bytes, label: str) -> _Layout:
    start, line = len(_UTF8_MARK) if content.startswith(_UTF8_MARK) else 0, 1
    while content.startswith(b"#", start):
        start, line = _next_line(content, start), line + 1
    end = _next_line(content, start)
    header = content[start:end].rstrip(b"\r\n").decode("latin-1")
    delimiter = "\t" if "\t" in header or "," not in header else ","
    names = our_names([name.strip().strip('"') for name in header.split(delimiter)], label, line=line)
    first_row = content[end : _next_line(content, end)]
    if first_row.count(delimiter.encode()) == len(names):
        names = ["row name", *names]
    return _Layout(end, line + 1, delimiter, names)


def _next_line(content: bytes, start: int) -> int:
    found = content.find(b"\n", start)
    return len(content) if found < 0 else found + 1
