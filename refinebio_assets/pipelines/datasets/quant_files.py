"""Salmon's ``quant.sf`` files as a dataset delivers them: whole ones only, unpacked."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from dataclasses import replace

from refinebio_assets.errors import FormatError, PermanentError
from refinebio_assets.formats.quant_sf import require_whole
from refinebio_assets.lake.content import read_verified
from refinebio_assets.lake.store import Lake, StoredFile
from refinebio_assets.pipelines.datasets.selection import Filtered, Member, Selection
from refinebio_assets.pipelines.delivery.zipped import QUANT_SUFFIX

_CHUNK = 1 << 20


class DamagedError(PermanentError):
    """A ``quant.sf`` is not whole, or not what was committed."""


def quant_sf_chunks(lake: Lake, stored: StoredFile) -> Iterator[bytes]:
    """Yield the text of a ``quant.sf`` that is kept gzipped."""
    with gzip.open(lake.local(stored), "rb") as file:
        while chunk := file.read(_CHUNK):
            yield chunk


def sound_quant_files(lake: Lake, selection: Selection) -> Selection:
    """Return a selection without the samples whose file is damaged or lost; they are filtered.

    Files are read to their end, as only that tells whether one is whole.
    """
    groups, filtered = [], list(selection.filtered)
    for group in selection.groups:
        kept = []
        for member in group.members:
            problem = _problem(lake, member)
            if problem:
                filtered += [Filtered(member.sample, name, group.key, problem) for name in member.experiments]
            else:
                kept.append(member)
        if kept:
            groups.append(replace(group, members=tuple(kept)))
    return Selection(tuple(groups), tuple(filtered))


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


def _problem(lake: Lake, member: Member) -> str:
    if member.quant_sf is None:
        return "it has no quant.sf"
    try:
        whole_quant_sf(lake, member.quant_sf)
    except DamagedError as error:
        return str(error)
    return ""


def delivered_name(key: str, sample: str) -> str:
    """Return the path of a sample's file in a zip: in the folder of its experiment, say."""
    return f"{key}/{sample}{QUANT_SUFFIX}"
