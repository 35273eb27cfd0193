"""Which SRA runs are left out before anything is downloaded: by library, and by a list of bad runs.

Whether the run's sequencer is supported is judged with all else in ``pipeline_choice``.
"""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from refinebio_assets.errors import FormatError, NotFoundError

_RUN = re.compile(r"[SED]RR\d+")
_OF_RNA = re.compile(r"RNA|EST|OTHER", re.IGNORECASE)
_GZIP_MAGIC = b"\x1f\x8b"
_SHOWN_BAD_LINES = 5


@dataclass(frozen=True, slots=True)
class SraRules:
    """What a run has to be: library strategy and source as SRA names them (any case), and not listed.

    ``blacklist`` holds run accessions in upper case. ``TRANSCRIPTOMIC SINGLE CELL`` is a source of its
    own and is left out by default: such reads carry cell barcodes that Salmon would take for sequence.
    """

    strategies: tuple[str, ...] = ("RNA-Seq",)
    sources: tuple[str, ...] = ("TRANSCRIPTOMIC", "OTHER")
    blacklist: frozenset[str] = frozenset()


def exclusion(run_accession: str, library_strategy: str, library_source: str, rules: SraRules) -> str:
    """Say why the run is left out, in words; empty when it may be used. Missing values are empty."""
    if run_accession.upper() in rules.blacklist:
        return f"{run_accession} is on the blacklist of runs that cannot be processed."
    return _not_among("strategy", library_strategy, rules.strategies) or _not_among(
        "source", library_source, rules.sources
    )


def is_of_rna(library_strategy: str) -> bool:
    """Tell whether RNA may have been sequenced with this strategy; so it may when none is given."""
    return not library_strategy.strip() or bool(_OF_RNA.search(library_strategy))


def _not_among(what: str, value: str, wanted: Iterable[str]) -> str:
    allowed = {text.casefold(): text for text in wanted}
    if value.strip().casefold() in allowed:
        return ""
    named = f"is {value.strip()}" if value.strip() else "is not given"
    return f"Its library {what} {named}; only {' or '.join(allowed.values())} is processed."


def read_blacklist(path: Path) -> frozenset[str]:
    """Read run accessions from a text file with one column, plain or gzip-compressed, header or none.

    The first line is a header only when it is not a run accession. Empty lines are passed over; case and
    double quotes do not count. Raises FormatError naming the lines that are no run accession, and
    NotFoundError when there is no such file.
    """
    lines = [(number, text) for number, text in _numbered_lines(path) if text]
    if lines and not _RUN.fullmatch(lines[0][1]):
        lines = lines[1:]
    bad = [(number, text) for number, text in lines if not _RUN.fullmatch(text)]
    if bad:
        _refuse(path, bad)
    return frozenset(text for _, text in lines)


def _numbered_lines(path: Path) -> Iterator[tuple[int, str]]:
    text = _content(path).decode("utf-8-sig", errors="replace")
    for number, line in enumerate(text.splitlines(), start=1):
        yield number, line.strip().strip('"').strip().upper()


def _content(path: Path) -> bytes:
    try:
        content = path.read_bytes()
    except FileNotFoundError as error:
        raise NotFoundError(f"{path}: there is no such blacklist file") from error
    if not content.startswith(_GZIP_MAGIC):
        return content
    try:
        return gzip.decompress(content)
    except (OSError, EOFError, zlib.error) as error:
        raise FormatError(path, expected="a whole gzip file", found=f"a damaged one ({error})") from error


def _refuse(path: Path, bad: list[tuple[int, str]]) -> None:
    number, text = bad[0]
    others = [f"{other:,}" for other, _ in bad[1 : _SHOWN_BAD_LINES + 1]]
    more = len(bad) - 1 - len(others)
    found = repr(text)
    if others:
        found += f"; also bad: lines {', '.join(others)}" + (f" and {more:,} more" if more else "")
    raise FormatError(path, line=number, expected="one run accession, such as SRR013561", found=found)
