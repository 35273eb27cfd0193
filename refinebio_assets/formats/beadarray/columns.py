"""What each column of a table may be, told from its header and some rows; whose it is, others tell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from refinebio_assets.formats.beadarray.layout import Layout, header_error, is_absent, is_number
from refinebio_assets.formats.beadarray.model import ColumnRole, Role
from refinebio_assets.formats.beadarray.spelling import (
    BEAD_TYPE_NAMES,
    PROBE_ID_NAMES,
    TARGET_ID_NAMES,
    Kind,
    bare,
    folded,
    is_annotation,
    split_header,
)

_ILLUMINA_ID = "ILMN_"


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its header as written, folded, and without the words that tell its ``kind`` (``rest``).

    ``numeric`` tells that most of the rows looked at hold numbers or nothing, ``probability`` that these are
    all between 0 and 1; ``empty`` that they hold nothing.
    """

    index: int
    header: str
    name: str
    rest: str
    kind: Kind
    numeric: bool
    probability: bool
    empty: bool

    @property
    def may_be_values(self) -> bool:
        """Whether it may hold some sample's intensities."""
        named = self.kind > Kind.VALUE or (self.kind == Kind.VALUE and bool(self.rest))
        return named and bool(self.name) and self.numeric and not is_annotation(self.name)


def columns_of(layout: Layout) -> list[Column]:
    """Return what is known of each column of a table."""
    return [
        _column(index, header, [row[index] for row in layout.peeked])
        for index, header in enumerate(layout.names)
    ]


def find_probe_ids(layout: Layout, label: str) -> ColumnRole:
    """Return the column of probe ids; FormatError, quoting the header, when there is none."""
    names = [bare(name) for name in layout.names]
    first = next((name for name in names if name and name not in TARGET_ID_NAMES), "")
    if first in BEAD_TYPE_NAMES:
        why = "bead type files list all beads of an array by their code"
        raise header_error(layout, label, "a table with a column of probe ids", why)
    named = [index for index, name in enumerate(names) if name in PROBE_ID_NAMES and _has_ids(layout, index)]
    if named:
        of_illumina = [index for index in named if _has_illumina_ids(layout, index)]
        index = (of_illumina or named)[0]
        return _ids(layout, index, "its header is that of probe ids")
    if not names[0] and _has_ids(layout, 0) and not _column(0, "", _cells(layout, 0)).numeric:
        return _ids(layout, 0, "the first column, without header, holds text")
    targets = [
        index for index, name in enumerate(names) if name in TARGET_ID_NAMES and _has_ids(layout, index)
    ]
    if targets:
        return _ids(
            layout, targets[0], "no column is headed as probe ids, and older tables call them targets"
        )
    expected = "a column of probe ids (ID_REF, PROBE_ID, REF_ID or ID_PROBE)"
    raise header_error(layout, label, expected)


def _ids(layout: Layout, index: int, reason: str) -> ColumnRole:
    return ColumnRole(index, layout.names[index], Role.PROBE_ID, reason=reason)


def _cells(layout: Layout, index: int) -> list[str]:
    return [row[index] for row in layout.peeked]


def _has_ids(layout: Layout, index: int) -> bool:
    cells = _cells(layout, index)
    return sum(map(bool, cells)) * 2 > len(cells)


def _has_illumina_ids(layout: Layout, index: int) -> bool:
    return any(cell.upper().startswith(_ILLUMINA_ID) for cell in _cells(layout, index))


def _column(index: int, header: str, cells: Sequence[str]) -> Column:
    name = folded(header)
    rest, kind = split_header(name)
    present = [cell for cell in cells if not is_absent(cell)]
    numbers = [cell for cell in present if is_number(cell)]
    numeric = 2 * len(numbers) > len(present) or not present
    return Column(
        index=index,
        header=header,
        name=name,
        rest=rest,
        kind=kind,
        numeric=numeric,
        probability=numeric and all(0 <= _number(cell) <= 1 for cell in numbers),
        empty=not present,
    )


def _number(cell: str) -> float:
    """Return a number that may have a decimal comma; -1, which is no probability, for one with separators."""
    try:
        return float(cell.replace(",", "."))
    except ValueError:
        return -1.0
