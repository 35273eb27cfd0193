"""``manifest.json``: size and SHA-256 of every other file of a delivery."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from refinebio_assets.formats.deterministic_zip import Member

MANIFEST = "manifest.json"
FORMAT = 1


def manifest_of(members: Sequence[Member], **about: Any) -> dict[str, Any]:
    """Return the manifest of files that were written, with what the delivery is."""
    files = [{"path": member.name, "size": member.size, "sha256": member.sha256} for member in members]
    return {"format": FORMAT, **about, "files": files}
