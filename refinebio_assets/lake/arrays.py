"""Python values to Arrow arrays of a declared type, checked value by value.

Arrays are built from buffers: ``pyarrow.array`` imports pandas, which costs every writing process
0.5 to 2 s. Which table and file the values belong to is the caller's business.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import chain
from numbers import Real
from typing import TYPE_CHECKING, Any

from refinebio_assets.lake.table import ColumnType, arrow_type

if TYPE_CHECKING:
    import pyarrow as pa

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_INT64 = range(-(2**63), 2**63)
_MAX_OFFSET = 2**31 - 1
_MISFITS = (TypeError, ValueError, AttributeError, OverflowError)


class ValueMisfitError(ValueError):
    """A value is not of its column's type: carries its position among the values and what it is."""

    def __init__(self, position: int, found: str) -> None:
        super().__init__(f"value {position}: {found}")
        self.position = position
        self.found = found


def build_array(column_type: ColumnType, values: Sequence[Any]) -> pa.Array[Any]:
    """Return an Arrow array; None becomes null. Raises ValueMisfitError at the first misfit."""
    convert = _CONVERTERS[column_type]
    try:
        plain = [None if value is None else convert(value) for value in values]
    except _MISFITS as error:
        raise _first_misfit(convert, values) from error
    return _BUILDERS[column_type](plain)


def _first_misfit(convert: Callable[[Any], Any], values: Sequence[Any]) -> ValueMisfitError:
    position = next(place for place, value in enumerate(values) if not _fits(convert, value))
    return ValueMisfitError(position, _describe(values[position]))


def _fits(convert: Callable[[Any], Any], value: Any) -> bool:
    try:
        return value is None or convert(value) is not None
    except _MISFITS:
        return False


def _describe(value: object, shown: int = 60) -> str:
    text = ascii(value)
    return f"{type(value).__name__} {text if len(text) <= shown else text[:shown] + '...'}"


def _to_int(value: Any) -> int:
    if isinstance(value, bool):
        raise TypeError("a truth value is no number")
    number = operator.index(value)
    if number not in _INT64:
        raise OverflowError("more than 64 bits")
    return number


def _to_float(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError("no number")
    return float(value)


def _to_bool(value: Any) -> bool:
    # numpy's truth values come out of comparisons of arrays; numbers are no truth values.
    kind = type(value)
    if kind is bool or (kind.__module__ == "numpy" and kind.__name__ in ("bool", "bool_")):
        return bool(value)
    raise TypeError("no truth value")


def _to_microseconds(value: Any) -> int:
    if value.tzinfo is None:
        raise ValueError("a time without time zone")
    return int((value - _EPOCH) // _MICROSECOND)


def _to_strings(value: Any) -> list[bytes]:
    if not isinstance(value, list | tuple):
        raise TypeError("no list")
    return [str.encode(text) for text in value]


_CONVERTERS: dict[ColumnType, Callable[[Any], Any]] = {
    ColumnType.STRING: str.encode,
    ColumnType.INT64: _to_int,
    ColumnType.FLOAT64: _to_float,
    ColumnType.BOOL: _to_bool,
    ColumnType.TIMESTAMP: _to_microseconds,
    ColumnType.STRINGS: _to_strings,
}


def _validity(values: Sequence[Any]) -> pa.Buffer | None:
    return (
        None if all(value is not None for value in values) else _bits(value is not None for value in values)
    )


def _bits(flags: Iterable[bool]) -> pa.Buffer:
    import numpy as np
    import pyarrow as pa

    return pa.py_buffer(np.packbits(np.fromiter(flags, np.bool_), bitorder="little").tobytes())


def _offsets(lengths: Iterable[int]) -> pa.Buffer:
    import numpy as np
    import pyarrow as pa

    ends = np.cumsum(np.fromiter(chain((0,), lengths), np.int64))
    if ends[-1] > _MAX_OFFSET:
        raise ValueMisfitError(0, f"{ends[-1]:,} bytes of text in one batch of rows, more than Arrow takes")
    return pa.py_buffer(ends.astype(np.int32).tobytes())


def _strings(values: Sequence[bytes | None]) -> pa.Array[Any]:
    import pyarrow as pa

    texts = [value or b"" for value in values]
    data = pa.py_buffer(b"".join(texts))
    return pa.Array.from_buffers(
        pa.string(), len(texts), [_validity(values), _offsets(map(len, texts)), data]
    )


def _string_lists(values: Sequence[list[bytes] | None]) -> pa.Array[Any]:
    import pyarrow as pa

    lists = [value or [] for value in values]
    inner = _strings(list(chain.from_iterable(lists)))
    buffers = [_validity(values), _offsets(map(len, lists))]
    return pa.Array.from_buffers(arrow_type(ColumnType.STRINGS), len(lists), buffers, children=[inner])


def _bools(values: Sequence[bool | None]) -> pa.Array[Any]:
    import pyarrow as pa

    buffers = [_validity(values), _bits(bool(value) for value in values)]
    return pa.Array.from_buffers(pa.bool_(), len(values), buffers)


def _numbers(column_type: ColumnType, dtype: str) -> Callable[[Sequence[Any]], pa.Array[Any]]:
    def build(values: Sequence[Any]) -> pa.Array[Any]:
        import numpy as np
        import pyarrow as pa

        numbers = np.fromiter((0 if value is None else value for value in values), dtype, len(values))
        buffers = [_validity(values), pa.py_buffer(numbers.tobytes())]
        return pa.Array.from_buffers(arrow_type(column_type), len(values), buffers)

    return build


_BUILDERS: dict[ColumnType, Callable[[Sequence[Any]], pa.Array[Any]]] = {
    ColumnType.STRING: _strings,
    ColumnType.INT64: _numbers(ColumnType.INT64, "int64"),
    ColumnType.FLOAT64: _numbers(ColumnType.FLOAT64, "float64"),
    ColumnType.BOOL: _bools,
    ColumnType.TIMESTAMP: _numbers(ColumnType.TIMESTAMP, "int64"),
    ColumnType.STRINGS: _string_lists,
}
