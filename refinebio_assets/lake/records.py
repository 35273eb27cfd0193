"""Commits and what they consist of, as frozen values, and their JSON form in the commit log.

Where records are kept and when they are written is `store.py`'s business.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from refinebio_assets.domain import some_of
from refinebio_assets.errors import FormatError, NewerFormatError, NotFoundError, RequestError
from refinebio_assets.lake.naming import RECORD_SUFFIX, decode_name, encode_name, file_name_problem

RECORD_FORMAT = 1
_SHOWN_FILES = 5


@dataclass(frozen=True, slots=True)
class StoredFile:
    """One immutable file: its name within its commit, its path under the lake's root, its content."""

    name: str
    path: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class InputRef:
    """One asset partition, at one version, that an output was made from."""

    asset: str
    partition: str
    version: str


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One record in the commit log, not read yet: the encoded names and the commit's id."""

    asset_part: str
    partition_part: str
    id: str

    @property
    def asset(self) -> str:
        """The asset; a name that is too long for the disk is cut."""
        return decode_name(self.asset_part) or self.asset_part

    @property
    def partition(self) -> str:
        """The partition; a name that is too long for the disk is cut."""
        return decode_name(self.partition_part) or self.partition_part

    @property
    def path(self) -> str:
        """Where the record lies under the lake's root."""
        return f"log/{self.asset_part}/{self.partition_part}/{self.id}{RECORD_SUFFIX}"

    @property
    def folder(self) -> str:
        """Where the commit's own files lie under the lake's root."""
        return f"assets/{self.asset_part}/{self.partition_part}/{self.id}"


@dataclass(frozen=True, slots=True)
class Commit:
    """One immutable output of an asset partition.

    ``id`` sorts by time; ``version`` is the hash of content, ``code_version`` is set by hand;
    ``tables`` maps table names to names in ``files``; ``info`` is JSON for its maker to find again;
    ``software`` is the program that wrote it, empty in records that do not say.
    """

    id: str
    asset: str
    partition: str
    version: str
    code_version: str
    created_at: datetime
    run_id: str = ""
    software: str = ""
    files: tuple[StoredFile, ...] = ()
    inputs: tuple[InputRef, ...] = ()
    tables: Mapping[str, str] = field(default_factory=dict)
    info: Mapping[str, Any] = field(default_factory=dict)

    def file(self, name: str) -> StoredFile:
        """Return the file with this name. Raises NotFoundError, listing the names there are."""
        for file in self.files:
            if file.name == name:
                return file
        names = some_of([file.name for file in self.files], _SHOWN_FILES) or "none"
        raise NotFoundError(f"{self}: no file {name!r}; there are {names}")

    @property
    def entry(self) -> LogEntry:
        """Where this commit stands in the log."""
        return LogEntry(encode_name(self.asset), encode_name(self.partition), self.id)

    def __str__(self) -> str:
        return f"commit {self.id} of {self.asset}[{self.partition}]"


def record_bytes(commit: Commit) -> bytes:
    """Return the commit's record. Raises RequestError when ``info`` cannot be written as JSON."""
    record = {
        "format": RECORD_FORMAT,
        **{name: getattr(commit, name) for name in _TEXTS},
        "software": commit.software,
        "created_at": commit.created_at.isoformat(),
        "files": [asdict(file) for file in commit.files],
        "inputs": [asdict(reference) for reference in commit.inputs],
        "tables": dict(commit.tables),
    }
    try:
        record["info"] = dict(commit.info)
        return json.dumps(record, ensure_ascii=False, allow_nan=False).encode()
    except (TypeError, ValueError) as error:
        raise RequestError(f"{commit}: the record cannot be written as JSON: {error}") from error


def read_record(data: bytes, path: str) -> Commit:
    """Read a record of this or an older format.

    Raises FormatError that names ``path`` for a cut or foreign file, a newer format, or a stored
    path that would leave the lake.
    """
    try:
        record = json.loads(data)
    except ValueError as error:
        raise FormatError(path, expected="a commit record in JSON", found=str(error)) from error
    version = record.get("format") if isinstance(record, dict) else None
    reader = _READERS.get(version) if isinstance(version, int) else None
    if reader is None:
        newer = isinstance(version, int) and version > RECORD_FORMAT
        hint = " (written by newer software: upgrade refinebio-assets)" if newer else ""
        raise (NewerFormatError if newer else FormatError)(
            path, expected=f"a commit record of format <= {RECORD_FORMAT}", found=f"format {version!r}{hint}"
        )
    try:
        commit = reader(record)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise FormatError(
            path, expected=f"a complete record of format {version}", found=f"{type(error).__name__}: {error}"
        ) from error
    if commit.entry.path != path:
        raise FormatError(path, expected="the commit that its path names", found=str(commit))
    for file in commit.files:
        if file_name_problem(file.path) or file_name_problem(file.name):
            raise FormatError(path, expected="files inside the lake", found=f"{file.name!r} at {file.path!r}")
    return commit


_TEXTS = ("id", "asset", "partition", "version", "code_version", "run_id")


def _read_format_1(record: Mapping[str, Any]) -> Commit:
    return Commit(
        **{name: _text(record[name]) for name in _TEXTS},
        software=_text(record.get("software", "")),
        created_at=datetime.fromisoformat(record["created_at"]),
        files=tuple(StoredFile(**file) for file in record["files"]),
        inputs=tuple(InputRef(**reference) for reference in record["inputs"]),
        tables=dict(record["tables"]),
        info=dict(record["info"]),
    )


_READERS: Mapping[int, Callable[[Mapping[str, Any]], Commit]] = {1: _read_format_1}


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"text expected, found {value!r}")
    return value
