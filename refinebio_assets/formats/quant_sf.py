"""Salmon's ``quant.sf``: one sample's transcripts with length, effective length, TPM and read count.

Reading and checking one file, and comparing its transcript list with another. Genes are the work of
``methods.tximport``; many files at once that of ``pipelines.transcript_summary``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.csv

from refinebio_assets.errors import FormatError
from refinebio_assets.formats.compressed import plain_chunks, quoted, read_chunks

COLUMNS = ("Name", "Length", "EffectiveLength", "TPM", "NumReads")
TPM_TOTAL = 1e6
_HEADER = "\t".join(COLUMNS).encode()
_PIECE_BYTES = 32 << 20
"""What is read at once: all of nearly every quant.sf (copying pieces together costs time), but not all
of a large file of another kind."""
_UTF8_MARK = b"\xef\xbb\xbf"
_BLOCK_LIMIT = 1 << 30
_NUMBER = re.compile(rb"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")

Vector = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class QuantSf:
    """One quant.sf: a row per transcript, in the file's order, no value missing.

    ``transcripts`` are distinct names; ``length`` and ``effective_length`` are in bases, ``tpm`` in
    transcripts per million, ``num_reads`` in (fractional) reads: float64 vectors, finite, not negative,
    read-only.
    """

    transcripts: pa.StringArray
    length: Vector
    effective_length: Vector
    tpm: Vector
    num_reads: Vector

    @property
    def tpm_total(self) -> float:
        """The sum of TPM: 1e6 up to rounding as Salmon writes it, 0 for a sample without reads."""
        return float(self.tpm.sum())


def read_quant_sf(path: Path, label: str | None = None, *, known: Sequence[pa.StringArray] = ()) -> QuantSf:
    """Read and check a quant.sf, plain or gzip (told by content). ``label`` replaces the path in messages.

    A file that lists exactly the transcripts of a ``known`` array gets that array itself, so that lists
    can be compared by identity and one copy serves all samples.

    Raises FormatError, naming line and value, for a wrong header, a missing or extra field, a value that
    is no number, NaN, infinite or negative, a transcript that is empty or listed twice, text that is not
    UTF-8, no rows, and a file that is cut; NotFoundError when there is no file.
    """
    name = label or str(path)
    content = _read_text(path, name)
    if not content.endswith(b"\n"):
        raise _cut(content, name)
    table = _parse(content, name)
    columns = [_vector(table.column(column)) for column in COLUMNS[1:]]
    if any(not np.isfinite(column).all() or column.min() < 0 for column in columns):
        raise _first_problem(content, name, "a value is not finite or negative")
    transcripts = _checked_names(table.column(COLUMNS[0]), content, name, known)
    return QuantSf(transcripts, *columns)


def require_whole(content: bytes, name: str) -> None:
    """Raise FormatError unless a text is a quant.sf from its header to its last line end.

    There must be four tabs a line; values are not looked at, which makes it several times as fast as
    ``read_quant_sf``.
    """
    _check_header(content, name)
    if not content.endswith(b"\n"):
        raise _cut(content, name)
    lines = content.count(b"\n")
    if lines == 1:
        raise FormatError(name, line=2, expected="a row for each transcript", found="the end of the file")
    if content.count(b"\t") != lines * (len(COLUMNS) - 1):
        raise _first_problem(content, name, "a line has not five fields")


def require_same_transcripts(
    expected: Sequence[str], found: Sequence[str], label: str, *, reference: str
) -> None:
    """Raise FormatError unless a file lists the expected transcripts in the expected order.

    The error names the first line that differs and tells another order from another set. ``reference``
    says whose list is expected, for example ``"the transcriptome index"``.
    """
    row = _first_difference(expected, found)
    if row is not None:
        raise FormatError(
            label,
            line=row + 2,
            expected=f"{_name_at(expected, row)}, as in {reference}",
            found=f"{_name_at(found, row)} ({_kind_of_difference(expected, found)})",
        )


def _read_text(path: Path, name: str) -> bytes:
    """Return the whole text; its first piece must begin with the header, before more is read."""
    pieces: list[bytes] = []
    for piece in plain_chunks(read_chunks(path, _PIECE_BYTES), name):
        if not pieces:
            _check_header(piece, name)
        pieces.append(piece)
    if not pieces:
        _check_header(b"", name)
    return b"".join(pieces)


def _check_header(start: bytes, name: str) -> None:
    if not start:
        raise FormatError(name, expected=f"the header {quoted(_HEADER)}", found="an empty file")
    end = start.find(b"\n")
    header = start[: end if end >= 0 else len(start)].removeprefix(_UTF8_MARK).removesuffix(b"\r")
    if header != _HEADER:
        raise FormatError(name, line=1, expected=f"the header {quoted(_HEADER)}", found=quoted(header))


def _parse(content: bytes, name: str) -> pa.Table:
    # One block: the columns come out in one piece, which is also the fastest way to parse 3-20 MB.
    read = pa.csv.ReadOptions(use_threads=False, block_size=min(len(content), _BLOCK_LIMIT))
    parse = pa.csv.ParseOptions(delimiter="\t", quote_char=False, ignore_empty_lines=False)
    types: dict[str, pa.DataType] = {COLUMNS[0]: pa.string(), **dict.fromkeys(COLUMNS[1:], pa.float64())}
    convert = pa.csv.ConvertOptions(column_types=types, null_values=[])
    try:
        table = pa.csv.read_csv(
            pa.BufferReader(content),  # type: ignore[arg-type]  # the stubs know Python's files only
            read_options=read,
            parse_options=parse,
            convert_options=convert,
        )
    except pa.ArrowInvalid as error:
        raise _first_problem(content, name, str(error)) from error
    if table.num_rows == 0:
        raise FormatError(name, line=2, expected="a row for each transcript", found="the end of the file")
    return table


def _vector(column: pa.ChunkedArray[Any]) -> Vector:
    """View a column without missing values as a numpy vector.

    Not ``to_numpy``, which imports pandas (2 seconds) where it is installed.
    """
    pieces = [np.from_dlpack(chunk) for chunk in column.chunks]
    return cast(Vector, pieces[0] if len(pieces) == 1 else np.concatenate(pieces))


def _checked_names(
    column: pa.ChunkedArray[Any], content: bytes, name: str, known: Sequence[pa.StringArray]
) -> pa.StringArray:
    names = cast(pa.StringArray, column.chunk(0) if column.num_chunks == 1 else column.combine_chunks())
    for other in known:
        if names.equals(other):
            return other
    if _has_empty(names) or len(names.unique()) != len(names):
        raise _first_problem(content, name, "a transcript is empty or listed twice")
    return names


def _has_empty(names: pa.StringArray) -> bool:
    offsets = names.buffers()[1]
    if offsets is None:
        return False
    ends = np.frombuffer(memoryview(offsets), np.int32, len(names) + 1, names.offset * 4)
    return bool((np.diff(ends) == 0).any())


def _first_problem(content: bytes, name: str, reason: str) -> FormatError:
    """Say where the first wrong line of a file is; slow, and only used once something is wrong."""
    line_of: dict[bytes, int] = {}
    lines = content.removesuffix(b"\n").split(b"\n")
    for number, line in enumerate(lines[1:], start=2):
        fields = line.removesuffix(b"\r").split(b"\t")
        problem = _line_problem(line.removesuffix(b"\r"), fields) or _value_problem(fields)
        if problem is None and fields[0] in line_of:
            found = f"{quoted(fields[0])}, which is also on line {line_of[fields[0]]:,}"
            problem = _Problem("each transcript once", found)
        if problem is not None:
            return FormatError(
                name, line=number, place=problem.place, expected=problem.expected, found=problem.found
            )
        line_of[fields[0]] = number
    return FormatError(name, expected="a quant.sf", found=reason)


class _Problem(NamedTuple):
    """What is wrong with a line, in the words of FormatError."""

    expected: str
    found: str
    place: str | None = None


def _line_problem(line: bytes, fields: list[bytes]) -> _Problem | None:
    if b"\r" in line:
        return _Problem("no carriage return within a line", quoted(line))
    if len(fields) != len(COLUMNS):
        found = f"{len(fields)}: {quoted(line)}" if line else "an empty line"
        return _Problem(f"{len(COLUMNS)} fields separated by tabs", found)
    try:
        line.decode("utf-8")
    except UnicodeDecodeError as error:
        return _Problem("UTF-8 text", quoted(line), f"byte {error.start + 1}")
    return None


def _value_problem(fields: list[bytes]) -> _Problem | None:
    for column, value in zip(COLUMNS[1:], fields[1:], strict=True):
        if not _NUMBER.fullmatch(value.strip()) or not 0 <= float(value) < np.inf:
            found = quoted(value) if value else "nothing"
            return _Problem("a finite number, not negative", found, f"column {column}")
    return None if fields[0] else _Problem("a transcript", "nothing", f"column {COLUMNS[0]}")


def _cut(content: bytes, name: str) -> FormatError:
    """Describe a last line without line end, as a cut copy or download leaves it."""
    last = content.rpartition(b"\n")[2]
    if b"\n" not in content:
        return FormatError(name, line=2, expected="a row for each transcript", found="the end of the file")
    return FormatError(
        name,
        line=content.count(b"\n") + 1,
        expected="a line end after the last row",
        found=f"the end of the file after {quoted(last)}: it is cut",
    )


def _first_difference(expected: Sequence[str], found: Sequence[str]) -> int | None:
    """Return the first row where two lists differ, or None; a list's end counts as a difference."""
    pairs = enumerate(zip(expected, found, strict=False))
    row = next((row for row, (wanted, name) in pairs if wanted != name), None)
    if row is None and len(expected) != len(found):
        return min(len(expected), len(found))
    return row


def _name_at(names: Sequence[str], row: int) -> str:
    return f"transcript {names[row]!r}" if row < len(names) else f"the end after {len(names):,} transcripts"


def _kind_of_difference(expected: Sequence[str], found: Sequence[str]) -> str:
    expected_set, found_set = set(expected), set(found)
    missing = [name for name in expected if name not in found_set]
    extra = [name for name in found if name not in expected_set]
    if not missing and not extra:
        return f"the same {len(found):,} transcripts in another order"
    parts = [
        f"{len(names):,} {what}, for example {names[0]!r}"
        for names, what in ((missing, "missing"), (extra, "not expected"))
        if names
    ]
    return f"another set of transcripts: {'; '.join(parts)}"
