"""One flat dictionary a sample, made from what each archive delivers: the form that is harmonized.

Which keys mean what is not known here. Values are never changed but for joining and splitting.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping

from refinebio_assets.domain import Metadata

_CHARACTERISTICS = "characteristics_ch1"
_UNIT_COLUMN = re.compile(r"unit\s*\[")
_TERM_COLUMNS = {"term source ref", "term accession number"}
"""Columns that say more of the column before them, and may stand between a value and its unit."""


def flat_metadata(source: str, pairs: Metadata) -> dict[str, str]:
    """Return a sample's metadata with each key once, in the order in which keys first appear.

    ``GEO``: keys are lower-cased and stripped, repeated ones joined with blanks; each
    ``characteristics_ch1`` is split at its first colon into a key and a stripped value, those without a
    colon are left out, and of equal keys the last wins. ``ARRAY_EXPRESS``: keys are lower-cased and
    stripped, values stay, the last column of a repeated header wins. ``SRA`` and ``sample_sheet``: as they
    are, the last value of a repeated key wins. Raises ValueError for another source.
    """
    if source not in _FLATTENERS:
        raise ValueError(f"unknown source {source!r}; known are {', '.join(_FLATTENERS)}")
    return _FLATTENERS[source](pairs)


def _flat_geo(pairs: Metadata) -> dict[str, str]:
    values: dict[str, list[str]] = {}
    for key, value in pairs:
        values.setdefault(key, []).append(value)
    flat: dict[str, str] = {}
    for key, entries in values.items():
        if key == _CHARACTERISTICS:
            parted = (entry.partition(":") for entry in entries)
            flat.update((name.strip().lower(), value.strip()) for name, colon, value in parted if colon)
        else:
            flat[key.strip().lower()] = " ".join(entries)
    return flat


def _flat_sdrf(pairs: Metadata) -> dict[str, str]:
    return {header.strip().lower(): cell for header, cell in pairs}


_FLATTENERS: dict[str, Callable[[Metadata], dict[str, str]]] = {
    "GEO": _flat_geo,
    "ARRAY_EXPRESS": _flat_sdrf,
    "SRA": dict,
    "sample_sheet": dict,
}


def companion_units(source: str, pairs: Metadata) -> dict[str, tuple[str, str]]:
    """Return the units of SDRF columns: flat key -> key and text of the ``Unit [...]`` column after it.

    The flat dictionary cannot tell which value a unit belongs to, as headers such as ``Unit [time unit]``
    come again. Columns without a unit, and the other sources, which have no such columns, give nothing.
    """
    units: dict[str, tuple[str, str]] = {}
    if source != "ARRAY_EXPRESS":
        return units
    owner = ""
    for header, cell in pairs:
        key = header.strip().lower()
        if _UNIT_COLUMN.match(key):
            if owner and cell.strip():
                units[owner] = key, cell
            owner = ""
        elif key not in _TERM_COLUMNS:
            # The last column of a repeated header wins, with its unit or without one.
            units.pop(key, None)
            owner = key
    return units


def flatten_json(document: object, prefix: str = "") -> Metadata:
    """Return the leaves of a JSON document (as ``json.loads`` gives it) as pairs.

    The names of an object are sorted, as their order means nothing; lists keep theirs. Names on the way to
    a leaf are joined with ``_``, positions in lists are numbers from 0, blanks in names become ``_``, case
    is kept. Empty objects and lists give nothing. Texts stay, null becomes the empty text, everything else
    its JSON spelling.
    """
    return tuple((prefix + key, value) for key, value in _leaves(document, "_" if prefix else ""))


def _leaves(node: object, path: str) -> Iterator[tuple[str, str]]:
    # ``path`` is what stands before the next name, its separator included.
    if isinstance(node, Mapping):
        for name, child in sorted(node.items(), key=lambda item: str(item[0])):
            yield from _leaves(child, f"{path}{str(name).replace(' ', '_')}_")
    elif isinstance(node, list):
        for position, child in enumerate(node):
            yield from _leaves(child, f"{path}{position}_")
    elif isinstance(node, str):
        yield path[:-1], node
    else:
        yield path[:-1], "" if node is None else json.dumps(node)


def flatten_arrayexpress_sample(document: Mapping[str, object]) -> dict[str, object]:
    """Return a sample of ArrayExpress's retired v3 JSON with its first level joined: ``source_name``.

    Lists stay lists: ``source_comment`` is the list of comments that a title may be taken from.
    """
    flat: dict[str, object] = {}
    for part, content in document.items():
        if isinstance(content, Mapping):
            flat.update((f"{part}_{name}", value) for name, value in content.items())
        else:
            flat[part] = content
    return flat
