"""Numbers as submitters write them: missing values under many names, decimal commas, thousands commas.

Texts of one column to float64. Which column holds values is the work of ``processed_columns``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Vector = npt.NDArray[np.float64]

PLAIN, DECIMAL_COMMA, THOUSANDS_COMMA = "plain", "decimal comma", "thousands comma"
MISSING_TEXTS = frozenset(
    {"", "na", "n/a", "n.a.", "nan", "null", "none", "nil", "missing", "undef", "undefined", "-", "--", "."}
    | {"?", "#n/a", "#na", "#null!", "#value!", "#div/0!", "#num!", "#ref!", "#name?"}
)
"""What stands for no value, in lower case. The last ones are Excel's."""
_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}(,\d{3})+(\.\d*)?")
_DECIMAL = re.compile(r"[+-]?(\d+,\d*|,\d+)([eE][+-]?\d+)?")
_LARGE_WITHOUT_COMMA = 100.0
"""Beside values of three digits after the comma, a whole number this large says that the comma groups
thousands: 345 beside 1,234. Decimals of a fixed number of digits would be 345,000."""


class Numbers(NamedTuple):
    """A column of numbers: float64, NaN where missing or infinite; both are counted.

    ``style`` is ``plain``, ``decimal comma`` or ``thousands comma``.
    """

    values: Vector
    style: str
    missing: int
    infinite: int


def parse_numbers(texts: Sequence[str]) -> Numbers | None:
    """Return a column's numbers, or None when a text is neither a number nor a name of a missing value.

    Commas are decimal marks unless a value shows that they group thousands: ``1,234.5``, ``1,234,567``, or
    three digits after every comma and a whole number of 100 or more without one.
    """
    values, style = _as_floats(texts), PLAIN
    if values is None:
        cleaned = [_cleaned(text) for text in texts]
        values = _as_floats(cleaned)
        if values is None and (comma_style := _comma_style(cleaned)):
            style = comma_style
            mark = "." if style == DECIMAL_COMMA else ""
            values = _as_floats([text.replace(",", mark) for text in cleaned])
    if values is None:
        return None
    infinite = np.isinf(values)
    values[infinite] = np.nan
    infinities = int(infinite.sum())
    return Numbers(values, style, int(np.isnan(values).sum()) - infinities, infinities)


def is_number(text: str) -> bool:
    """Tell whether a text is one number, with a decimal point or comma; a missing value is none."""
    return not is_missing(text) and parse_numbers([text]) is not None


def is_missing(text: str) -> bool:
    """Tell whether a text stands for no value."""
    return text.strip().lower() in MISSING_TEXTS


def first_not_number(texts: Sequence[str]) -> int | None:
    """Return the place of the first text that is neither a number nor missing; slow, for messages."""
    return next((row for row, text in enumerate(texts) if parse_numbers([text]) is None), None)


def _cleaned(text: str) -> str:
    bare = text.strip()
    return "nan" if bare.lower() in MISSING_TEXTS else bare.replace("\u2212", "-")


def _as_floats(texts: Sequence[str]) -> npt.NDArray[Any] | None:
    try:
        values = np.fromiter(map(float, texts), np.float64, len(texts))
    except ValueError:
        return None
    # Python reads 1_000 as a number; nobody else does.
    return None if "_" in "".join(texts) else values


def _comma_style(texts: Sequence[str]) -> str | None:
    """Return what the commas of a column mean, None where a text with a comma fits neither meaning."""
    with_comma = [text for text in texts if "," in text]
    if all(map(_THOUSANDS.fullmatch, with_comma)) and _shows_thousands(texts, with_comma):
        return THOUSANDS_COMMA
    return DECIMAL_COMMA if all(map(_DECIMAL.fullmatch, with_comma)) else None


def _shows_thousands(texts: Sequence[str], with_comma: Sequence[str]) -> bool:
    if any("." in text or text.count(",") > 1 for text in with_comma):
        return True
    return any(text.isdecimal() and float(text) >= _LARGE_WITHOUT_COMMA for text in texts)
