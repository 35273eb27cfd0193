"""Brainarray's R probe packages: a source ``.tar.gz`` with one data frame of probes, or its ``.rda`` alone.

R's serialization is parsed by the package rdata, which brings pandas and is therefore imported on use.
"""

from __future__ import annotations

import re
import struct
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from refinebio_assets.errors import FormatError
from refinebio_assets.formats.compressed import quoted
from refinebio_assets.formats.probe_tables.delimited import Columns, vector
from refinebio_assets.formats.probe_tables.model import ProbeTable, in_cell_order
from refinebio_assets.formats.probe_tables.opening import table_bytes
from refinebio_assets.formats.probe_tables.probe_tab import SPELLINGS, make_table, our_names

if TYPE_CHECKING:
    from rdata.parser import RObject

_MEMBER = re.compile(r"(^|/)data/[^/]*\.(rda|rdata)$", re.IGNORECASE)
_MAGICS = (b"RDX2\n", b"RDX3\n", b"RDA2\n", b"RDA3\n")
_MOST = np.iinfo(np.int32).max
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
    UserWarning,
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
        found_columns = _probe_columns(content, name)
    except _DAMAGE as error:
        found = f"damage ({type(error).__name__}: {error})"[:200]
        raise FormatError(name, expected="a sound R data file", found=found) from error
    table = make_table(found_columns)
    return in_cell_order(table, columns, label=name) if columns else table


def _probe_columns(content: bytes, label: str) -> Columns:
    """Return the columns that a probe table has of the first data frame in an R data file."""
    # Not at the top: rdata imports pandas, which takes 2 seconds.
    from rdata.parser import parse_data

    with warnings.catch_warnings():
        # rdata warns of what it does not understand and goes on.
        warnings.simplefilter("error", UserWarning)
        objects = parse_data(content, extension=".rda").object
    frame = _data_frame(objects, label)
    names = our_names(list(frame), label)
    columns = {ours: part for ours, part in zip(names, frame.values(), strict=True) if ours in SPELLINGS}
    arrays = {ours: _numbers(part) if ours in "xy" else _texts(part) for ours, part in columns.items()}
    lengths = {len(array) for array in arrays.values()}
    if len(lengths) != 1 or 0 in lengths:
        raise FormatError(label, expected="columns of one length, not 0", found=f"{sorted(lengths)}")
    return arrays


def _data_frame(objects: RObject, label: str) -> dict[str, RObject]:
    """Return the columns of the first data frame."""
    for _, value in _pairs(objects):
        attributes = dict(_pairs(value.attributes))
        if "class" in attributes and "data.frame" in _strings(attributes["class"]):
            return dict(zip(_strings(attributes["names"]), value.value, strict=True))
    raise FormatError(label, expected="a data frame", found="other R objects only")


def _pairs(node: RObject | None) -> Iterator[tuple[str, RObject]]:
    """Yield the tags and values of R's linked list."""
    while node is not None and node.tag is not None:
        symbol = node.tag.referenced_object or node.tag
        yield symbol.value.value.decode("utf-8"), node.value[0]
        node = node.value[1]


def _strings(part: RObject) -> list[str]:
    """Return a character vector; of a missing value (no bytes) the AttributeError is caught above."""
    return [text.value.decode("utf-8") for text in part.value]


def _texts(part: RObject) -> pa.Array[Any]:
    """Return a character vector or a factor's texts."""
    levels = dict(_pairs(part.attributes)).get("levels")
    if levels is None:
        return pa.array(_strings(part), pa.string())
    names = np.array(_strings(levels), object)
    codes = vector(_numbers(part))
    if codes.min(initial=1) < 1:
        raise ValueError("a factor's code below 1")
    return pa.array(names[codes - 1].tolist(), pa.string())


def _numbers(part: RObject) -> pa.Array[Any]:
    """Return an integer or numeric vector of whole numbers, none missing and none negative."""
    numbers = np.ma.filled(np.ma.asarray(part.value, dtype=np.float64), np.nan)
    if numbers.ndim != 1 or not ((numbers >= 0) & (numbers < _MOST) & (np.mod(numbers, 1) == 0)).all():
        raise ValueError("a coordinate that is missing, negative or no whole number")
    return pa.array(numbers.astype(np.int32), pa.int32())
