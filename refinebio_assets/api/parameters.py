"""Query parameters: which a list has, how each is read, and the SQL condition that it means.

Of a parameter that comes again the last counts, as existing clients append to their URLs.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from refinebio_assets.api.problems import Invalid, bad_request, invalid_filters

PAGING = ("limit", "offset")
_TRUE, _FALSE = ("True", "true"), ("False", "false")
_INTEGER = re.compile(" *-?[0-9]{1,18} *")
_NUMBER = re.compile(" *-?[0-9]{1,15}([.][0-9]{1,15})? *")
NUMBER_PATTERN = f"^({_INTEGER.pattern}|{_NUMBER.pattern})?$"
"""What a parameter that is a number may look like; without a text it is ignored."""

_MAX_ROWS_OFFSET = 10**15


class Kind(Enum):
    """How a parameter's text is read."""

    TEXT = "string"
    NUMBER = "integer"
    TRUTH = "boolean"
    CODES = "string, separated by commas"


@dataclass(frozen=True, slots=True)
class Filter:
    """One parameter of a list: ``condition`` is SQL with one ``?``, for an equal ``column`` by default."""

    name: str
    kind: Kind = Kind.TEXT
    condition: str = ""
    description: str = ""

    @property
    def sql(self) -> str:
        """The SQL condition with one placeholder."""
        operator = "IN (SELECT unnest(?))" if self.kind is Kind.CODES else "= ?"
        return self.condition or f'"{self.name}" {operator}'


@dataclass
class Selection:
    """Conditions that are all to hold, with the values of their placeholders.

    ``places`` are the only rows for which they can hold, where that is known.
    """

    conditions: list[str] = field(default_factory=list)
    values: list[Any] = field(default_factory=list)
    places: list[int] | None = None

    def add(self, condition: str, *values: Any) -> None:
        """Add a condition."""
        self.conditions.append(f"({condition})")
        self.values.extend(values)

    def add_places(self, places: Sequence[int]) -> None:
        """Select the rows at these places of their table. May be called once."""
        self.places = sorted(places)
        self.add("rowid IN (SELECT unnest(?))", self.places)

    @property
    def is_places(self) -> bool:
        """Whether the rows at ``places`` are what is selected, without looking at them."""
        return self.places is not None and len(self.conditions) == 1

    @property
    def where(self) -> str:
        """The WHERE clause; empty without conditions."""
        return f"WHERE {' AND '.join(self.conditions)}" if self.conditions else ""

    @property
    def key(self) -> tuple[str, str]:
        """What tells this selection from others."""
        return self.where, repr(self.values)


def texts(names: str) -> tuple[Filter, ...]:
    """Return a filter for equal text for each name."""
    return tuple(Filter(name) for name in names.split())


def numbers(names: str) -> tuple[Filter, ...]:
    """Return a filter for equal numbers for each name."""
    return tuple(Filter(name, Kind.NUMBER) for name in names.split())


def truths(names: str) -> tuple[Filter, ...]:
    """Return a filter for a truth value for each name."""
    return tuple(Filter(name, Kind.TRUTH) for name in names.split())


def select(given: Mapping[str, str], filters: Sequence[Filter], others: Sequence[str] = ()) -> Selection:
    """Return what the parameters select; ``others`` are parameters that are read elsewhere.

    Raises ApiProblemError naming the parameters that the list does not have, or whose values cannot be read.
    """
    known = {item.name for item in filters} | {*PAGING, "ordering", *others}
    unknown = [name for name in given if name not in known]
    if unknown:
        raise invalid_filters(unknown)
    selection = Selection()
    problems = []
    for item in filters:
        text = given.get(item.name, "")
        if text == "":
            continue
        value = _value(item, text)
        if isinstance(value, Invalid):
            problems.append(value)
        elif value is not None:
            selection.add(item.sql, value)
    if problems:
        raise bad_request(problems)
    return selection


def _value(item: Filter, text: str) -> Any:
    """Return a parameter's value, what is wrong with it, or None where it is to be ignored."""
    if item.kind is Kind.NUMBER:
        number = whole_number(text)
        if number is None and _NUMBER.fullmatch(text):
            return float(text)
        return Invalid("invalid", "Enter a number.", item.name) if number is None else number
    if item.kind is Kind.TRUTH:
        return truth(text)
    if item.kind is Kind.CODES:
        return split_codes(text)
    return text


def whole_number(text: str) -> int | None:
    """Return the number that a text is, or None."""
    return int(text) if _INTEGER.fullmatch(text) else None


def truth(text: str) -> bool | None:
    """Return the truth value that a text is, or None."""
    return True if text in _TRUE else False if text in _FALSE else None


def split_codes(text: str) -> list[str]:
    """Return the parts of a text with commas, without empty ones."""
    return [part.strip() for part in text.split(",") if part.strip()]


def order(given: Mapping[str, str], columns: Sequence[str], default: str, tie: str) -> str:
    """Return the ORDER BY clause that ``ordering`` asks for: ``-name`` is descending, unknown is ignored.

    ``tie`` is added to every order, so that pages never overlap.
    """
    wanted = dict.fromkeys(part.strip() for part in given.get("ordering", "").split(","))
    terms = list(_terms(wanted, columns))
    return f"ORDER BY {', '.join([*(terms or filter(None, [default])), tie])}"


def _terms(wanted: Iterable[str], columns: Sequence[str]) -> Iterator[str]:
    for name in wanted:
        column = name.removeprefix("-")
        if column in columns:
            yield f'"{column}" {"DESC" if name.startswith("-") else "ASC"} NULLS LAST'


@dataclass(frozen=True, slots=True)
class Page:
    """Which rows of a list are wanted."""

    limit: int
    offset: int


def page(given: Mapping[str, str], *, default: int = 25, maximum: int | None = 1000) -> Page:
    """Return the page that is asked for; what cannot be read is the default, never an error."""
    limit = whole_number(given.get("limit", ""))
    if limit is None or limit <= 0:
        limit = default
    offset = whole_number(given.get("offset", ""))
    offset = 0 if offset is None or offset < 0 else min(offset, _MAX_ROWS_OFFSET)
    return Page(min(limit, maximum) if maximum else min(limit, _MAX_ROWS_OFFSET), offset)
