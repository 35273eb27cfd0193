"""Salmon's ``quant.sf`` files as they are delivered: whole ones, unpacked, named after samples."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator

from refinebio_assets.errors import FormatError, PermanentError
from refinebio_assets.formats.quant_sf import require_whole
from refinebio_assets.lake.content import read_verified
from refinebio_assets.lake.store import Lake, StoredFile
from refinebio_assets.pipelines.delivery.zipped import QUANT_SUFFIX

_CHUNK = 1 << 20


class DamagedError(PermanentError):
    """A ``quant.sf`` is not whole, or not what was committed."""


def quant_sf_chunks(lake: Lake, stored: StoredFile) -> Iterator[bytes]:
    """Yield the text of a ``quant.sf`` that is kept gzipped."""
    with gzip.open(lake.local(stored), "rb") as file:
        while chunk := file.read(_CHUNK):
            yield chunk


def whole_quant_sf(lake: Lake, stored: StoredFile) -> bytes:
    """Return the text of a ``quant.sf`` that is kept gzipped, if it is what was committed, and whole.

    Raises DamagedError that says what is wrong, StorageError when it could not be read for now.
    """
    try:
        text = gzip.decompress(read_verified(lake.storage, stored))
    except (OSError, EOFError, zlib.error, PermanentError) as error:
        raise DamagedError(f"its quant.sf cannot be read: {error}") from error
    try:
        require_whole(text, "its quant.sf")
    except FormatError as error:
        raise DamagedError(f"truncated: {error}") from error
    return text


def delivered_name(key: str, sample: str) -> str:
    """Return the path of a sample's file in a zip: in the folder of its experiment, say."""
    return f"{key}/{sample}{QUANT_SUFFIX}"
