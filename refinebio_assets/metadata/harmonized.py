"""The harmonized metadata of one sample, and where each of its values came from.

How they are made is not here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from refinebio_assets.metadata.source_keys import FIELDS

SUBMITTER = "submitter"
CORRECTION = "correction"


class FieldSource(NamedTuple):
    """Where one harmonized value came from.

    ``origin`` is ``submitter``: ``key`` and ``text`` are what the submitter wrote, ``value`` what became of
    it; or ``correction``: ``key`` names the source of the correction, ``text`` is its note, and ``value`` is
    empty where it cleared the field. A field of several joined values has a source for each of them.
    """

    field: str
    value: str
    key: str
    text: str
    origin: str = SUBMITTER


@dataclass(frozen=True, slots=True)
class Harmonized:
    """The 14 fields that refine.bio harmonizes, the age with its unit, and the sources of all of them.

    Nothing known is the empty text, None for numbers. ``age`` is the submitter's number, whatever its unit;
    ``age_unit`` is year, month, week, day or hour; ``age_years`` is None unless both are certain.
    Several values of a field are joined with ``;``, sorted. ``sources`` are in the order of the fields.
    """

    title: str = ""
    sex: str = ""
    age: float | None = None
    specimen_part: str = ""
    genetic_information: str = ""
    disease: str = ""
    disease_stage: str = ""
    cell_line: str = ""
    treatment: str = ""
    race: str = ""
    subject: str = ""
    developmental_stage: str = ""
    compound: str = ""
    time: str = ""
    age_unit: str = ""
    age_years: float | None = None
    sources: tuple[FieldSource, ...] = ()

    def values(self) -> dict[str, str | float | None]:
        """Return the 14 harmonized fields, in the order of ``FIELDS``."""
        return {field: getattr(self, field) for field in FIELDS}


HARMONIZED_FIELDS = (*FIELDS, "age_unit", "age_years")
"""Every field that may have a source, in the order of the sources."""

_ORDER = {field: place for place, field in enumerate(HARMONIZED_FIELDS)}


def in_order(sources: list[FieldSource]) -> tuple[FieldSource, ...]:
    """Return sources in the order of their fields; those of one field keep theirs."""
    return tuple(sorted(sources, key=lambda source: _ORDER[source.field]))
