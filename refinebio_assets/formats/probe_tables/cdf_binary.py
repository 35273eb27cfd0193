"""Binary CDF files ("XDA"), versions 1 to 4: little-endian records, found through a table of offsets."""

from __future__ import annotations

import numpy as np

from refinebio_assets.formats.cel.plain_bytes import Cursor, PlainBytes
from refinebio_assets.formats.probe_tables.cdf_layout import CdfLayout, are_complements, make_layout

MAGIC = 67
LAST_VERSION = 4
_NAME_BYTES = 64
_MD5_BYTES = 32
_NO_NAME = ("", "NONE")
_CELL = [("atom", "<i4"), ("x", "<u2"), ("y", "<u2"), ("position", "<i4"), ("probe", "S1"), ("target", "S1")]
_CELL_SINCE_2 = [("length", "<u2"), ("group", "<u2")]
_UNIT_BYTES = 20
"""Type (2), direction (1), atoms, blocks, cells, number (4 each), cells per atom (1)."""
_LEAST_BLOCK_BYTES = 82


def parse_binary_cdf(content: bytes, label: str) -> CdfLayout:
    """Return the layout in a binary CDF file; errors as ``read_cdf``."""
    cursor = Cursor(PlainBytes(iter([content]), label, limit=len(content) + (1 << 40)), "<", 4)
    version = cursor.count("the version", most=LAST_VERSION)
    chip_types = _chip_types(cursor) if version >= LAST_VERSION else ()
    columns, rows = cursor.number("H", "the number of columns"), cursor.number("H", "the number of rows")
    if not columns * rows:
        raise cursor.error("columns and rows before here", f"{columns} and {rows}")
    # Each unit has a name and an offset, each control unit an offset.
    units = cursor.count("the number of probe sets", most=len(content) // (_NAME_BYTES + 4))
    controls = cursor.count("the number of control probe sets", most=len(content) // 4)
    cursor.text("the reference sequence")
    names = _names(cursor, units)
    cursor.take(4 * controls, "the control probe sets' offsets")
    offsets = np.frombuffer(cursor.take(4 * units, "the probe sets' offsets"), "<u4").tolist()
    reader = _Units(cursor, version)
    for name, offset in zip(names, offsets, strict=True):
        reader.read(name, offset)
    cells = np.concatenate(reader.cells) if reader.cells else np.zeros(0, reader.layout)
    is_pm = are_complements(cells["probe"], cells["target"])
    return make_layout(
        label,
        chip_types,
        (columns, rows),
        (cells["x"].astype(np.int32), cells["y"].astype(np.int32), is_pm),
        (reader.names, reader.counts),
    )


class _Units:
    """Collects the cells of probe sets, block by block."""

    def __init__(self, cursor: Cursor, version: int) -> None:
        self._cursor = cursor
        self._version = version
        self._size = len(cursor.source.finish())
        self._read = 0
        self.layout = np.dtype(_CELL + (_CELL_SINCE_2 if version > 1 else []))
        self.cells: list[np.ndarray[tuple[int], np.dtype[np.void]]] = []
        self.names: list[str] = []
        self.counts: list[int] = []

    def read(self, unit: str, offset: int) -> None:
        """Read one probe set and its blocks; one block with a name of its own is the usual."""
        cursor = self._cursor
        cursor.position = offset + 7
        blocks = cursor.count("the number of blocks", most=self._size // _LEAST_BLOCK_BYTES)
        cursor.position = offset + _UNIT_BYTES
        for _ in range(blocks):
            cursor.position += 4
            count = cursor.count("the number of cells", most=self._size // self.layout.itemsize)
            cursor.position += 10
            name = _padded(cursor.take(_NAME_BYTES, "a block's name"))
            cursor.position += {1: 0, 2: 4}.get(self._version, 6)
            data = cursor.take(count * self.layout.itemsize, f"{count:,} cells of {name or unit}")
            # Forged offsets could have the same cells read again and again.
            self._read += len(data) + _LEAST_BLOCK_BYTES
            if self._read > self._size:
                raise cursor.error("probe sets that do not overlap", "more cells than the file has room for")
            self.cells.append(np.frombuffer(data, self.layout))
            self.names.append(unit if name in _NO_NAME else name)
            self.counts.append(count)


def _chip_types(cursor: Cursor) -> tuple[str, ...]:
    """Read what version 4 has before the dimensions: an identifier, a checksum, names of the array."""
    cursor.text("the identifier")
    cursor.take(_MD5_BYTES, "the checksum")
    return tuple(cursor.text("a chip type") for _ in range(cursor.number("B", "the number of chip types")))


def _names(cursor: Cursor, count: int) -> list[str]:
    data = cursor.take(_NAME_BYTES * count, "the probe sets' names")
    return [_padded(data[start : start + _NAME_BYTES]) for start in range(0, len(data), _NAME_BYTES)]


def _padded(data: memoryview) -> str:
    return bytes(data).partition(b"\0")[0].decode("latin-1").strip()
