"""Brainarray's R probe packages: a source ``.tar.gz`` with one data frame of probes, or its ``.rda`` alone.

R's serialization is parsed by the package rdata, which brings pandas and is therefore imported on use.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from refinebio_assets.errors import FormatError
from refinebio_assets.formats.compressed import quoted
from refinebio_assets.formats.probe_tables.model import ProbeTable, in_cell_order
from refinebio_assets.formats.probe_tables.opening import table_bytes
from refinebio_assets.formats.probe_tables.probe_tab import make_table, our_names

if TYPE_CHECKING:
    from rdata.parser import RObject

_MEMBER = re.compile(r"(^|/)data/[^/]*\.(rda|rdata)$", re.IGNORECASE)
_MAGICS = (b"RDX2\n", b"RDX3\n", b"RDA2\n", b"RDA3\n")
_DAMAGE = (
    ValueError,
    TypeError,
    AttributeError,
    LookupError,
    AssertionError,
    EOFError,
    NotImplementedError,
    OverflowError,
    RecursionError,
    MemoryError,
    struct.error,
)
"""What rdata lets through when a file is damaged."""


def read_r_probe_package(path: Path, *, label: str = "", columns: int | None = None) -> ProbeTable:
    """Read the probes of an R probe package (``hgu95av2hsensgprobe_22.0.0.tar.gz``) or of its ``.rda``.

    The first data frame counts; its columns are named as in ``read_probe_tab``. About 20,000 probes a
    second. With ``columns`` the rows come in cell order. Raises FormatError for what is no such package or
    damaged, a missing value, and a coordinate that is no whole number.
    """
    name = label or str(path)
    content = table_bytes(path, name, _MEMBER)
    if not content.startswith(_MAGICS):
        found = quoted(content) if content else "an empty file"
        raise FormatError(name, expected="an R data file (.rda)", found=found)
    try:
        frame = _data_frame(content, name)
    except _DAMAGE as error:
        found = f"damage ({type(error).__name__}: {error})"[:200]
        raise FormatError(name, expected="a sound R data file", found=found) from error
    names = our_names(list(frame), name)
    arrays = {ours: array for ours, array in zip(names, frame.values(), strict=True)}
    _check(arrays, name)
    table = make_table(arrays)
    return in_cell_order(table, columns, label=name) if columns else table


def _data_frame(content: bytes, label: str) -> dict[str, pa.Array[Any]]:
    """Return the columns of the first data frame in an R data file."""
    from rdata.parser import RObjectType, parse_data  # noqa: PLC0415  # see the module's docstring

    for _, value in _pairs(parse_data(content, extension=".rda").object):
        attributes = dict(_pairs(value.attributes))
        if value.info.type == RObjectType.VEC and "data.frame" in _strings(attributes.get("class")):
            names = _strings(attributes["names"])
            return {name: _column(part) for name, part in zip(names, value.value, strict=True)}
    raise FormatError(label, expected="a data frame", found="other R objects only")


def _pairs(node: RObject | None) -> Iterator[tuple[str, RObject]]:
    """Yield the tags and values of R's linked list."""
    while node is not None and isinstance(node.value, tuple | list) and node.tag is not None:
        symbol = node.tag.referenced_object or node.tag
        yield symbol.value.value.decode("utf-8"), node.value[0]
        node = node.value[1]


def _strings(vector: RObject | None) -> list[str]:
    """Return an R character vector; a missing value is an error as a table of probes has none."""
    if vector is None:
        return []
    return [part.value.decode("utf-8") for part in vector.value]


def _column(vector: RObject) -> pa.Array[Any]:
    """Return a column: strings, a factor's texts, or whole numbers (missing ones as null)."""
    levels = dict(_pairs(vector.attributes)).get("levels")
    if isinstance(vector.value, list):
        return pa.array(_strings(vector), pa.string())
    numbers = np.ma.filled(np.ma.asarray(vector.value).astype(np.float64), np.nan)
    whole = np.mod(numbers, 1) == 0
    array = pa.array(np.where(whole, numbers, 0).astype(np.int64), mask=~whole)
    if levels is None:
        return array
    return pa.array(_strings(levels), pa.string()).take(array.cast(pa.int32()).__class__.from_buffers(
        pa.int64(), len(array), array.buffers()
    ))


def _check(columns: dict[str, pa.Array[Any]], label: str) -> None:
    pass
