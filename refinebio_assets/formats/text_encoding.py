"""In words, what a file is whose bytes are not UTF-8."""

from __future__ import annotations

_MARKS_OF_UTF_16 = (b"\xff\xfe", b"\xfe\xff")


def other_encoding(error: UnicodeDecodeError) -> str:
    """Return what was found instead of UTF-8, and the way out: told by the mark at the start, or the byte."""
    if error.start == 0 and error.object.startswith(_MARKS_OF_UTF_16):
        return "UTF-16; save it as UTF-8"
    byte = error.object[error.start]
    return f"the byte 0x{byte:02X} of another encoding (as Latin-1 or Windows-1252 have it); save it as UTF-8"
