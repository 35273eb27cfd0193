"""A platform's name for people, and what it is called in there. Nothing but that one text lives here."""

from __future__ import annotations

import re

from refinebio_assets.domain import Platform

_IN_PARENTHESES = re.compile(r"\(([^()]+)\)$")
_CHIP_IN_BRACKETS = re.compile(r"^\[[^\]]*\]\s*")


def readable(platform: Platform) -> str:
    """Return the name without its leading ``[chip]``, and the accession in parentheses.

    ``Affymetrix Human Genome U133A Array (hgu133a)``. Without a name it is the accession, without that
    the archive's own; of a platform of which nothing is known it is empty.
    """
    name = _CHIP_IN_BRACKETS.sub("", platform.name).strip()
    if name and platform.accession:
        return f"{name} ({platform.accession})"
    return name or platform.accession or platform.source_accession


def accession_in(text: str) -> str:
    """Return the accession that a platform's name for people ends with, or the text when it is one."""
    found = _IN_PARENTHESES.search(text)
    return found[1] if found else text
