"""One sample's values as its submitter published them: any two-column table of ids and numbers.

GEO's sample tables (SOFT, series matrix, the headerless ``GSM123-tbl-1.txt`` of MINiML), ArrayExpress'
processed files, Affymetrix and Illumina exports. What was recognized is kept with the values. Turning
the ids into genes is the work of ``methods.probe_conversion``; raw signals of Illumina arrays are not
read here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from refinebio_assets.errors import FormatError
from refinebio_assets.formats.compressed import quoted
from refinebio_assets.formats.processed_columns import (
    ID,
    VALUE,
    RecognizedColumn,
    find_header,
    recognize_columns,
)
from refinebio_assets.formats.processed_numbers import Vector, first_not_number, parse_numbers
from refinebio_assets.formats.processed_text import (
    choose_delimiter,
    find_table,
    read_text,
    split_fields,
)

"""Columns of a converted table: gene and value."""


@dataclass(frozen=True, slots=True, eq=False)
class ProcessedTable:
    """The rows of a submitter's table in the file's order, and how the file was understood.

    ``ids`` are texts as submitted, without spaces and quotes around them; an id may be empty or occur
    several times. ``values`` is float64 on the submitter's scale, NaN where there is none or an infinite
    one (counted in ``missing`` and ``infinite``). ``columns`` tells the role of each column and why.

    ``header`` says where the columns' names come from, ``number_style`` what commas in values mean.
    ``skipped_lines`` counts blank lines and remarks, ``short_rows`` rows that lack fields.
    ``description`` is what a SOFT file says of the values.
    """

    ids: tuple[str, ...]
    values: Vector
    columns: tuple[RecognizedColumn, ...]
    header: str
    encoding: str
    delimiter: str
    number_style: str
    missing: int
    infinite: int
    skipped_lines: int
    short_rows: int
    description: str

    @property
    def duplicated_ids(self) -> int:
        """How many rows repeat an id of a row above."""
        return len(self.ids) - len(set(self.ids))

    def evidence(self) -> dict[str, object]:
        """Return how the file was understood, for storing and showing: all but ids and values."""
        roles = [{"name": each.name, "role": each.role, "reason": each.reason} for each in self.columns]
        return {
            "rows": len(self.ids),
            "duplicated_ids": self.duplicated_ids,
            "empty_ids": self.ids.count(""),
            "columns": roles,
            "header": self.header,
            "encoding": self.encoding,
            "delimiter": self.delimiter,
            "number_style": self.number_style,
            "missing_values": self.missing,
            "infinite_values": self.infinite,
            "skipped_lines": self.skipped_lines,
            "short_rows": self.short_rows,
            "description": self.description,
        }


def read_processed_table(
    path: Path,
    *,
    label: str = "",
    sample: str = "",
    also: Sequence[str] = (),
    column_names: Sequence[str] = (),
    shared: bool = False,
) -> ProcessedTable:
    """Read one sample's ids and values, plain or gzip. ``label`` replaces the path in messages.

    ``sample`` names the sample in a file of several: its GSM accession in SOFT, or the name of its
    column; ``also`` are other names that its column may have. ``shared`` tells that the file holds several
    samples: then only a column, or a table of SOFT, with one of these names is taken. ``column_names`` are
    those of a file without a header, as GEO's records give them. See
    ``find_header`` and ``recognize_columns`` for how columns are told, ``parse_numbers`` for values.

    Raises FormatError, naming the line or quoting the header, for what is no text, a file with one
    column, columns that cannot be told, a row with too many fields, and a value that is no number;
    NotFoundError when there is no file.
    """
    name = label or str(path)
    text, encoding = read_text(path, name)
    table = find_table(text, name, sample)
    delimiter = choose_delimiter(table.lines, name)
    fields = split_fields(table, delimiter, name)
    titles = _title_lines(fields)
    fields, numbers = fields[titles:], table.numbers[titles:]
    fields, short = _even_rows(fields, len(column_names), numbers, name)
    header = find_header(fields, len(fields[-1]), column_names, name, numbers[0])
    if header.rows_from == 0:
        fields[0] += [""] * (len(header.names) - len(fields[0]))
    rows, row_numbers = fields[header.rows_from :], numbers[header.rows_from :]
    if not rows:
        raise FormatError(name, expected="rows below the header", found="the end of the table")
    names = [each.strip() for each in (sample, *also) if each.strip()]
    only_named = shared and not table.of_sample
    columns = recognize_columns(header, rows, names, name, numbers[0], shared=only_named)
    roles = [column.role for column in columns]
    id_place, value_place = roles.index(ID), roles.index(VALUE)
    texts = [row[value_place] for row in rows]
    parsed = parse_numbers(texts)
    if parsed is None:
        raise _no_number(texts, row_numbers, columns[value_place].name, name)
    return ProcessedTable(
        ids=tuple([row[id_place] for row in rows]),
        values=parsed.values,
        columns=columns,
        header=header.source,
        encoding=encoding,
        delimiter=delimiter,
        number_style=parsed.style,
        missing=parsed.missing,
        infinite=parsed.infinite,
        skipped_lines=table.skipped + titles,
        short_rows=short,
        description=table.descriptions.get(columns[value_place].name, ""),
    )


def _title_lines(fields: Sequence[Sequence[str]]) -> int:
    """Return how many lines of one field stand above the table: titles, not names of columns."""
    return next((row for row, line in enumerate(fields) if _used_width(line) > 1), 0)


def _used_width(row: Sequence[str]) -> int:
    """Return how many fields a row has up to its last that is not empty."""
    if row[-1]:
        return len(row)
    return next((place for place in range(len(row), 0, -1) if row[place - 1]), 0)


def _even_rows(
    fields: list[list[str]], at_least: int, numbers: Sequence[int], label: str
) -> tuple[list[list[str]], int]:
    """Return the rows with as many fields as most have, or the first line, or ``at_least``.

    Missing fields become empty, empty surplus ones are cut; the first line, perhaps a header, is only
    cut. The second result counts the rows that lacked fields. Raises FormatError, naming the line, for a
    row with more.
    """
    used = [_used_width(row) for row in fields]
    width = max(Counter(used).most_common(1)[0][0], used[0], at_least)
    longest = max(used)
    if longest > width:
        row = used.index(longest)
        found = f"{longest}: {quoted(chr(9).join(fields[row]).encode())}"
        raise FormatError(label, line=numbers[row], expected=f"at most {width} fields", found=found)
    short = sum(len(row) < width for row in fields[1:])
    if short or any(len(row) != width for row in fields):
        rest = [[*row[:width], *[""] * (width - len(row))] for row in fields[1:]]
        fields = [fields[0][: max(used[0], 1)], *rest]
    return fields, short


def _no_number(texts: Sequence[str], numbers: Sequence[int], column: str, label: str) -> FormatError:
    row = first_not_number(texts)
    line = None if row is None else numbers[row]
    found = "commas of several meanings" if row is None else quoted(texts[row].encode())
    place = f"column {column}"
    return FormatError(label, line=line, place=place, expected="a number or a missing value", found=found)
