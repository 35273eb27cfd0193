"""The lines of a table as clean UTF-8, whatever its encoding and line ends; columns are not known here."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from refinebio_assets.errors import FormatError
from refinebio_assets.formats.compressed import quoted

_MARKS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
_COMMENT = re.compile(rb"\s*[\"']?[#!^]")
_ACCESSION = re.compile(rb"\s*[\"']?GSM", re.IGNORECASE)
_WINDOWS_ONLY = re.compile(rb"[\x80-\x9f]")
_HEAD = 4_096


@dataclass(frozen=True, slots=True)
class Lines:
    """Some lines of a file without their ends, as UTF-8, and the number of each in the file, from 1."""

    texts: Sequence[bytes]
    numbers: Sequence[int]


@dataclass(frozen=True, slots=True)
class PlainTable:
    """A text's lines without blank and comment lines. ``encoding`` is Python's name, ``comments`` a count.

    ``complete`` tells whether the last line has an end: a cut copy mostly has none.
    """

    lines: Lines
    encoding: str
    comments: int
    complete: bool


def plain_table(content: bytes, label: str) -> PlainTable:
    """Return a text's lines without the blank ones and what SOFT leaves (``#``, ``!``, ``^``, also quoted).

    Text is UTF-8 (ASCII included), UTF-16 when it has a byte order mark or is clearly so, else Latin-1, or
    Windows-1252 when it has characters of that alone. Lines end in LF, CR LF or CR.

    Raises FormatError for what is not text, and for an empty file.
    """
    if not content.strip():
        raise FormatError(label, expected="a table of intensities", found="an empty file")
    text, encoding = _as_utf8(content, label)
    if b"\0" in text:
        raise FormatError(label, expected="a table in plain text", found=quoted(content[:_HEAD]))
    if b"\r" in text:
        text = text.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    texts, numbers, comments = [], [], 0
    for number, line in enumerate(text.split(b"\n"), start=1):
        if _COMMENT.match(line) and not line.startswith(b"\t"):
            comments += 1
        elif line.strip(b" \t,;\"'"):
            texts.append(line)
            numbers.append(number)
    return PlainTable(Lines(texts, numbers), encoding, comments, text.endswith(b"\n"))


def is_accession_line(line: bytes) -> bool:
    """Tell whether a line begins with a GEO sample accession: a list of samples, not of probes."""
    return _ACCESSION.match(line) is not None


def _as_utf8(content: bytes, label: str) -> tuple[bytes, str]:
    encoding = next((name for mark, name in _MARKS if content.startswith(mark)), "") or _unmarked(content)
    if encoding in ("ascii", "utf-8"):
        return content, encoding
    try:
        return content.decode(encoding, "replace" if encoding == "cp1252" else "strict").encode(), encoding
    except UnicodeError as error:
        found = f"{quoted(content[:_HEAD])} ({error})"
        raise FormatError(label, expected=f"text in {encoding}", found=found) from error


def _unmarked(content: bytes) -> str:
    """Return the encoding of a text without byte order mark."""
    if content.isascii() and b"\0" not in content[:_HEAD]:
        return "ascii"
    head = content[: _HEAD & ~1]
    # Latin letters in UTF-16 have a zero in every second byte.
    for encoding, zeros, letters in (
        ("utf-16-le", head[1::2], head[::2]),
        ("utf-16-be", head[::2], head[1::2]),
    ):
        if zeros.count(0) > 0.9 * len(zeros) and letters.count(0) == 0:
            return encoding
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return "cp1252" if _WINDOWS_ONLY.search(content) else "latin-1"
    return "utf-8"
