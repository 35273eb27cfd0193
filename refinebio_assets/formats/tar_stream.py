"""A tar archive as a stream whose length is known before: plain, and the same bytes for the same files."""

from __future__ import annotations

import tarfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO

from refinebio_assets.errors import CorruptionError

_BLOCK = 512
_END = bytes(2 * _BLOCK)
_CHUNK = 1 << 18


@dataclass(frozen=True, slots=True)
class TarMember:
    """One file: its path in the archive, its size in bytes, and how it is opened when its turn comes."""

    name: str
    size: int
    open: Callable[[], BinaryIO]


def tar_length(members: Sequence[TarMember]) -> int:
    """Return how many bytes ``tar_chunks`` yields."""
    return sum(len(_header(member)) + member.size + _padding(member.size) for member in members) + len(_END)


def tar_chunks(members: Sequence[TarMember]) -> Iterator[bytes]:
    """Yield the archive (GNU format; modes, owners and times are the same everywhere).

    Raises CorruptionError when a file is not as long as its member says.
    """
    for member in members:
        yield _header(member)
        yield from _content(member)
        yield bytes(_padding(member.size))
    yield _END


def _header(member: TarMember) -> bytes:
    info = tarfile.TarInfo(member.name)
    info.size, info.mode = member.size, 0o644
    return info.tobuf(tarfile.GNU_FORMAT)


def _content(member: TarMember) -> Iterator[bytes]:
    left = member.size
    with member.open() as file:
        while chunk := file.read(min(_CHUNK, left)):
            left -= len(chunk)
            yield chunk
        if left or file.read(1):
            raise CorruptionError(f"{member.name}: expected {member.size:,} bytes, found another number")


def _padding(size: int) -> int:
    return -size % _BLOCK
