"""Processors as users see them, in downloads and in the web API alike: refine.bio's names, and stable ids."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import md5

DELIVERED_NAMES: Mapping[str, str] = {
    "Salmon": "Salmon Quant",
    "SCAN": "Affymetrix SCAN",
    "submitted": "Salmon (quant.sf as given)",
}
"""What the lake calls a processor -> its name in downloads; others have one name everywhere."""


def delivered_name(processor: str) -> str:
    """Return the name under which downloads and the API show a processor of the lake."""
    return DELIVERED_NAMES.get(processor, processor)


def processor_id(name: str, version: str) -> int:
    """Return the id of a processor (its delivered name) in one version, the same on every machine."""
    return stable_id("processor", f"{name} {version}")


def stable_id(kind: str, name: str) -> int:
    """Return the id that follows from a name: 52 bits of its MD5, as the macro in the API's SQL."""
    lower = md5(f"{kind} {name}".encode(), usedforsecurity=False).digest()[8:]
    return int.from_bytes(lower, "little") >> 12
