"""Rows of delimited text whose cells may be wider than the csv module takes of itself (131,072 characters).

The module's limit is one for the whole process: it is raised for the moment of a row only, so that other
readers, for which an endless cell means that the text is no table, keep it.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator


class WideRows:
    """An iterator over the rows of delimited text, as ``csv.reader`` gives them; raises ``csv.Error``."""

    def __init__(self, lines: Iterable[str], dialect: str = "excel", *, widest: int) -> None:
        """Read ``lines`` in a dialect of the csv module; a cell has at most ``widest`` characters."""
        self._reader = csv.reader(lines, dialect)
        self._widest = widest

    @property
    def line_num(self) -> int:
        """How many lines were read; a cell in quotes may have several."""
        return self._reader.line_num

    def __iter__(self) -> Iterator[list[str]]:
        """Return itself."""
        return self

    def __next__(self) -> list[str]:
        """Return the next row."""
        limit = csv.field_size_limit(self._widest)
        try:
            return next(self._reader)
        finally:
            csv.field_size_limit(limit)
