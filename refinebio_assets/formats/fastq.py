"""FASTQ files: checked to the last byte and counted in one pass over their raw bytes.

The scanner is fed the chunks of a file as it is stored (gzip or plain), so that whoever copies and
hashes a file can check it from the same bytes. It never holds more than a few megabytes, or one record.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePath

import numpy as np
import numpy.typing as npt

from refinebio_assets.errors import FormatError
from refinebio_assets.formats.compressed import PlainText, quoted

LINES_PER_RECORD = 4
MAX_LINE_BYTES = 50_000_000
"""The longest line accepted, about ten times the longest nanopore read ever reported (4 Mb); what has
longer lines is no FASTQ, and must not fill the memory."""
_BLOCK_BYTES = 1 << 19
"""What is checked at once: small enough for the processor's cache (4 MB at once take twice as long)."""
_LINE_ENDS = b"\r\n"
_HEADER_EXPECTED = "a header that starts with '@'"
_NEWLINE, _RETURN = ord("\n"), ord("\r")
_HEADER, _SEQUENCE, _SEPARATOR, _QUALITY = range(LINES_PER_RECORD)
_LOWEST_QUALITY, _HIGHEST_QUALITY = ord("!"), ord("~")
_RARE_BASES = b".-*"
"""Beside letters: ``.`` is N in early Illumina files, ``-`` and ``*`` are gaps."""

Positions = npt.NDArray[np.int64]
Bytes = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class FastqStats:
    """What the reads of a FASTQ file are like; lengths in bases."""

    reads: int
    bases: int
    min_length: int
    max_length: int

    @property
    def mean_length(self) -> float:
        """Mean length of the reads in bases."""
        return self.bases / self.reads


def scan_fastq(chunks: Iterable[bytes], label: str | PurePath) -> FastqStats:
    """Check a whole FASTQ file, given as chunks of its stored bytes, and return its statistics.

    Raises FormatError as ``FastqScanner``.
    """
    scanner = FastqScanner(label)
    for chunk in chunks:
        scanner.feed(chunk)
    return scanner.finish()


class FastqScanner:
    """Checks and counts a FASTQ file as its stored bytes (gzip or plain) arrive.

    Give every chunk to ``feed``, then call ``finish`` once. Both raise FormatError, naming the line: a
    record must be a line with ``@``, bases, a line with ``+`` and as many qualities (``!`` to ``~``); the
    file must end with a whole record, hold at least one, and have no line above ``MAX_LINE_BYTES``; a gzip
    stream must be sound and whole. LF and CR LF line ends are accepted, a last line without one as well.
    """

    def __init__(self, label: str | PurePath) -> None:
        self._label = label
        self._text = PlainText(label)
        self._pending: list[bytes] = []
        self._pending_size = 0
        self._enough = _BLOCK_BYTES
        self._reads = 0
        self._bases = 0
        self._min_length = MAX_LINE_BYTES
        self._max_length = 0

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes of the file as it is stored."""
        for text in self._text.feed(chunk):
            for start in range(0, len(text), _BLOCK_BYTES):
                self._take(text[start : start + _BLOCK_BYTES])

    def finish(self) -> FastqStats:
        """Check how the file ends and return its statistics."""
        for text in self._text.finish():
            self._take(text)
        rest = self._scan(b"".join(self._pending))
        self._pending = []
        if rest.strip(_LINE_ENDS) and (not rest.endswith(b"\n") or _lacks_empty_quality(rest)):
            rest = self._scan_last(rest)
        if rest.strip(_LINE_ENDS):
            raise self._cut(rest)
        return self.stats()

    def stats(self) -> FastqStats:
        """Return the statistics of the reads seen so far; FormatError when there are none."""
        if not self._reads:
            raise FormatError(self._label, expected="FASTQ records", found="no reads: the file is empty")
        return FastqStats(self._reads, self._bases, self._min_length, self._max_length)

    def _take(self, text: bytes) -> None:
        """Scan once there is enough text. A rest that is scanned again at least doubles each time."""
        self._pending.append(text)
        self._pending_size += len(text)
        if self._pending_size >= self._enough:
            rest = self._scan(b"".join(self._pending))
            self._pending = [rest]
            self._pending_size = len(rest)
            self._enough = max(_BLOCK_BYTES, 2 * len(rest))

    def _scan(self, block: bytes) -> bytes:
        """Check and count the whole records of a block that begins with a record; return the rest."""
        data = np.frombuffer(block, np.uint8)
        newlines = np.flatnonzero(data == _NEWLINE)
        newlines = newlines[: len(newlines) // LINES_PER_RECORD * LINES_PER_RECORD]
        end = int(newlines[-1]) + 1 if len(newlines) else 0
        if end:
            self._scan_records(data[:end], newlines)
        rest = block[end:]
        self._check_rest(rest)
        return rest

    def _scan_last(self, rest: bytes) -> bytes:
        """Scan an end without line end, which may be a whole record all the same."""
        try:
            return self._scan(rest + b"\n")
        except FormatError as error:
            raise FormatError(
                self._label,
                line=error.line,
                expected=error.expected,
                found=f"{error.found}, at the end of the file: it is cut",
            ) from error

    def _scan_records(self, data: Bytes, newlines: Positions) -> None:
        lines = _Lines.of(data, newlines)
        problem = lines.first_problem()
        if problem is not None:
            line, expected, found = problem
            number = self._reads * LINES_PER_RECORD + line + 1
            raise FormatError(self._label, line=number, expected=expected, found=found)
        lengths = lines.lengths[_SEQUENCE::LINES_PER_RECORD]
        self._reads += len(lengths)
        self._bases += int(lengths.sum())
        self._min_length = min(self._min_length, int(lengths.min()))
        self._max_length = max(self._max_length, int(lengths.max()))

    def _check_rest(self, rest: bytes) -> None:
        """Refuse early what cannot become a record: another kind of file, an endless line."""
        if rest.lstrip(_LINE_ENDS) and not rest.startswith(b"@"):
            line = self._reads * LINES_PER_RECORD + 1
            found = quoted(rest.partition(b"\n")[0])
            raise FormatError(self._label, line=line, expected=_HEADER_EXPECTED, found=found)
        begins = rest.rfind(b"\n") + 1
        if len(rest) - begins > MAX_LINE_BYTES:
            raise FormatError(
                self._label,
                line=self._reads * LINES_PER_RECORD + rest.count(b"\n") + 1,
                expected=f"lines of at most {MAX_LINE_BYTES:,} bytes",
                found=f"a longer one: {quoted(rest[begins:])}",
            )

    def _cut(self, rest: bytes) -> FormatError:
        lines = rest.removesuffix(b"\n").split(b"\n")
        return FormatError(
            self._label,
            line=self._reads * LINES_PER_RECORD + len(lines),
            expected="a whole record of 4 lines at the end of the file",
            found=f"only {len(lines)}, the last {quoted(lines[-1])}: the file is cut",
        )


@dataclass(frozen=True, slots=True, eq=False)
class _Lines:
    """The lines of whole records: their bytes, where each begins, and its length without line end."""

    data: Bytes
    newlines: Positions
    returns: Positions
    starts: Positions
    lengths: Positions

    @classmethod
    def of(cls, data: Bytes, newlines: Positions) -> _Lines:
        starts = np.concatenate(([0], newlines[:-1] + 1))
        # Before the newline of an empty first line comes index -1, which is the last newline: no CR.
        has_return = data[newlines - 1] == _RETURN
        return cls(data, newlines, newlines[has_return] - 1, starts, newlines - starts - has_return)

    def first_problem(self) -> tuple[int, str, str] | None:
        """Return the first wrong line (from 0), what was expected there, and what was found."""
        wrong = (
            (self._not_starting_with(_HEADER, b"@"), _HEADER_EXPECTED),
            (self._not_bases(), "a line of bases"),
            (self._not_starting_with(_SEPARATOR, b"+"), "a line that starts with '+'"),
            (self._not_as_long(), ""),
            (self._strange_bytes(), "printable characters, and no blank among qualities"),
        )
        found = [(int(lines[0]), expected) for lines, expected in wrong if len(lines)]
        if not found:
            return None
        line, expected = min(found, key=lambda problem: problem[0])
        bases = int(self.lengths[line // LINES_PER_RECORD * LINES_PER_RECORD + _SEQUENCE])
        qualities = f"{bases:,} qualities, one a base"
        length = f"{int(self.lengths[line]):,}: " if not expected else ""
        return line, expected or qualities, length + quoted(self._text(line))

    def _text(self, line: int) -> bytes:
        start = int(self.starts[line])
        return self.data[start : start + int(self.lengths[line])].tobytes()

    def _not_starting_with(self, kind: int, first: bytes) -> Positions:
        starts = self.starts[kind::LINES_PER_RECORD]
        return np.flatnonzero(self.data[starts] != first[0]) * LINES_PER_RECORD + kind

    def _not_as_long(self) -> Positions:
        bases, qualities = (self.lengths[kind::LINES_PER_RECORD] for kind in (_SEQUENCE, _QUALITY))
        return np.flatnonzero(bases != qualities) * LINES_PER_RECORD + _QUALITY

    def _not_bases(self) -> Positions:
        # Bit 32 makes letters lower case; what is no letter is then not within 26 of "a".
        strange = ((self.data | 32) - ord("a")) >= 26
        wrong = self._sequences_with(strange)
        if len(wrong):
            wrong = self._sequences_with(strange & ~np.isin(self.data, list(_RARE_BASES)))
        return wrong

    def _sequences_with(self, strange: npt.NDArray[np.bool_]) -> Positions:
        starts, lengths = (column[_SEQUENCE::LINES_PER_RECORD] for column in (self.starts, self.lengths))
        # Pairs of begin and end: every other segment is a sequence. An empty segment would count its
        # first byte, the line end.
        segments = np.column_stack((starts, starts + lengths)).ravel()
        wrong = np.logical_or.reduceat(strange, segments)[::2] & (lengths > 0)
        return np.flatnonzero(wrong) * LINES_PER_RECORD + _SEQUENCE

    def _strange_bytes(self) -> Positions:
        """Return lines with control characters, and quality lines with anything outside ``!`` to ``~``."""
        outside = (self.data - _LOWEST_QUALITY) > _HIGHEST_QUALITY - _LOWEST_QUALITY
        outside[self.newlines] = False
        outside[self.returns] = False
        at = np.flatnonzero(outside)
        lines: Positions = np.searchsorted(self.newlines, at)
        control = (self.data[at] < ord(" ")) & (self.data[at] != ord("\t"))
        wrong: Positions = lines[control | (lines % LINES_PER_RECORD == _QUALITY)]
        return wrong


def _lacks_empty_quality(rest: bytes) -> bool:
    """Tell whether only the last line of a read without bases is missing, which is empty and has no end."""
    lines = rest.split(b"\n")
    return len(lines) == LINES_PER_RECORD and not lines[_SEQUENCE].strip(_LINE_ENDS)
