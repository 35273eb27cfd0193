"""Texts that may name files of the server, such as commands, without where those files are."""

from __future__ import annotations

import re

_PLACE = re.compile(r"(?<![\w.:/])/(?:[^\s/]+/)*([^\s/]+)")
"""A path from the root; the slashes of a URL follow a colon, a slash or a name."""


def without_places(text: str) -> str:
    """Return a text with the last part only of each path from the root."""
    return _PLACE.sub(r"\1", text)
