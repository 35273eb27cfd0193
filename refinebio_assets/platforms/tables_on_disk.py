"""Reads the package's own tables. What the tables mean is said by the modules that ask for them."""

from __future__ import annotations

import csv
from importlib.resources import files


def table_lines(name: str) -> list[str]:
    """Return the lines of ``tables/<name>``, without line ends and empty lines."""
    text = files(__package__).joinpath("tables", name).read_text(encoding="utf-8")
    return [line for line in text.splitlines() if line.strip()]


def table_rows(name: str) -> list[dict[str, str]]:
    """Return the rows of the tab-separated ``tables/<name>``, keyed by its header; no value is missing."""
    return list(csv.DictReader(table_lines(name), delimiter="\t", quoting=csv.QUOTE_NONE))
