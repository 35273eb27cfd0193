"""What a table of non-normalized BeadArray intensities says, and which of its columns is what."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

Vector = npt.NDArray[np.float64]
Matrix = npt.NDArray[np.float64]
_SHOWN_CHARACTERS = 1_000


class Role(StrEnum):
    """What a column is taken for."""

    PROBE_ID = "probe id"
    VALUES = "values"
    DETECTION = "detection p-values"
    IGNORED = "ignored"


@dataclass(frozen=True, slots=True)
class SampleNames:
    """The names under which a table may know a sample: its accession, title, and descriptions."""

    accession: str
    title: str = ""
    descriptions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ColumnRole:
    """One column of a table: its place from 0, its header as written, and what it was taken for.

    ``sample`` is the accession of the sample whose values or p-values it holds, else empty. ``reason`` says
    for people how it was recognized, or why it is ignored.
    """

    index: int
    header: str
    role: Role
    sample: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class UnmatchedSample:
    """A sample that was asked for and has no values in the table, and why."""

    accession: str
    reason: str


@dataclass(frozen=True, slots=True, eq=False)
class BeadArrayTable:
    """The non-normalized intensities of some samples.

    ``samples`` are accessions in the order in which they were asked for. ``probe_ids`` are as written, in
    the file's order, none empty; an id may come again. ``values`` (probes x samples) are intensities as in
    the file, float64, on the submitter's scale, negative where the submitter subtracted a background, NaN
    where missing. ``detection`` has for each sample its detection p-values (small: detected), float64, NaN
    where missing, or None when the table has none for it. Arrays are read-only.

    ``columns`` says of every column what it was taken for, ``unmatched`` which samples have none.
    ``encoding`` is the text's, as Python calls it. ``notes`` say for people what was repaired or passed over.
    """

    samples: tuple[str, ...]
    probe_ids: tuple[str, ...]
    values: Matrix
    detection: tuple[Vector | None, ...]
    columns: tuple[ColumnRole, ...]
    unmatched: tuple[UnmatchedSample, ...]
    encoding: str
    notes: tuple[str, ...]


def shown(names: list[str]) -> str:
    """Return a header as a message quotes it, cut when it is very long."""
    text = " | ".join(names)
    if len(text) > _SHOWN_CHARACTERS:
        text = f"{text[:_SHOWN_CHARACTERS]} ..."
    return f"the header {text!r} ({len(names):,} columns)"
