"""The filters of a search: ``organism=HOMO_SAPIENS``, ``num_downloadable_samples__gt=0`` and their kind.

Values of a parameter that comes again are alternatives; a parameter with a lookup that comes again holds with
all of its values. Parameters that there are not are ignored, as the ancestor does here and nowhere else.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from refinebio_assets.api.parameters import Selection, truth, whole_number

_NUMBERS = ("id", "num_processed_samples", "num_downloadable_samples")
_TEXTS = {
    "technology": "lower(technology)",
    "accession_code": "accession_code",
    "alternate_accession_code": "alternate_accession_code",
}
_LISTS = {
    "platform": "platform_accession_codes",
    "organism": "organism_names",
    "downloadable_organism": "downloadable_organism_names",
    "sample_keywords": "sample_keywords",
}
NAMES = (*_NUMBERS, *_TEXTS, *_LISTS, "has_publication")
_COMPARED = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}
_LIKE = {
    "prefix": "starts_with({}, ?)",
    "startswith": "starts_with({}, ?)",
    "endswith": "ends_with({}, ?)",
    "contains": "contains({}, ?)",
    "wildcard": "regexp_full_match({}, ?)",
    "regexp": "regexp_full_match({}, ?)",
}
_SEPARATOR = "__"
_NEVER = "false"


def select_experiments(given: Mapping[str, Sequence[str]]) -> Selection:
    """Return the conditions that the parameters mean, each name with all of its values."""
    selection = Selection()
    for name, values in given.items():
        field, separator, lookup = name.partition(_SEPARATOR)
        if field not in NAMES:
            continue
        if not separator:
            _add_equal(selection, field, values)
            continue
        for value in values:
            _add_lookup(selection, field, lookup, value)
    return selection


def _add_equal(selection: Selection, field: str, values: Sequence[str]) -> None:
    """Add that a field has one of these values."""
    if field == "has_publication":
        _add_in(
            selection, "has_publication", [value for text in values if (value := truth(text)) is not None]
        )
    elif field in _NUMBERS:
        _add_in(selection, field, [number for text in values if (number := whole_number(text)) is not None])
    elif field in _TEXTS:
        _add_in(selection, _TEXTS[field], list(values))
    else:
        selection.add(f"list_has_any({_LISTS[field]}, ?)", list(values))


def _add_in(selection: Selection, column: str, values: list[Any]) -> None:
    if values:
        selection.add(f"{column} IN ({', '.join('?' * len(values))})", *values)
    else:
        selection.add(_NEVER)


def _add_lookup(selection: Selection, field: str, lookup: str, text: str) -> None:
    parts = text.split(_SEPARATOR)
    if lookup in ("in", "terms"):
        _add_equal(selection, field, parts)
    elif lookup == "exclude":
        excluded = Selection()
        _add_equal(excluded, field, parts)
        selection.add(f"NOT coalesce({excluded.conditions[0]}, false)", *excluded.values)
    elif lookup in ("exists", "isnull"):
        _add_presence(selection, field, (truth(text) is not False) == (lookup == "exists"))
    elif field in _NUMBERS:
        _add_number(selection, field, lookup, parts)
    elif lookup in _LIKE and field != "has_publication":
        pattern = _wildcard(text) if lookup == "wildcard" else text
        _add_like(selection, field, _LIKE[lookup], pattern)


def _add_number(selection: Selection, field: str, lookup: str, parts: Sequence[str]) -> None:
    numbers = [whole_number(part) for part in parts]
    if lookup in _COMPARED:
        _add_bound(selection, field, _COMPARED[lookup], numbers[0])
    elif lookup == "range":
        for operator, part, number in zip((">=", "<="), parts, numbers, strict=False):
            if part:
                _add_bound(selection, field, operator, number)


def _add_bound(selection: Selection, field: str, operator: str, number: int | None) -> None:
    if number is None:
        selection.add(_NEVER)
    else:
        selection.add(f"{field} {operator} ?", number)


def _add_presence(selection: Selection, field: str, present: bool) -> None:
    empty = f"len({_LISTS[field]}) = 0" if field in _LISTS else f"coalesce({field}::VARCHAR, '') = ''"
    selection.add(f"NOT ({empty})" if present else empty)


def _add_like(selection: Selection, field: str, form: str, value: str) -> None:
    if field in _TEXTS:
        selection.add(form.format(_TEXTS[field]), value)
    else:
        selection.add(f"len(list_filter({_LISTS[field]}, lambda listed: {form.format('listed')})) > 0", value)


def _wildcard(text: str) -> str:
    """Return the regular expression that a text with ``*`` and ``?`` means."""
    parts = (".*" if part == "*" else "." if part == "?" else re.escape(part) for part in text)
    return "".join(parts)
