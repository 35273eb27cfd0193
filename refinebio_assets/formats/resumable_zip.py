"""A zip archive that is written in parts, and that another process goes on with when one was killed.

Beside the archive, still without its directory, a folder holds its journal: a line a member and one a part. A
part's lines are written once all of it is on the disk, so that what the journal names is whole. What goes
into an archive, and where it is, is decided elsewhere.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Self

from refinebio_assets.errors import StorageError
from refinebio_assets.formats.deterministic_zip import Entry, Member, MembersWriter, write_directory

JOURNAL, LOCK = "journal.jsonl", "lock"


@dataclass(frozen=True, slots=True)
class Part:
    """A part that is whole: its name, what it was made of, and what its maker noted of it (JSON)."""

    name: str
    basis: str
    notes: Mapping[str, Any]


class PartWriter(MembersWriter):
    """Writes the members of one part; ``notes`` are kept with it."""

    def __init__(self, stream: BinaryIO, *, threads: int) -> None:
        super().__init__(stream, threads=threads)
        self.notes: dict[str, Any] = {}


class ResumableZip:
    """An archive under way, and the existing folder of its journal, which this process then holds.

    A context manager. Memory does not grow with parts, and leaving it keeps what is whole. Raises
    StorageError when another process holds the folder or the disk fails.
    """

    def __init__(self, path: Path, folder: Path, *, threads: int = 1) -> None:
        self.path = path
        self._journal_path = folder / JOURNAL
        self._threads = threads
        try:
            self._lock = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise StorageError(f"locking {folder} failed: {error}") from error
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self._lock)
            raise StorageError(f"another process is writing the archive {path}") from error
        self._archive = _open(path)
        self._journal = _open(self._journal_path)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for stream in (self._archive, self._journal):
            try:
                stream.close()
            except OSError:
                # What could not be written belongs to no part that is whole.
                continue
        os.close(self._lock)

    def resume(self, wanted: Iterable[tuple[str, str]]) -> int:
        """Keep the leading parts that are whole and as wanted, (name, basis) in order; return how many.

        Everything behind them is removed.
        """
        size, kept, archive_end, journal_end = self.path.stat().st_size, 0, 0, 0
        expected = iter(wanted)
        for line, end in _lines(self._journal_path):
            part = _parsed(line)
            if part is None:
                break
            if "part" not in part:
                continue
            if [part["part"], part["basis"]] != list(next(expected, ())) or part["end"] > size:
                break
            kept, archive_end, journal_end = kept + 1, part["end"], end
        for stream, end in ((self._archive, archive_end), (self._journal, journal_end)):
            stream.truncate(end)
            stream.seek(end)
        return kept

    @contextmanager
    def part(self, name: str, basis: str) -> Iterator[PartWriter]:
        """Write the members of one part; it is whole when the block ends without an error.

        After an error nothing more can be written: the next process resumes behind the last whole part.
        """
        with PartWriter(self._archive, threads=self._threads) as writer:
            yield writer
        writer.require_whole()
        _to_disk(self._archive)
        end = self._archive.tell()
        for entry in writer.entries:
            self._journal.write(_line({"member": _entry_fields(entry)}))
        self._journal.write(_line({"part": name, "basis": basis, "end": end, "notes": writer.notes}))
        _to_disk(self._journal)

    def parts(self) -> Iterator[Part]:
        """Yield the parts that are whole, in order."""
        for fields in self._fields():
            if "part" in fields:
                yield Part(fields["part"], fields["basis"], fields["notes"])

    def members(self) -> Iterator[Member]:
        """Yield the members of whole parts, in order."""
        for entry in self._entries():
            yield entry.member

    def finish(self) -> Path:
        """Write the directory, which makes the archive whole, and return its path."""
        write_directory(self._archive, self._entries())
        _to_disk(self._archive)
        return self.path

    def _entries(self) -> Iterator[Entry]:
        for fields in self._fields():
            if "member" in fields:
                name, size, sha256, packed, crc, method, offset = fields["member"]
                yield Entry(Member(name, size, sha256, packed), crc, method, offset)

    def _fields(self) -> Iterator[dict[str, Any]]:
        for line, _ in _lines(self._journal_path):
            yield json.loads(line)


def _open(path: Path) -> BinaryIO:
    try:
        path.touch(0o600)
        path.chmod(0o600)  # one that was about to be stored is read-only
        return path.open("r+b")
    except OSError as error:
        raise StorageError(f"opening {path} failed: {error}") from error


def _lines(path: Path) -> Iterator[tuple[bytes, int]]:
    """Yield the journal's lines, each with the place behind it; not a last one that is not whole."""
    end = 0
    with path.open("rb") as stream:
        for line in stream:
            end += len(line)
            if line.endswith(b"\n"):
                yield line, end


def _parsed(line: bytes) -> dict[str, Any] | None:
    """Return a line's fields; None where a power cut left something else."""
    try:
        fields = json.loads(line)
    except ValueError:
        return None
    return fields if isinstance(fields, dict) else None


def _line(fields: Mapping[str, Any]) -> bytes:
    return json.dumps(fields, separators=(",", ":")).encode() + b"\n"


def _entry_fields(entry: Entry) -> list[Any]:
    member = entry.member
    facts = [member.name, member.size, member.sha256, member.packed_size]
    return [*facts, entry.crc, entry.method, entry.offset]


def _to_disk(stream: BinaryIO) -> None:
    stream.flush()
    os.fsync(stream.fileno())
