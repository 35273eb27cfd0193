"""MPS files of ST arrays: which probe sets make up a transcript cluster ("meta probe set")."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from refinebio_assets.errors import FormatError
from refinebio_assets.formats.compressed import quoted
from refinebio_assets.formats.probe_tables.library_file import LibraryHead, body_lines
from refinebio_assets.formats.probe_tables.model import Int32s, Labels, sorted_labels
from refinebio_assets.formats.probe_tables.opening import table_lines

_MEMBER = re.compile(r"(core[^/]*\.mps|\.mps)(\.\w+)?$", re.IGNORECASE)
_REQUIRED = ("probeset_id", "probeset_list")
_ID = re.compile(r"\d{1,9}")


@dataclass(frozen=True, slots=True, eq=False)
class MetaProbeSets:
    """Transcript clusters and their probe sets: a row for each pair, in the file's order.

    ``clusters`` is the meta probe set's id, by which the core probes of an array are grouped; ``set_ids``
    is the probe set's. A probe set may be in several clusters.
    """

    chip_types: tuple[str, ...]
    clusters: Labels
    set_ids: Int32s


def read_mps(path: Path, *, label: str = "") -> MetaProbeSets:
    """Read an MPS file (for SCAN the ``core`` one), plain or packed. ``label`` replaces the path.

    Raises FormatError, naming the line, for a table without the needed columns, a row without probe sets,
    an id that is no whole number, and a cluster given twice; NotFoundError when there is no file.
    """
    name = label or str(path)
    head = LibraryHead(name)
    names: list[str] = []
    row_of: dict[str, int] = {}
    rows: list[int] = []
    set_ids: list[int] = []
    with table_lines(path, name, _MEMBER) as pieces:
        for first, lines in body_lines(head, pieces):
            for number, line in enumerate(lines, start=first):
                if not names:
                    names = _column_names(line, name, number)
                elif line.strip():
                    cluster, members = _row(line, names, name, number)
                    if cluster in row_of:
                        raise _error(name, number, "each cluster once", line)
                    row_of[cluster] = len(row_of)
                    rows += [row_of[cluster]] * len(members)
                    set_ids += members
    if not set_ids:
        raise FormatError(name, expected="rows of transcript clusters", found="none")
    clusters = sorted_labels(np.array(rows, np.int32), list(row_of))
    return MetaProbeSets(tuple(head.chip_types), clusters, np.array(set_ids, np.int32))


def _column_names(line: bytes, label: str, number: int) -> list[str]:
    names = line.decode("latin-1").strip().split("\t")
    if not set(_REQUIRED) <= set(names):
        raise _error(label, number, f"a header with {' and '.join(_REQUIRED)}", line)
    return names


def _row(line: bytes, names: list[str], label: str, number: int) -> tuple[str, list[int]]:
    values = dict(zip(names, line.decode("latin-1").split("\t"), strict=False))
    cluster = values["probeset_id"].strip()
    members = values.get("probeset_list", "").split()
    if not cluster or not members or not all(_ID.fullmatch(member) for member in members):
        raise _error(label, number, "a cluster's id and the ids of its probe sets", line)
    return cluster, [int(member) for member in members]


def _error(label: str, number: int, expected: str, line: bytes) -> FormatError:
    return FormatError(label, line=number, expected=expected, found=quoted(line))
