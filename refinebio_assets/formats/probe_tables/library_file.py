"""What the library files of ST arrays (PGF, CLF, MPS) share: ``#%name=value`` lines before the rows."""

from __future__ import annotations

import re
from collections.abc import Iterator

from refinebio_assets.errors import FormatError

_HEADER = re.compile(rb"#%([^=]+)=(.*)", re.DOTALL)


class LibraryHead:
    """The head of a library file. Feed it lines until one is not of the head."""

    def __init__(self, label: str) -> None:
        self.label = label
        self.chip_types: list[str] = []
        self.lines = 0
        self._values: dict[str, str] = {}

    def take(self, line: bytes) -> bool:
        """Take a line of the head; tell whether it was one."""
        if not line.startswith(b"#"):
            return False
        self.lines += 1
        if match := _HEADER.match(line):
            name, value = (part.decode("latin-1") for part in match.groups())
            if name == "chip_type":
                self.chip_types.append(value.strip())
            self._values.setdefault(name, value)
        return True

    def value(self, name: str) -> str:
        """Return a value, empty when there is none."""
        return self._values.get(name, "").strip()

    def columns(self, level: int, required: tuple[str, ...]) -> list[str]:
        """Return the names of the columns of a level. Raises FormatError unless the required are there."""
        value = self._values.get(f"header{level}", "")
        names = value.lstrip("\t ").rstrip().split("\t")
        missing = [name for name in required if name not in names]
        if missing:
            expected = f"#%header{level}= with {' and '.join(missing)}"
            raise FormatError(
                self.label, place="the head", expected=expected, found=repr(value[:200]) or "none"
            )
        return names


def body_lines(head: LibraryHead, pieces: Iterator[list[bytes]]) -> Iterator[tuple[int, list[bytes]]]:
    """Yield the lines behind the head, in lists, each with the number of its first line in the file."""
    in_head = True
    number = 1
    for lines in pieces:
        start = 0
        while in_head and start < len(lines):
            in_head = head.take(lines[start])
            start += in_head
        if start < len(lines):
            yield number + start, lines[start:]
        number += len(lines)
