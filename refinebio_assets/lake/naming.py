"""How names become paths: assets, partitions, commit ids, objects, and the files inside a commit.

Everything that decides where a thing lies under the lake's root is here, so that nothing can
escape it. Nothing here touches a disk.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from urllib.parse import quote, unquote

from refinebio_assets.errors import RequestError

# File systems allow 255 bytes a name; temporary names add a little.
MAX_PART_BYTES = 200
_KEPT_OF_A_LONG_NAME = 150
_EMPTY_NAME = "%"
_COMMIT_ID = re.compile(r"\d{8}T\d{6}\.\d{6}Z-[0-9a-f]{8}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_MOMENT_FORMAT = "%Y%m%dT%H%M%S.%fZ"
RECORD_SUFFIX = ".json"


def encode_name(name: str) -> str:
    """Return an asset's or partition's name as one path part, different for different names.

    Letters, digits, ``_``, ``-`` and inner dots stay, the rest is percent-encoded; a name whose
    encoded form is longer than 200 bytes keeps its start and gets ``~`` and a hash. Raises
    RequestError for text that is not valid Unicode (a lone surrogate).
    """
    try:
        part = quote(name, safe="", errors="strict").replace("~", "%7E")
    except UnicodeEncodeError as error:
        raise RequestError(f"the name {name!r} is not valid Unicode text") from error
    if part.startswith("."):
        part = "%2E" + part[1:]
    if len(part) > MAX_PART_BYTES:
        return f"{part[:_KEPT_OF_A_LONG_NAME]}~{sha256(name.encode()).hexdigest()[:32]}"
    return part or _EMPTY_NAME


def decode_name(part: str) -> str | None:
    """Return the name behind a path part; None for a shortened name or a part nobody encoded."""
    if part == _EMPTY_NAME:
        return ""
    if "~" in part:
        return None
    try:
        name = unquote(part, errors="strict")
        return name if encode_name(name) == part else None
    except (UnicodeDecodeError, RequestError):
        return None


def is_shortened(part: str) -> bool:
    """Tell whether a path part is a long name's start and hash; its record holds the true name."""
    return "~" in part


def new_commit_id(moment: datetime, token: str, after: str | None = None) -> str:
    """Return an id that sorts by time and after ``after``, whatever this machine's clock says.

    ``moment`` is UTC, ``token`` eight random hex digits that keep simultaneous writers apart.
    """
    if after is not None:
        moment = max(moment, commit_moment(after) + timedelta(microseconds=1))
    return f"{moment.astimezone(UTC).strftime(_MOMENT_FORMAT)}-{token}"


def commit_moment(commit_id: str) -> datetime:
    """Return the moment that a commit id carries (UTC, microseconds)."""
    return datetime.strptime(commit_id.partition("-")[0], _MOMENT_FORMAT).replace(tzinfo=UTC)


def is_commit_id(text: str) -> bool:
    """Tell whether text is a commit id (anything else in the log is not ours and is ignored)."""
    return _COMMIT_ID.fullmatch(text) is not None


def commit_id_of(file_name: str) -> str | None:
    """Return the commit id of a record's file name, or None when the file is not a record."""
    commit_id = file_name.removesuffix(RECORD_SUFFIX)
    return commit_id if commit_id != file_name and is_commit_id(commit_id) else None


def object_path(checksum: str) -> str:
    """Return where the content with this sha256 lies. Raises RequestError for anything else."""
    if _SHA256.fullmatch(checksum) is None:
        raise RequestError(f"{checksum!r} is not a sha256 (64 lower-case hex digits)")
    return f"objects/{checksum[:2]}/{checksum}"


def file_name_problem(name: str) -> str | None:
    """Say why a relative file name may not be stored, or return None when it may."""
    if not name or "\x00" in name:
        return "is empty or contains a NUL"
    if any(part in ("", ".", "..") for part in name.split("/")):
        return "must be relative, without '.', '..' or empty parts"
    try:
        name.encode()
    except UnicodeEncodeError:
        return "is not valid Unicode text"
    return None


def check_file_name(name: str) -> str:
    """Return the name of a file in a commit if it may be one. Raises RequestError otherwise."""
    problem = file_name_problem(name)
    if problem:
        raise RequestError(f"file name {name!r} {problem}")
    return name
