"""What submitters said of a sample, as columns of a delivered table: refine.bio's names and rules.

Which of the columns a table has, and what stands before them, is decided elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from refinebio_assets.domain import Metadata

RESERVED = "refinebio_"
_OWN = ("experiment_accession", "reason")
"""Columns of our own that do not start with ``refinebio_``."""
_RENAMED = "submitted_"
_CHARACTERISTIC = "characteristics_ch1"
_SDRF_COLUMN = re.compile(r"(characteristics|factor\s*value)\s*\[\s*(.*?)\s*\]", re.IGNORECASE)
_SDRF_NAMES = {"characteristics": "characteristic", "factorvalue": "variable"}


def submitted_columns(source: str, pairs: Metadata) -> dict[str, str]:
    """Return a sample's submitted metadata as columns, in the order in which they first appear.

    Entries of GEO's ``characteristics_ch1`` (``tissue: liver``) become ``characteristics_ch1_tissue``, those
    without a colon keep the name. ArrayExpress' ``Characteristics [x]`` become ``characteristic_x``,
    ``Factor Value [x]`` becomes ``variable_x``. Values of a column that comes again are joined with "; ".
    A name that would be taken for one of ours, as ``refinebio_age``, gets ``submitted_`` in front.
    """
    rename = _RENAMERS.get(source, _as_is)
    columns: dict[str, list[str]] = {}
    for key, value in pairs:
        name, text = rename(key, value)
        values = columns.setdefault(_safe(name), [])
        if text not in values:
            values.append(text)
    return {name: "; ".join(value for value in values if value) for name, values in columns.items()}


def annotation(pairs: Metadata) -> dict[str, str | list[str]]:
    """Return submitted metadata as one JSON object, untouched: keys that come again have lists."""
    values: dict[str, list[str]] = {}
    for key, value in pairs:
        values.setdefault(key, []).append(value)
    return {key: texts[0] if len(texts) == 1 else texts for key, texts in values.items()}


def _safe(name: str) -> str:
    if name.lower().startswith(RESERVED) or name in _OWN:
        return _RENAMED + name
    return name


def _as_is(key: str, value: str) -> tuple[str, str]:
    return key, value


def _geo(key: str, value: str) -> tuple[str, str]:
    name, colon, rest = value.partition(":")
    if key == _CHARACTERISTIC and colon and name.strip():
        return f"{_CHARACTERISTIC}_{name.strip()}", rest.strip()
    return key, value


def _sdrf(key: str, value: str) -> tuple[str, str]:
    found = _SDRF_COLUMN.fullmatch(key.strip())
    if found is None:
        return key, value
    kind = _SDRF_NAMES["".join(found[1].lower().split())]
    return f"{kind}_{found[2]}", value


_RENAMERS: Mapping[str, Callable[[str, str], tuple[str, str]]] = {"GEO": _geo, "ARRAY_EXPRESS": _sdrf}
