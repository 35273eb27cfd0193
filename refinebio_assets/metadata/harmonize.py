"""Harmonization: from a submitter's keys and texts to 14 fields that can be compared between experiments.

The rules are refine.bio's, with its known defects mended: titles do not depend on chance, an age of 0 is an
age, sex is stripped, values that are no text do no harm. Which key feeds which field is in ``source_keys``,
the reading of ages in ``ages``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from refinebio_assets.domain import Metadata
from refinebio_assets.metadata.ages import AgeReading, age_unit, read_age, unit_of_key
from refinebio_assets.metadata.flatten import companion_units, flat_metadata
from refinebio_assets.metadata.harmonized import FieldSource, Harmonized, in_order
from refinebio_assets.metadata.source_keys import SOURCE_KEYS, match_key, title_ranks

__all__ = [
    "FieldSource",
    "Harmonized",
    "harmonize",
    "harmonize_sample",
    "harmonized_value",
    "match_title_field",
    "sample_title",
]

_SEXES = {"f": "female", "woman": "female", "m": "male", "man": "male"}
_NUMBERED_TEXT = re.compile(r"(_\d+)_text$")

Units = Mapping[str, tuple[str, str]]
"""Units that are known of keys: key -> key and text of the unit."""

_NO_UNITS: Units = {}


def harmonize_sample(source: str, pairs: Metadata, *, title_field: str = "") -> Harmonized:
    """Harmonize a sample's metadata as its source gives it; see ``flat_metadata`` and ``harmonize``.

    Unlike ``harmonize`` alone, this knows which SDRF ``Unit [...]`` column belongs to the age.
    """
    flat = flat_metadata(source, pairs)
    return harmonize(flat, units=companion_units(source, pairs), title_field=title_field)


def harmonize(flat: Mapping[str, object], *, units: Units = _NO_UNITS, title_field: str = "") -> Harmonized:
    """Return the harmonized fields of one sample, from its metadata as one flat dictionary.

    Values that are None count as missing, others that are no text by their ``str``. Of several ages the
    first that is a number counts; of other fields all distinct values are kept, sorted and joined with
    ``;``. ``units`` are units of keys that are known from elsewhere (``companion_units``); ``title_field``
    is the source key that goes before the others for the title (``match_title_field``). Whatever the
    metadata are, this raises nothing but ValueError for a ``title_field`` that is none.
    """
    entries: list[_Entry] = []
    ages: list[tuple[str, str, str]] = []
    for key, value in flat.items():
        matches = match_key(key)
        if not matches or value is None:
            continue
        text = value if isinstance(value, str) else str(value)
        for name, source_key in matches:
            if name == "age":
                ages.append((key, text, source_key))
            elif plain := harmonized_value(name, text):
                entries.append((name, plain, key, text))
    # Sorted, so that nothing depends on the order of the keys, and the values of a field are joined sorted.
    entries.sort()
    title, title_key = _titled(flat, title_field)
    age, age_sources = _age(ages, flat, units)
    sources = [FieldSource(*entry) for entry in entries] + age_sources
    if title:
        sources.append(FieldSource("title", title, title_key, title))
    return Harmonized(
        title=title,
        age=age.age,
        age_unit=age.unit,
        age_years=age.years,
        sources=in_order(sources),
        **_joined(entries),
    )


_Entry = tuple[str, str, str, str]
"""A harmonized value: its field, the value, and the key and text it came from."""


def _joined(entries: list[_Entry]) -> dict[str, str]:
    """Return each field's distinct values joined, of entries that are sorted."""
    values: dict[str, list[str]] = {}
    for name, value, _, _ in entries:
        of_field = values.setdefault(name, [])
        if not of_field or of_field[-1] != value:
            of_field.append(value)
    return {name: ";".join(of_field) for name, of_field in values.items()}


def harmonized_value(name: str, text: str) -> str:
    """Return a text as the field ``name``, other than title and age, holds it: lower case, stripped.

    Sex is ``female`` or ``male`` for f, woman, m and man; anything else stays (``mixed``, ``unknown``).
    """
    value = text.lower().strip()
    return _SEXES.get(value, value) if name == "sex" else value


# Age: one of several, with its unit.

_NO_AGE = AgeReading(None, "", None, False)


def _age(
    ages: list[tuple[str, str, str]], flat: Mapping[str, object], units: Units
) -> tuple[AgeReading, list[FieldSource]]:
    """Choose the age: the first that is a number, else the first that says anything (``P21``)."""
    chosen, sources = _NO_AGE, list[FieldSource]()
    for key, text, source_key in ages:
        unit, unit_key, unit_text = _unit_beside(key, source_key, flat, units)
        reading = read_age(text, unit)
        if reading.age is None and (chosen.unit or not reading.unit):
            continue
        if reading.unit_in_text or not unit_key:
            unit_key, unit_text = key, text
        chosen = reading
        sources = _age_sources(reading, (key, text), (unit_key, unit_text))
        if reading.age is not None:
            break
    return chosen, sources


def _age_sources(reading: AgeReading, of_age: tuple[str, str], of_unit: tuple[str, str]) -> list[FieldSource]:
    sources = []
    if reading.age is not None:
        sources.append(FieldSource("age", str(reading.age), *of_age))
    if reading.unit:
        sources.append(FieldSource("age_unit", reading.unit, *of_unit))
    if reading.years is not None:
        sources.append(FieldSource("age_years", str(reading.years), *of_age))
    return sources


def _unit_beside(key: str, source_key: str, flat: Mapping[str, object], units: Units) -> tuple[str, str, str]:
    """Return the unit that the key itself, its column or another key says; with that key and its text."""
    unit = unit_of_key(source_key)
    if unit:
        return unit, "", ""
    if key in units:
        unit_key, text = units[key]
        return age_unit(text), unit_key, text
    for companion in _companion_keys(key):
        if companion in flat:
            text = str(flat[companion])
            unit = age_unit(text)
            if unit:
                return unit, companion, text
    return "", "", ""


def _companion_keys(key: str) -> list[str]:
    """Name the keys that can hold the unit of this one: ``age unit``, ``characteristics_age_0_unit``."""
    numbered = _NUMBERED_TEXT.search(key)
    if numbered:
        stem = key[: numbered.start()]
        return [f"{stem}{numbered[1]}_unit", f"{stem}_unit{numbered[0]}", f"{stem}_units{numbered[0]}"]
    stem, end = (key[:-1], "]") if key.endswith("]") else (key, "")
    return [stem + unit + end for unit in (" unit", " units", "_unit", "_units")]


# Titles.


def sample_title(flat: Mapping[str, object], title_field: str = "") -> str:
    """Return the sample's title as submitted, case and white space kept; empty when there is none.

    The first entry of a list ``source_comment`` whose name contains ``title`` goes before all. Then the
    title keys count in the order of ``SOURCE_KEYS``, ``title_field`` first; blank titles do not count.
    """
    return _titled(flat, title_field)[0]


def _titled(flat: Mapping[str, object], title_field: str) -> tuple[str, str]:
    """Return the title and the key it is from."""
    commented = _comment_title(flat.get("source_comment"))
    if commented:
        return commented, "source_comment"
    ranks = title_ranks(title_field)
    for key in sorted(ranks.keys() & flat.keys(), key=ranks.__getitem__):
        value = flat[key]
        title = "" if value is None else str(value)
        if title.strip():
            return title, key
    return "", ""


def _comment_title(comments: object) -> str:
    if not isinstance(comments, list):
        return ""
    for comment in comments:
        if isinstance(comment, Mapping) and "title" in str(comment.get("name")):
            value = comment.get("value")
            return "" if value is None else str(value)
    return ""


def match_title_field(
    rows: Sequence[Mapping[str, object]], samples: Sequence[Mapping[str, object]]
) -> str | None:
    """Find the title field under which SDRF rows and ArrayExpress's samples have the same set of titles.

    Both are flat (``flat_metadata``, ``flatten_arrayexpress_sample``). The first such field in the order of
    ``SOURCE_KEYS`` is returned, to be given to ``harmonize`` as ``title_field``; None when there is none.
    Our surveys make samples of the rows themselves and need no match; refine.bio's rule is kept
    for joining rows with samples that only the retired interface's answers describe.
    """

    def titles(of: Iterable[Mapping[str, object]], title_field: str) -> set[str]:
        return {sample_title(flat, title_field) for flat in of}

    matching = (name for name in SOURCE_KEYS["title"] if titles(rows, name) == titles(samples, name))
    return next(matching, None)
