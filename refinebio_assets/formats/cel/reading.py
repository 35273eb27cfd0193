"""Reads a CEL file of any format: recognizes the format by content and hands on."""

from __future__ import annotations

import struct
from pathlib import Path

from refinebio_assets.errors import FormatError
from refinebio_assets.formats.cel import binary, command_console, text
from refinebio_assets.formats.cel.model import CelFile, CelFormat, CelHeader
from refinebio_assets.formats.cel.plain_bytes import PlainBytes
from refinebio_assets.formats.compressed import quoted

_LONGEST_MAGIC = 8
_SHOWN = 512


def read_cel(path: Path, *, label: str = "") -> CelFile:
    """Read and check a CEL file, plain or gzip. ``label`` replaces the path in messages.

    Raises FormatError, naming offset or line, for what is no CEL file of a known format and version, a
    file that is cut, dimensions that no array has or that do not fit the data, cells that are missing or
    given twice, and an intensity that is NaN, infinite or negative; NotFoundError when there is no file.

    Formats: Affymetrix, "CEL Data File Format" and "Command Console Generic Data File Format" (2008).
    """
    source = PlainBytes.of(path, label or str(path))
    match _recognize(source):
        case CelFormat.TEXT:
            return text.read_text_cel(source)
        case CelFormat.BINARY:
            return binary.read_binary_cel(source)
        case CelFormat.COMMAND_CONSOLE:
            return command_console.read_command_console_cel(source)


def read_cel_header(path: Path, *, label: str = "") -> CelHeader:
    """Read the head of a CEL file and nothing behind it; errors as ``read_cel`` where the head shows them."""
    source = PlainBytes.of(path, label or str(path))
    match _recognize(source):
        case CelFormat.TEXT:
            return text.read_text_header(source)
        case CelFormat.BINARY:
            return binary.read_binary_header(source)
        case CelFormat.COMMAND_CONSOLE:
            return command_console.read_command_console_header(source)


def _recognize(source: PlainBytes) -> CelFormat:
    source.reach(_LONGEST_MAGIC)
    start = bytes(source.data[:_LONGEST_MAGIC])
    if start.startswith(text.MAGIC):
        return CelFormat.TEXT
    if start.startswith(struct.pack("<i", binary.MAGIC)):
        return CelFormat.BINARY
    if start.startswith(bytes([command_console.MAGIC])):
        return CelFormat.COMMAND_CONSOLE
    found = quoted(bytes(source.data[:_SHOWN])) if start else "an empty file"
    expected = "the start of a CEL file (text, binary or Command Console)"
    raise FormatError(source.label, place="byte 0", expected=expected, found=found)
