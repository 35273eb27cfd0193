"""Reads a table of non-normalized BeadArray intensities: its parts, and the samples that are asked for."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from refinebio_assets.domain import some_of
from refinebio_assets.errors import FormatError, RequestError
from refinebio_assets.formats.beadarray.cells import Cells, read_cells
from refinebio_assets.formats.beadarray.columns import Column, columns_of, find_probe_ids
from refinebio_assets.formats.beadarray.layout import Layout, find_layout, header_error
from refinebio_assets.formats.beadarray.matching import REASONS, Match, Names, best_matches, only_column
from refinebio_assets.formats.beadarray.model import (
    BeadArrayTable,
    ColumnRole,
    Role,
    SampleNames,
    UnmatchedSample,
    Vector,
)
from refinebio_assets.formats.beadarray.pairing import pair_detection, run_as_complement
from refinebio_assets.formats.beadarray.plain_text import plain_table
from refinebio_assets.formats.beadarray.spelling import Kind, is_annotation
from refinebio_assets.formats.probe_tables.opening import table_bytes

_MEMBER = re.compile(r"(\.(txt|tsv|csv|tab|asc)(\.\w+)?|(^|/)[^./]+)$", re.IGNORECASE)
_SHOWN_SAMPLES = 5
_COMPLEMENT = "given as 1 - p, turned round"


def read_beadarray(path: Path, samples: Sequence[SampleNames], *, label: str = "") -> BeadArrayTable:
    """Read the non-normalized intensities of some samples, from a table that may hold others as well.

    The file is plain, compressed, or one table in a zip or tar archive. Text is UTF-8, UTF-16, Latin-1 or
    Windows-1252; fields are separated by tabs, semicolons, commas or blanks; numbers may have decimal commas.
    Blank lines, what SOFT leaves (``#``, ``!``, ``^``) and lists of samples (``GSM``) are passed over.

    Columns of values are found by the samples' titles, accessions and descriptions; a table of one sample
    may call them anything. Detection p-values are found by name or place; those given as 1 - p come out as
    p. ``label`` replaces the path in messages.

    Raises FormatError, quoting the header, when there is no column of probe ids or none of values for any
    sample (one sample alone without is in ``unmatched``); naming line and value, for a cell that is no
    number, a row with too many fields and a file that is cut; for what is no table. NotFoundError when
    there is no file, PermanentError for an archive that cannot be opened, RequestError for no samples.

    Rules: refine.bio's ``illumina.py``, which refuses more.
    """
    name = label or str(path)
    if not samples:
        raise RequestError("no samples are asked for", about=name)
    text = plain_table(table_bytes(path, name, _MEMBER), name)
    layout = find_layout(text, name)
    if not layout.rows.texts:
        raise FormatError(
            name, line=layout.line, expected="rows below the header", found="the end of the file"
        )
    found = _find_columns(layout, samples, name)
    wanted = sorted({each.column.index for each in found.values.values()} | set(found.detection_columns))
    cells = read_cells(layout, found.ids.index, wanted, name, complete=text.complete)
    notes = (*_comments(text.comments), *layout.notes, *cells.notes)
    return _table(_without_empty(found, cells, layout, name), cells, text.encoding, notes)


@dataclass(frozen=True, slots=True)
class _Found:
    """What was recognized: columns, the samples' values and p-values among them, and samples without."""

    ids: ColumnRole
    columns: tuple[Column, ...]
    matches: Mapping[int, Match]
    values: Mapping[str, Match]
    detection: Mapping[str, tuple[Column, str]]
    unmatched: tuple[UnmatchedSample, ...]

    @property
    def detection_columns(self) -> list[int]:
        return [column.index for column, _ in self.detection.values()]


def _find_columns(layout: Layout, samples: Sequence[SampleNames], label: str) -> _Found:
    ids = find_probe_ids(layout, label)
    columns = [column for column in columns_of(layout) if column.index != ids.index]
    names = Names(samples)
    matches = {column.index: match for column in columns if (match := names.match(column))}
    usable = [match for match in matches.values() if match.kind > Kind.DETECTION and match.column.numeric]
    values, several = best_matches(usable)
    accessions = list(dict.fromkeys(each.accession for each in samples))
    if len(accessions) == 1 and not values and not several:
        only = only_column([column for column in columns if column.index not in matches], accessions[0])
        values = {accessions[0]: only} if only else {}
    if not values:
        raise _no_values(layout, samples, several, label)
    # In the order in which the samples were asked for.
    values = {accession: values[accession] for accession in accessions if accession in values}
    named = {index: match.accession for index, match in matches.items()}
    return _Found(
        ids=ids,
        columns=tuple(columns),
        matches=matches | {match.column.index: match for match in values.values()},
        values=values,
        detection=pair_detection(columns, values, named),
        unmatched=tuple(_unmatched(accessions, values, several)),
    )


def _unmatched(
    accessions: Iterable[str], values: Mapping[str, Match], several: Mapping[str, Sequence[Match]]
) -> Iterable[UnmatchedSample]:
    for accession in accessions:
        if accession in several:
            headers = ", ".join(repr(match.column.header) for match in several[accession])
            yield UnmatchedSample(accession, f"several columns may hold its values: {headers}")
        elif accession not in values:
            reason = "no column of values has a header with its title, accession or description alone"
            yield UnmatchedSample(accession, reason)


def _no_values(
    layout: Layout, samples: Sequence[SampleNames], several: Mapping[str, Sequence[Match]], label: str
) -> FormatError:
    listed = some_of([repr(each.title or each.accession) for each in samples], _SHOWN_SAMPLES)
    why = "; ".join(each.reason for each in _unmatched(list(several)[:1], {}, several))
    return header_error(layout, label, f"a column of values for a sample ({listed})", why)


def _without_empty(found: _Found, cells: Cells, layout: Layout, label: str) -> _Found:
    """Leave out samples without any value, and p-values that are no probabilities."""
    values = {
        accession: match
        for accession, match in found.values.items()
        if not np.isnan(cells.numbers[match.column.index]).all()
    }
    empty = [accession for accession in found.values if accession not in values]
    if not values:
        raise header_error(
            layout, label, "a column of values", "no cell below the samples' headers is a number"
        )
    detection = {
        accession: pair
        for accession, pair in found.detection.items()
        if accession in values and _are_probabilities(cells.numbers[pair[0].index])
    }
    no_values = [UnmatchedSample(accession, "its column of values is empty") for accession in empty]
    return replace(found, values=values, detection=detection, unmatched=(*found.unmatched, *no_values))


def _are_probabilities(numbers: Vector) -> bool:
    known = numbers[~np.isnan(numbers)]
    return len(known) > 0 and bool(known.min() >= 0 and known.max() <= 1)


def _table(found: _Found, cells: Cells, encoding: str, notes: tuple[str, ...]) -> BeadArrayTable:
    values = np.empty((len(cells.probe_ids), len(found.values)), order="F")
    detection: list[Vector | None] = []
    turned: set[int] = set()
    for place, (accession, match) in enumerate(found.values.items()):
        values[:, place] = cells.numbers[match.column.index]
        p_values = None
        if accession in found.detection:
            index = found.detection[accession][0].index
            p_values = cells.numbers[index]
            if run_as_complement(values[:, place], p_values):
                turned.add(index)
                p_values = 1.0 - p_values
            p_values.flags.writeable = False
        detection.append(p_values)
    values.flags.writeable = False
    return BeadArrayTable(
        samples=tuple(found.values),
        probe_ids=cells.probe_ids,
        values=values,
        detection=tuple(detection),
        columns=tuple(_roles(found, turned)),
        unmatched=found.unmatched,
        encoding=encoding,
        notes=notes,
    )


def _roles(found: _Found, turned: set[int]) -> Iterable[ColumnRole]:
    """Say of each column what it was taken for; in the order of the file."""
    values = {match.column.index: match for match in found.values.values()}
    pairs = {column.index: (accession, why) for accession, (column, why) in found.detection.items()}
    roles = [found.ids]
    for column in found.columns:
        index, header = column.index, column.header
        if index in values:
            reason = REASONS[values[index].fit]
            roles.append(ColumnRole(index, header, Role.VALUES, values[index].accession, reason))
        elif index in pairs:
            accession, why = pairs[index]
            reason = f"{why}; {_COMPLEMENT}" if index in turned else why
            roles.append(ColumnRole(index, header, Role.DETECTION, accession, reason))
        else:
            reason = _why_ignored(column, found.matches.get(index), found)
            roles.append(ColumnRole(index, header, Role.IGNORED, reason=reason))
    return sorted(roles, key=lambda role: role.index)


def _why_ignored(column: Column, match: Match | None, found: _Found) -> str:
    kind = match.kind if match else column.kind
    if not column.name:
        return "it has no header"
    if kind == Kind.DETECTION:
        return _why_no_detection(column)
    if kind == Kind.OTHER:
        return "it is about the beads or arrays, or computed from intensities"
    if match:
        others = match.accession in found.values
        return f"{'another' if others else 'no one'} column has the values of {match.accession}"
    about_probe = is_annotation(column.name) or not column.numeric
    return "it is about the probe" if about_probe else "its header names none of the samples asked for"


def _why_no_detection(column: Column) -> str:
    if not column.probability:
        return "it does not hold numbers between 0 and 1"
    return "it belongs to no column of values that is read"


def _comments(count: int) -> Iterable[str]:
    if count:
        yield f"{count:,} comment lines passed over"
