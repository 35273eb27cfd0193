"""The "DatHeader" line that every CEL format hands on from the scanner's image: array, date, scanner.

Its fields have no names: pixel statistics, sample, ``CLS=``, ``RWS=`` ..., the date, the scanner, then
twelve fields between 0x14 characters, the array's name with ``.1sq`` among them.
"""

from __future__ import annotations

import re
from typing import NamedTuple

_SEPARATOR = "\x14"
_CHIP_SUFFIX = ".1sq"
_SHORT_DATE = re.compile(r"(?<!\d)(\d\d)/(\d\d)/(\d\d) +(\d\d:\d\d:\d\d)")
_ISO_DATE = re.compile(r"(?<!\d)\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ?")
_CENTURY_PIVOT = 70
"""Two-digit years from here on are of the 20th century, as in POSIX; the first GeneChips are of 1994."""


class DatHeader(NamedTuple):
    """What the line tells; each is empty when the line does not tell it."""

    chip_type: str
    scan_date: str
    scanner: str


def parse_dat_header(text: str) -> DatHeader:
    """Return the array, the scan's date (ISO 8601) and the scanner that a DatHeader names."""
    date, end = _scan_date(text)
    scanner = " ".join(text[end:].partition(_SEPARATOR)[0].split()) if date else ""
    return DatHeader(_chip_type(text), date, scanner)


def iso_date(text: str) -> str:
    """Return ``text`` when it is an ISO 8601 date with time, else nothing."""
    return text if _ISO_DATE.fullmatch(text) else ""


def _chip_type(text: str) -> str:
    before, suffix, _ = text.partition(_CHIP_SUFFIX)
    words = before.replace(_SEPARATOR, " ").rsplit(None, 1) if suffix else []
    return words[-1] if words and not before[-1:].isspace() else ""


def _scan_date(text: str) -> tuple[str, int]:
    """Return the date and where its text ends."""
    if match := _ISO_DATE.search(text):
        return match[0], match.end()
    if match := _SHORT_DATE.search(text):
        month, day, year, time = match.groups()
        century = 19 if int(year) >= _CENTURY_PIVOT else 20
        return f"{century}{year}-{month}-{day}T{time}", match.end()
    return "", 0
