"""PGF files of ST arrays: which probes belong to which probe set, with their types and sequences.

A tree in text: probe sets at the margin, their atoms behind one tab, the atoms' probes behind two.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from refinebio_assets.errors import FormatError
from refinebio_assets.formats.compressed import quoted
from refinebio_assets.formats.probe_tables.delimited import parse_columns, vector
from refinebio_assets.formats.probe_tables.library_file import LibraryHead, body_lines
from refinebio_assets.formats.probe_tables.model import (
    PROBE_LENGTH,
    Int32s,
    Labels,
    Letters,
    make_labels,
    make_sequences,
    no_sequences,
)
from refinebio_assets.formats.probe_tables.opening import table_lines

_MEMBER = re.compile(r"\.pgf(\.\w+)?$", re.IGNORECASE)
_FORMAT = "1.0"
_SET, _ATOM, _PROBE = range(3)
_PERFECT_MATCH = "pm"


@dataclass(frozen=True, slots=True, eq=False)
class ProbeGroups:
    """The probes of an array's probe sets.

    A row for each probe of each probe set, in the file's order: ``probe_ids`` (for the CLF file),
    ``set_rows`` (the probe set's number in the columns below), ``types`` (``pm:st``), ``sequences`` and
    ``lengths`` as in ``ProbeTable``. The file writes probes from their 3' end, on the array's surface; the
    sequences here are turned around, so that they begin at the 5' end as in probe tables.

    An entry for each probe set: ``set_ids`` (distinct), ``set_names`` (the id where it has no name) and
    ``set_types`` (``main``, ``control->affx``; empty where not given).
    """

    chip_types: tuple[str, ...]
    probe_ids: Int32s
    set_rows: Int32s
    types: Labels
    sequences: Letters
    lengths: Int32s
    set_ids: Int32s
    set_names: tuple[str, ...]
    set_types: tuple[str, ...]

    def is_perfect_match(self) -> npt.NDArray[np.bool_]:
        """Tell which rows are perfect-match probes: ``pm`` is among the types, as in ``pm:target->st``."""
        of_name = np.array([_is_perfect_match(name) for name in self.types.names], np.bool_)
        return of_name[self.types.codes]


def read_pgf(path: Path, *, label: str = "") -> ProbeGroups:
    """Read a PGF file of version 1.0, plain or packed. ``label`` replaces the path in messages.

    Raises FormatError, naming the line, for a head without version or columns, a row that is wrong or
    before its parent, and a probe set given twice; NotFoundError when there is no file.
    """
    name = label or str(path)
    reader = _Reader(LibraryHead(name))
    with table_lines(path, name, _MEMBER) as pieces:
        for number, lines in body_lines(reader.head, pieces):
            reader.read(lines, number)
    return reader.groups()


class _Reader:
    """Collects probe sets line by line, and probes as Arrow arrays, piece by piece to save memory."""

    def __init__(self, head: LibraryHead) -> None:
        self.head = head
        self._columns: list[list[str]] = []
        self._parts: list[tuple[Int32s, Int32s, pa.Array[pa.StringScalar], pa.Array[pa.StringScalar]]] = []
        self._set_row_of: dict[int, int] = {}
        self._set_names: list[str] = []
        self._set_types: list[str] = []
        self._level = -1

    def read(self, lines: list[bytes], first_line: int) -> None:
        """Read some lines behind the head."""
        if not self._columns:
            self._columns = self._column_names()
        probes: list[bytes] = []
        numbers: list[int] = []
        of_set: list[int] = []
        for number, line in enumerate(lines, start=first_line):
            if line.startswith(b"\t\t"):
                if self._level < _ATOM:
                    raise self._error(number, "an atom before its probes", line)
                self._level = _PROBE
                probes.append(line[2:])
                numbers.append(number)
                of_set.append(len(self._set_names) - 1)
            elif line.startswith(b"\t"):
                if self._level < _SET:
                    raise self._error(number, "a probe set before its atoms", line)
                self._level = _ATOM
            elif line.strip():
                self._add_set(line.split(b"\t"), number)
        if probes:
            self._add_probes(probes, numbers, of_set)

    def _column_names(self) -> list[list[str]]:
        version = self.head.value("pgf_format_version")
        if version != _FORMAT:
            expected = f"#%pgf_format_version={_FORMAT}"
            raise FormatError(self.head.label, place="the head", expected=expected, found=repr(version[:60]))
        required = (("probeset_id",), ("atom_id",), ("probe_id", "type"))
        return [self.head.columns(level, names) for level, names in enumerate(required)]

    def _add_set(self, fields: list[bytes], number: int) -> None:
        names = self._columns[_SET]
        values = {name: text.decode("latin-1").strip() for name, text in zip(names, fields, strict=False)}
        id_text = values["probeset_id"]
        if not (id_text.isascii() and id_text.isdigit() and len(id_text) < 10):
            raise self._error(number, "a probe set's id, a whole number", fields[0])
        if int(id_text) in self._set_row_of:
            raise self._error(number, "each probe set once", fields[0])
        self._set_row_of[int(id_text)] = len(self._set_names)
        self._set_names.append(values.get("probeset_name") or id_text)
        self._set_types.append(values.get("type", ""))
        self._level = _SET

    def _add_probes(self, lines: list[bytes], numbers: list[int], of_set: list[int]) -> None:
        names = self._columns[_PROBE]
        types: dict[str, pa.DataType] = {"probe_id": pa.int32(), "type": pa.string()}
        if "probe_sequence" in names:
            types["probe_sequence"] = pa.string()
        found = parse_columns(b"\n".join(lines), names, types, self.head.label, line_numbers=numbers)
        sequences = found.get("probe_sequence", pa.nulls(0, pa.string()))
        self._parts.append((vector(found["probe_id"]), np.array(of_set, np.int32), found["type"], sequences))

    def groups(self) -> ProbeGroups:
        """Return all that was read."""
        if not self._parts:
            raise FormatError(self.head.label, expected="probe sets with probes", found="none")
        probe_ids, set_rows, types, texts = zip(*self._parts, strict=True)
        sequences, lengths = _turned(pa.concat_arrays(texts), sum(map(len, probe_ids)))
        return ProbeGroups(
            chip_types=tuple(self.head.chip_types),
            probe_ids=np.concatenate(probe_ids),
            set_rows=np.concatenate(set_rows),
            types=make_labels(pa.concat_arrays(types)),
            sequences=sequences,
            lengths=lengths,
            set_ids=np.array(list(self._set_row_of), np.int32),
            set_names=tuple(self._set_names),
            set_types=tuple(self._set_types),
        )

    def _error(self, number: int, expected: str, line: bytes) -> FormatError:
        return FormatError(self.head.label, line=number, expected=expected, found=quoted(line))


def _turned(texts: pa.Array[pa.StringScalar], count: int) -> tuple[Letters, Int32s]:
    """Return sequences turned around, and their lengths."""
    if not len(texts):
        return no_sequences(count)
    sequences, lengths = make_sequences(texts)
    turned = sequences[:, ::-1].copy()
    # Padding is at the end of those that are shorter.
    for row in np.flatnonzero(lengths < PROBE_LENGTH):
        turned[row] = np.roll(turned[row], lengths[row] - PROBE_LENGTH)
    return turned, lengths


def _is_perfect_match(type_: str) -> bool:
    return any(part.split("->")[0] == _PERFECT_MATCH for part in type_.split(":"))
