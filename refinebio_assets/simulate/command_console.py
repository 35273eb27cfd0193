"""CEL files of Affymetrix's Command Console: a generic ("Calvin") file of version 1, all big-endian.

A header of named parameters, the header of the image behind it, then one group of five tables.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from typing import NamedTuple

from refinebio_assets.simulate.scanner import ALGORITHM, PARAMETERS, Scan

SCANNED = "2026-01-15T12:00:00Z"
_MAGIC, _VERSION = 59, 1
_WIDE, _NARROW, _INTEGER = "text/plain", "text/ascii", "text/x-calvin-integer-32"
_SHORT, _FLOAT = 2, 6
"""The format's numbers for a column's type."""
_NUMBER_BYTES = 16
"""A parameter that is a number is padded to this."""

Parameter = tuple[str, bytes, str]


class _Column(NamedTuple):
    name: str
    kind: int
    size: int


_POINT = (_Column("X", _SHORT, 2), _Column("Y", _SHORT, 2))


class _Table(NamedTuple):
    name: str
    columns: tuple[_Column, ...]
    rows: int
    data: bytes


def command_console_cel(scan: Scan) -> bytes:
    """Return the scan as a Command Console file, which rounds to numbers of 4 bytes."""
    header = _header("affymetrix-calvin-intensity", _parameters(scan), [_image_header(scan)])
    first_group = struct.calcsize(">BBiI") + len(header)
    name = _wide("Default Group")
    first_table = first_group + struct.calcsize(">IIi") + len(name)
    tables = list(_tables(scan))
    body = b""
    for table in tables:
        body += _table_bytes(table, first_table + len(body))
    end = first_table + len(body)
    start = struct.pack(">BBiI", _MAGIC, _VERSION, 1, first_group)
    return b"".join((start, header, struct.pack(">IIi", end, first_table, len(tables)), name, body))


def _tables(scan: Scan) -> Iterable[_Table]:
    cells = scan.means.size
    means, deviations = (part.astype(">f4").tobytes() for part in (scan.means, scan.deviations))
    yield _Table("Intensity", (_Column("Intensity", _FLOAT, 4),), cells, means)
    yield _Table("StdDev", (_Column("StdDev", _FLOAT, 4),), cells, deviations)
    yield _Table("Pixel", (_Column("Pixel", _SHORT, 2),), cells, scan.pixels.astype(">i2").tobytes())
    points = scan.outlier_points().astype(">i2").tobytes()
    yield _Table("Outlier", _POINT, len(scan.outliers), points)
    yield _Table("Mask", _POINT, 0, b"")


def _table_bytes(table: _Table, start: int) -> bytes:
    """Return a table that begins at an offset of the file; it says where its rows are, and the next table."""
    columns = (_wide(each.name) + struct.pack(">bi", each.kind, each.size) for each in table.columns)
    definition = struct.pack(">iI", 0, len(table.columns)) + b"".join(columns)
    head = _wide(table.name) + definition + struct.pack(">I", table.rows)
    first_row = start + struct.calcsize(">II") + len(head)
    return struct.pack(">II", first_row, first_row + len(table.data)) + head + table.data


def _parameters(scan: Scan) -> list[Parameter]:
    rows, cols = scan.means.shape
    settings = (text.split(":") for text in PARAMETERS.split(";"))
    return [
        *((f"affymetrix-algorithm-param-{name}", value.encode(), _NARROW) for name, value in settings),
        ("affymetrix-algorithm-name", _utf16(ALGORITHM), _WIDE),
        ("affymetrix-array-type", _utf16(scan.chip), _WIDE),
        ("affymetrix-cel-cols", struct.pack(">i", cols).ljust(_NUMBER_BYTES, b"\0"), _INTEGER),
        ("affymetrix-cel-rows", struct.pack(">i", rows).ljust(_NUMBER_BYTES, b"\0"), _INTEGER),
    ]


def _image_header(scan: Scan) -> bytes:
    """Return the header of the image that the scan was read from."""
    parameters = [
        ("affymetrix-array-type", _utf16(scan.chip), _WIDE),
        ("affymetrix-scan-date", _utf16(SCANNED), _WIDE),
        ("affymetrix-dat-header", _utf16(scan.dat_header), _WIDE),
    ]
    return _header("affymetrix-calvin-scan-acquisition", parameters, [])


def _header(data_type: str, parameters: list[Parameter], parents: list[bytes]) -> bytes:
    identifier = f"{data_type}-simulated"
    values = (
        _wide(name) + struct.pack(">i", len(value)) + value + _wide(kind) for name, value, kind in parameters
    )
    return b"".join(
        (
            *(struct.pack(">i", len(text)) + text.encode() for text in (data_type, identifier)),
            *(_wide(text) for text in (SCANNED, "en-US")),
            struct.pack(">i", len(parameters)),
            *values,
            struct.pack(">i", len(parents)),
            *parents,
        )
    )


def _utf16(text: str) -> bytes:
    return text.encode("utf-16-be")


def _wide(text: str) -> bytes:
    """Return a text of 16-bit characters behind its length."""
    return struct.pack(">i", len(text)) + _utf16(text)
