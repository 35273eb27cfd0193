"""refine.bio's file of a quantile target: one column of numbers, ascending, one a line, no header.

What a target is, and which samples it is made of, is told elsewhere.
"""

from __future__ import annotations

from pathlib import Path, PurePath

import numpy as np
import numpy.typing as npt
import orjson

from refinebio_assets.errors import FormatError
from refinebio_assets.formats.compressed import plain_lines, quoted

Vector = npt.NDArray[np.float64]

_EXPECTED = "one number a line, nothing else"


def read_target_file(path: Path, label: str | PurePath | None = None) -> Vector:
    """Return the numbers of a target's file, plain or gzip, ascending. Empty lines at the end are ignored.

    The file's own order does not matter. Raises NotFoundError when there is no such file, and FormatError,
    naming the line, for anything but one finite number a line, and for a file without a number.
    """
    name = label or path
    texts = [line for lines in plain_lines(path, name) for line in lines]
    while texts and not texts[-1].strip():
        texts.pop()
    if not texts:
        raise FormatError(name, expected=_EXPECTED, found="no numbers")
    values = np.array([_number(text, name, line) for line, text in enumerate(texts, 1)], np.float64)
    values.sort(kind="stable")
    return values


def target_file_bytes(target: Vector) -> bytes:
    """Return a target as a file's content: ascending, shortest texts that read back to the same numbers.

    Raises ValueError when a number is missing or infinite.
    """
    ordered = np.sort(np.asarray(target, np.float64), kind="stable")
    if not np.isfinite(ordered).all():
        raise ValueError("a target has finite numbers only")
    numbers = orjson.dumps(ordered, option=orjson.OPT_SERIALIZE_NUMPY)
    return numbers.strip(b"[]").replace(b",", b"\n") + b"\n"


def _number(text: bytes, name: str | PurePath, line: int) -> float:
    bare = text.strip().strip(b'"')
    try:
        value = float(bare)
    except ValueError:
        raise FormatError(name, line=line, expected=_EXPECTED, found=quoted(text)) from None
    if not np.isfinite(value) or b"_" in bare:
        raise FormatError(name, line=line, expected="a finite number", found=quoted(text))
    return value
