"""Ages as submitters write them: the number that refine.bio has always given, and beyond it unit and years.

Which key holds an age, and which of several counts, is the work of ``harmonize``.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

AGE_UNITS = ("year", "month", "week", "day", "hour")
"""The units of ages, the longest first; an unknown unit is the empty text."""

_PER_YEAR = {"year": 1.0, "month": 12.0, "week": 365.25 / 7, "day": 365.25, "hour": 365.25 * 24}
_LIMIT = 100_000
"""refine.bio stores ages in a decimal column of 8 digits, 3 of them decimals."""

_SPELLED_UNITS = {
    "year": "year years yr yrs y yo y.o y/o uo_0000036",
    "month": "month months mo mos mon mth mths mpf uo_0000035",
    "week": "week weeks wk wks w wpf uo_0000034",
    "day": "day days d dpf uo_0000033",
    "hour": "hour hours hr hrs h hpf uo_0000032",
}
_UNIT_OF = {word: unit for unit, words in _SPELLED_UNITS.items() for word in words.split()}
# Counted from conception: a unit of time, but no age since birth.
_PRENATAL_UNITS = {"dpc": "day", "ed": "day", "gd": "day", "e": "day", "gw": "week", "pcw": "week"}

_NUMBER = r"(\d{1,5}(?:\.\d+)?)"
_PART = rf"{_NUMBER}[\s-]*([a-z]+(?:[./]o)?)(?![a-z])\.?"
_BETWEEN = r"(?:[\s,&]|and)*"
_OLD = (
    r"(?:[\s-]*(?:old|of age|after birth"
    r"|post-?\s?natal(?:ly)?|post-?\s?fertili[sz]ation|post-?\s?hatch(?:ing)?))?"
)
_DURATION = re.compile(rf"(?:aged?:?\s+)?((?:{_PART}{_BETWEEN})+){_OLD}")
_ONE_PART = re.compile(_PART)
_POSTNATAL = re.compile(rf"(?:p|pn|pd|pnd|post-?\s?natal)[\s-]*(day|week|month|year)?[\s-]*{_NUMBER}")
_WORD = re.compile(r"[a-z]+(?:[./]o\b)?")
_BRACKETS = re.compile(r"[()\[\]]")
# Mouse people write 24m for months; M as often stands for male: 45M.
_SHORT_MONTH = re.compile(r"(?<=[\d\s-])m(?![A-Za-z])")


@dataclass(frozen=True, slots=True)
class AgeReading:
    """What one text says of an age.

    ``age`` is the number alone, whatever its unit, None when refine.bio would read none. ``unit`` is one of
    ``AGE_UNITS`` or empty. ``years`` is the age in years, None unless number and unit are certain.
    ``unit_in_text`` tells whether the text itself names the unit.
    """

    age: float | None
    unit: str
    years: float | None
    unit_in_text: bool


def parse_age(text: str) -> float | None:
    """Return the whole text as a number, else what stands before its first blank, else None.

    This is refine.bio's rule: units are ignored (``12 weeks`` is 12.0), and every number that Python reads
    is one (``1e2``, ``1_000``). Infinity, not-a-number, and what does not fit its column of 5 digits and
    3 decimals are none.
    """
    for part in (text, text.split(" ", 1)[0]):
        try:
            age = float(part)
        except ValueError:
            continue
        if math.isfinite(age) and round(abs(age), 3) < _LIMIT:
            return age
    return None


def age_unit(text: str) -> str:
    """Return the unit that a text names: ``yrs``, ``Week``, ``UO_0000036``; empty when it names none."""
    word = text.strip().rstrip(".").rpartition("/")[2]
    return "month" if word == "m" else _UNIT_OF.get(word.lower().replace(":", "_"), "")


def unit_of_key(source_key: str) -> str:
    """Return the unit in a source key such as ``age (months)`` or ``age at diagnosis days``, or nothing."""
    return age_unit(_BRACKETS.sub(" ", source_key).split()[-1])


@lru_cache(maxsize=1 << 14)
def read_age(text: str, unit: str = "") -> AgeReading:
    """Read a submitter's text as an age; ``unit`` is what its key or a companion column says.

    A unit in the text counts more than ``unit``. Years are time since birth or hatching, or since
    fertilization where it is counted from there (``48 hpf``): 365.25 days, 12 months. ``P21`` and
    ``PND 21`` are postnatal days. Ranges and bounds (``5-6 weeks``, ``<1 year``, ``~8 wk``), prenatal ages
    (``E12.5``, ``20 pcw``) and texts that say more (``24 hours post infection``) have a unit, but no years.
    """
    age = parse_age(text)
    if age is not None and len(text.split()) == 1:
        return AgeReading(age, unit, years(age, unit), False)
    plain = _plain(text)
    parts = _duration(plain)
    if parts:
        return AgeReading(age, parts[0][1], sum(_years(*part) for part in parts), True)
    named = _named_unit(plain)
    if named:
        return AgeReading(age, named, None, True)
    return AgeReading(age, unit if _has_digit(plain) else "", None, False)


def _plain(text: str) -> str:
    """Return a text in lower case, its white space made one blank, without brackets and a last dot."""
    spelled_out = _SHORT_MONTH.sub("mo", _BRACKETS.sub(" ", text))
    return " ".join(spelled_out.lower().split()).rstrip(".")


def years(age: float | None, unit: str) -> float | None:
    """Return an age in years; None when age or unit is unknown or the age negative."""
    return _years(age, unit) if age is not None and age >= 0 and unit else None


def _years(number: float, unit: str) -> float:
    return number / _PER_YEAR[unit]


def _duration(plain: str) -> list[tuple[float, str]]:
    """Return the (number, unit) parts of a text that is an age and nothing else, the longest unit first."""
    postnatal = _POSTNATAL.fullmatch(plain)
    if postnatal:
        return [(float(postnatal[2]), postnatal[1] or "day")]
    whole = _DURATION.fullmatch(plain)
    if not whole:
        return []
    parts = [(float(number), _UNIT_OF.get(word, "")) for number, word in _ONE_PART.findall(whole[1])]
    order = [AGE_UNITS.index(unit) for _, unit in parts if unit]
    # 3 weeks 2 months is no way to say an age.
    certain = len(order) == len(parts) and all(a < b for a, b in pairwise(order))
    return parts if certain else []


def _named_unit(plain: str) -> str:
    """Return the one unit that is named beside numbers in a text that is no plain age."""
    if not _has_digit(plain):
        return ""
    words = _WORD.findall(plain)
    named = {_UNIT_OF.get(word) or _PRENATAL_UNITS.get(word) for word in words} - {None}
    return named.pop() or "" if len(named) == 1 else ""


def _has_digit(text: str) -> bool:
    return any(map(str.isdecimal, text))
