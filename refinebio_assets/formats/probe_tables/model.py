"""The table that all readers give: a row for each probe of a probe set, with its cell and sequence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from refinebio_assets.errors import FormatError

PROBE_LENGTH = 25
"""Bases of a probe on nearly all arrays, and of every probe that SCAN uses."""

Int32s = npt.NDArray[np.int32]
Letters = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class Labels:
    """A text for each row: row i has ``names[codes[i]]``.

    ``names`` are distinct and in order: by number where all are whole numbers, else by code point.
    """

    codes: Int32s
    names: tuple[str, ...]

    def take(self, rows: npt.NDArray[Any]) -> Labels:
        """Return the labels of some rows; names that no row has any more stay."""
        return Labels(self.codes[rows], self.names)

    def texts(self) -> list[str]:
        """Return the text of every row."""
        return [self.names[code] for code in self.codes.tolist()]


@dataclass(frozen=True, slots=True, eq=False)
class ProbeTable:
    """The probes of an array, a row for each probe of each probe set, all columns of the same length.

    ``x`` and ``y`` are the cell, from 0. ``probe_sets`` names the probe set or gene. ``sequences`` is
    uint8[N, 25], the letters as the file has them (ASCII, upper or lower case, others than ACGT too), from
    the probe's 5' to its 3' end as far as the file keeps to its format. ``lengths`` is how many letters
    there are, 0 where the file gives no sequence: of longer ones the first 25 are kept, shorter ones end
    in zeros. ``strands`` and ``categories`` (``main``, ``normgene->exon``) are None when not given.

    A cell used by several probe sets, or listed twice, has several rows.
    """

    x: Int32s
    y: Int32s
    probe_sets: Labels
    sequences: Letters
    lengths: Int32s
    strands: Labels | None = None
    categories: Labels | None = None

    def __len__(self) -> int:
        """How many rows there are."""
        return len(self.x)

    def take(self, rows: npt.NDArray[Any]) -> ProbeTable:
        """Return some rows: their numbers in any order, or a mask."""
        return replace(
            self,
            x=self.x[rows],
            y=self.y[rows],
            probe_sets=self.probe_sets.take(rows),
            sequences=self.sequences[rows],
            lengths=self.lengths[rows],
            strands=self.strands.take(rows) if self.strands else None,
            categories=self.categories.take(rows) if self.categories else None,
        )


def cell_indices(table: ProbeTable, columns: int, rows: int | None = None, *, label: str = "") -> Int32s:
    """Return each row's cell in a CEL file of so many columns: ``y * columns + x``, from 0.

    Raises FormatError, with ``label`` as the file, for a probe outside of the array.
    """
    outside = (table.x >= columns) | (table.y >= rows if rows is not None else False)
    if outside.any():
        first = int(np.flatnonzero(outside)[0])
        size = f"{columns:,} columns" + (f" and {rows:,} rows" if rows is not None else "")
        raise FormatError(
            label or "probe table",
            place=f"probe {first + 1:,} of {len(table):,}",
            expected=f"a cell of an array of {size}",
            found=f"x {table.x[first]}, y {table.y[first]}; {np.count_nonzero(outside):,} are outside",
        )
    return table.y * np.int32(columns) + table.x


def in_cell_order(table: ProbeTable, columns: int, rows: int | None = None, *, label: str = "") -> ProbeTable:
    """Return the table sorted by cell, then by probe set, as SCAN numbers its probes (stable).

    Errors as ``cell_indices``.
    """
    cells = cell_indices(table, columns, rows, label=label)
    return table.take(np.lexsort((table.probe_sets.codes, cells)))


def only_25mers(table: ProbeTable) -> tuple[ProbeTable, int]:
    """Return the rows whose sequence is exactly 25 letters long, and how many were left out."""
    fits = table.lengths == PROBE_LENGTH
    return table.take(fits), int(len(fits) - np.count_nonzero(fits))


def make_labels(texts: pa.Array[Any]) -> Labels:
    """Return the labels of an Arrow array of strings without missing values."""
    encoded = texts.dictionary_encode()
    names = [str(name) for name in encoded.dictionary.to_pylist()]
    return sorted_labels(np.from_dlpack(encoded.indices).astype(np.int32), names)


def sorted_labels(codes: Int32s, names: Sequence[str]) -> Labels:
    """Return labels with their names in order; ``names`` are distinct and in any order."""
    if all(name.isascii() and name.isdigit() for name in names):
        order = sorted(range(len(names)), key=lambda row: (len(names[row]), names[row]))
    else:
        order = sorted(range(len(names)), key=names.__getitem__)
    new_code = np.empty(len(names), np.int32)
    new_code[order] = np.arange(len(names), dtype=np.int32)
    return Labels(new_code[codes], tuple(names[row] for row in order))


def make_sequences(texts: pa.Array[Any]) -> tuple[Letters, Int32s]:
    """Return the letters (uint8[N, 25]) and lengths of an Arrow array of strings without missing values."""
    count = len(texts)
    _, offset_bytes, letter_bytes = texts.buffers()
    if not count or offset_bytes is None or letter_bytes is None:
        return no_sequences(count)
    offsets = np.frombuffer(memoryview(offset_bytes), np.int32, count + 1, texts.offset * 4)
    letters = np.frombuffer(memoryview(letter_bytes), np.uint8)
    lengths = np.diff(offsets)
    if (lengths == PROBE_LENGTH).all():
        return letters[offsets[0] : offsets[-1]].reshape(count, PROBE_LENGTH), lengths
    sequences = np.zeros((count, PROBE_LENGTH), np.uint8)
    for position in range(PROBE_LENGTH):
        rows = np.flatnonzero(lengths > position)
        sequences[rows, position] = letters[offsets[rows] + position]
    return sequences, lengths


def no_sequences(count: int) -> tuple[Letters, Int32s]:
    """Return the letters and lengths of probes without sequence."""
    return np.zeros((count, PROBE_LENGTH), np.uint8), np.zeros(count, np.int32)
