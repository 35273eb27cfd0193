"""What a CDF file says, whichever its format."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from refinebio_assets.errors import FormatError
from refinebio_assets.formats.probe_tables.model import (
    Int32s,
    Labels,
    ProbeTable,
    no_sequences,
    sorted_labels,
)

_COMPLEMENTS = ((b"A", b"T"), (b"T", b"A"), (b"C", b"G"), (b"G", b"C"))


@dataclass(frozen=True, slots=True, eq=False)
class CdfLayout:
    """The cells of an array's probe sets; quality-control cells are not among them.

    ``chip_types`` is empty where the file does not name them (binary files before version 4). ``x``,
    ``y``, ``probe_sets`` and ``is_pm`` have a row for each cell of each probe set, in the file's order;
    a cell that is not a perfect match is a mismatch.
    """

    chip_types: tuple[str, ...]
    columns: int
    rows: int
    x: Int32s
    y: Int32s
    probe_sets: Labels
    is_pm: npt.NDArray[np.bool_]

    def perfect_matches(self) -> ProbeTable:
        """Return the perfect-match probes; a CDF file has no sequences."""
        rows = self.is_pm
        sequences, lengths = no_sequences(int(np.count_nonzero(rows)))
        return ProbeTable(self.x[rows], self.y[rows], self.probe_sets.take(rows), sequences, lengths)


def are_complements(probe: npt.NDArray[Any], target: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    """Tell where a probe's base pairs with its target's: a perfect match. One-letter bytes, any case."""
    first, second = np.char.upper(probe), np.char.upper(target)
    found = np.zeros(len(first), np.bool_)
    for base, complement in _COMPLEMENTS:
        found |= (first == base) & (second == complement)
    return found


def make_layout(
    label: str,
    chip_types: tuple[str, ...],
    size: tuple[int, int],
    cells: tuple[Int32s, Int32s, npt.NDArray[np.bool_]],
    blocks: tuple[Sequence[str], Sequence[int]],
) -> CdfLayout:
    """Return the layout of x, y and is_pm of all cells, and of the blocks' names and numbers of cells.

    ``size`` is columns and rows. Raises FormatError for a cell outside of the array.
    """
    x, y, is_pm = cells
    outside = np.flatnonzero((x >= size[0]) | (y >= size[1]))
    names, counts = blocks
    distinct: dict[str, int] = {}
    of_block = np.array([distinct.setdefault(name, len(distinct)) for name in names], np.int32)
    labels = sorted_labels(np.repeat(of_block, counts), list(distinct))
    if len(outside):
        first = int(outside[0])
        raise FormatError(
            label,
            place=f"probe set {labels.names[labels.codes[first]]}",
            expected=f"cells of an array of {size[0]:,} columns and {size[1]:,} rows",
            found=f"x {x[first]}, y {y[first]}",
        )
    return CdfLayout(chip_types, size[0], size[1], x, y, labels, is_pm)
