"""CDF files, the layout of an array with its probe sets: recognizes text or binary (XDA) and hands on."""

from __future__ import annotations

import re
import struct
from pathlib import Path

from refinebio_assets.errors import FormatError
from refinebio_assets.formats.compressed import quoted
from refinebio_assets.formats.probe_tables import cdf_binary, cdf_text
from refinebio_assets.formats.probe_tables.cdf_layout import CdfLayout
from refinebio_assets.formats.probe_tables.opening import table_bytes

__all__ = ["CdfLayout", "read_cdf"]

_MEMBER = re.compile(r"\.cdf(\.\w+)?$", re.IGNORECASE)


def read_cdf(path: Path, *, label: str = "") -> CdfLayout:
    """Read a CDF file, text or binary, plain or packed. ``label`` replaces the path in messages.

    Raises FormatError, naming line or offset, for what is no CDF file or damaged, a count that does not
    fit, and a cell outside of the array; NotFoundError when there is no file.

    Format: Affymetrix, "CDF Data File Format": text GC1.0 to GC6.0, binary versions 1 to 4.
    """
    name = label or str(path)
    content = table_bytes(path, name, _MEMBER)
    if content.startswith(cdf_text.MAGIC):
        return cdf_text.parse_text_cdf(content, name)
    if content.startswith(struct.pack("<i", cdf_binary.MAGIC)):
        return cdf_binary.parse_binary_cdf(content, name)
    found = quoted(content) if content else "an empty file"
    raise FormatError(name, place="byte 0", expected="the start of a CDF file, text or binary", found=found)
