"""Is a result still what its inputs and code would give, and if not, why?

A result's *basis* is a flat mapping of everything that determined it. Two equal bases need no work;
two different ones are explained key by key, in words. Hashing of content lives here too.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

Basis = Mapping[str, Any]
"""Flat and JSON-able; keys are words a person understands (``code version``, ``fastq_1``)."""

_SHOWN_CHARACTERS = 12
_NANOSECONDS = re.compile(r"(?<=modified )\d{18,19}\b")
"""When a local file was modified."""


def content_hash(content: Any) -> str:
    """Return the SHA-256 (64 hex digits) of JSON-able content, independent of key order."""
    text = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, sort_keys=True)
    looks_like_hash = len(text) == 64 and all(character in "0123456789abcdef" for character in text)
    return text[:_SHOWN_CHARACTERS] if looks_like_hash else _NANOSECONDS.sub(_moment, text)


def _moment(nanoseconds: re.Match[str]) -> str:
    return f"{datetime.fromtimestamp(int(nanoseconds[0]) / 1e9, UTC):%Y-%m-%d %H:%M:%S.%f}"[:-3]


def explain_changes(old: Basis | None, new: Basis) -> list[str]:
    """Say what differs between two bases, one sentence a key; empty when nothing does.

    ``old`` is None when there is no earlier result.
    """
    if old is None:
        return ["not made before"]
    reasons = []
    for key in sorted(set(old) | set(new)):
        if key not in old:
            reasons.append(f"{key} added")
        elif key not in new:
            reasons.append(f"{key} removed")
        elif old[key] != new[key]:
            before, after = _short(old[key]), _short(new[key])
            reasons.append(f"{key} changed: {before} -> {after}")
    return reasons
