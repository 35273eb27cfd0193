"""Corrections of harmonized metadata: a table of what somebody knows better, laid over what is harmonized.

The submitter's own metadata are never changed; a correction outlives every new survey of its sample. Where
corrections are kept is not known here.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from refinebio_assets.errors import RequestError
from refinebio_assets.metadata.ages import AGE_UNITS, age_unit, parse_age, read_age, years
from refinebio_assets.metadata.harmonize import harmonized_value
from refinebio_assets.metadata.harmonized import CORRECTION, FieldSource, Harmonized, in_order
from refinebio_assets.metadata.source_keys import FIELDS
from refinebio_assets.metadata.tsv import Row, read_tsv

COLUMNS = ("sample", "field", "value", "source", "note")
CORRECTABLE = (*FIELDS, "age_unit")
"""The fields that can be corrected. The age in years follows from age and unit."""

_AGES = frozenset({"age", "age_unit", "age_years"})


@dataclass(frozen=True, slots=True)
class Correction:
    """One field of one sample as somebody says it is; an empty ``value`` says that nothing is known.

    ``source`` is who says so, or where it is said (a DOI, a person, a letter); ``note`` why, may be empty.
    """

    sample: str
    field: str
    value: str
    source: str
    note: str = ""


def read_corrections(path: Path) -> tuple[Correction, ...]:
    """Read a tab-separated table with the columns sample, field, value, source and note, in any order.

    ``value`` and ``note`` may be empty, the others not. An age is a number, with a unit after a blank if
    wanted (``12``, ``12 weeks``). A table without rows gives nothing. Raises NotFoundError when there is no
    such file, RequestError naming every problem with its line.
    """
    about = f"corrections file {path}"
    rows, problems = read_tsv(path, about=about, required=COLUMNS)
    problems += [f"line {row.line:,}: {problem}" for row in rows for problem in _row_problems(row.cells)]
    problems += _repeated(rows)
    if problems:
        raise RequestError(problems, about=about)
    return tuple(Correction(**row.cells) for row in rows)


def _row_problems(cells: dict[str, str]) -> list[str]:
    field, value = cells["field"], cells["value"]
    problems = [f"the {name} is empty" for name in ("sample", "field", "source") if not cells[name]]
    if field and field not in CORRECTABLE:
        near = difflib.get_close_matches(field.lower().replace(" ", "_"), CORRECTABLE, n=1)
        advice = f"did you mean {near[0]!r}?" if near else f"fields are {', '.join(CORRECTABLE)}"
        problems.append(f"unknown field {field!r}; {advice}")
    if field == "age" and value and parse_age(value) is None:
        problems.append(f"{value!r} is no age: expected a number below 100,000, such as 12 or 12 weeks")
    if field == "age_unit" and value and not age_unit(value):
        problems.append(f"{value!r} is no unit of age: expected {', '.join(AGE_UNITS)}")
    return problems


def _repeated(rows: Iterable[Row]) -> list[str]:
    first: dict[tuple[str, str], int] = {}
    problems = []
    for row in rows:
        sample, field = row.cells["sample"], row.cells["field"]
        line = first.setdefault((sample, field), row.line)
        if line != row.line and sample and field:
            problems.append(f"line {row.line:,}: {field} of {sample} is corrected in line {line:,} already")
    return problems


def apply_corrections(harmonized: Harmonized, corrections: Iterable[Correction]) -> Harmonized:
    """Return one sample's harmonized metadata with its corrections laid over.

    Values are written as harmonization writes them (lower case, f is female); titles stay as they are. A
    corrected field's source is its correction. With a corrected age, unit and years are those of the
    correction; with a corrected unit, years are those of the age in that unit. Raises RequestError naming
    sample and field when two corrections are of one field, ValueError for corrections of several samples
    and of a field that cannot be corrected.
    """
    by_field = _by_field(corrections)
    corrected = harmonized
    for field, correction in by_field.items():
        if field not in _AGES:
            value = correction.value if field == "title" else harmonized_value(field, correction.value)
            corrected = _overlaid(corrected, {field: value}, {field: correction})
    if _AGES & by_field.keys():
        corrected = _with_age(corrected, by_field.get("age"), by_field.get("age_unit"))
    return corrected


def _by_field(corrections: Iterable[Correction]) -> dict[str, Correction]:
    given = tuple(corrections)
    if len({correction.sample for correction in given}) > 1:
        raise ValueError("corrections of one sample are wanted")
    by_field: dict[str, Correction] = {}
    for one in given:
        other = by_field.setdefault(one.field, one)
        if other is not one:
            raise RequestError(
                f"{one.field} of {one.sample} is corrected twice: it is {other.value!r} by {other.source},"
                f" and {one.value!r} by {one.source}"
            )
    unknown = by_field.keys() - set(CORRECTABLE)
    if unknown:
        raise ValueError(f"{', '.join(sorted(unknown))} cannot be corrected")
    return by_field


def _with_age(harmonized: Harmonized, age: Correction | None, unit: Correction | None) -> Harmonized:
    named = age_unit(unit.value) if unit else ""
    if age:
        reading = read_age(age.value, named)
        number = reading.age
        in_unit = named if unit else reading.unit
        in_years = reading.years if in_unit == reading.unit else years(number, in_unit)
    else:
        number, in_unit = harmonized.age, named
        in_years = years(number, in_unit)
    values = {"age": number, "age_unit": in_unit, "age_years": in_years}
    by = {"age": age, "age_unit": unit or age, "age_years": age or unit}
    return _overlaid(harmonized, values, {field: one for field, one in by.items() if one})


def _overlaid(
    harmonized: Harmonized, values: dict[str, str | float | None], by: dict[str, Correction]
) -> Harmonized:
    """Replace values, and the sources of those that a correction gave."""
    kept = [source for source in harmonized.sources if source.field not in by]
    new = [
        FieldSource(
            field, "" if values[field] is None else str(values[field]), one.source, one.note, CORRECTION
        )
        for field, one in by.items()
        # What follows from a correction has a source only where there is something.
        if values[field] not in {None, ""} or field == one.field
    ]
    return replace(harmonized, **values, sources=in_order(kept + new))  # type: ignore[arg-type]
