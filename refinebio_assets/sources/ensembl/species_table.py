"""The table of a division's genomes and databases, ``species_<division>.txt``.

Fungi and Bacteria keep most genomes in collections; only this table tells in which, and in what folder.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from refinebio_assets.errors import FormatError
from refinebio_assets.sources.ensembl.divisions import Division
from refinebio_assets.sources.web.client import Web

_COLUMNS = ("species", "assembly", "core_db")
_COLLECTION = re.compile(r"(?:fungi|bacteria)_.*?_collection")


@dataclass(frozen=True, slots=True)
class Folder:
    """Where a genome's files are: its own folder, in a collection's unless ``collection`` is empty."""

    name: str
    collection: str = ""

    @property
    def path(self) -> str:
        """The folder's path below ``fasta`` or ``gtf``."""
        return f"{self.collection}/{self.name}" if self.collection else self.name


def find_folder(web: Web, division: Division, assembly: str, name: str, release: int | None) -> Folder | None:
    """Return the folder of the genome with this assembly (blanks kept), or None when it is not listed.

    Of several genomes whose assemblies have one name, the one called ``name`` is taken, else the first.
    ``release`` None is the current one. Raises FormatError when the table lacks a column, and what ``web``
    raises.
    """
    url = division.species_table_url(release)
    rows = [row for row in _rows(web.text(url), url) if row["assembly"].strip() == assembly]
    if not rows:
        return None
    row = next((row for row in rows if row["species"] == name), rows[0])
    collection = _COLLECTION.match(row["core_db"])
    return Folder(row["species"], collection[0] if collection else "")


def _rows(text: str, url: str) -> list[dict[str, str]]:
    lines = text.splitlines()
    header = lines[0].removeprefix("#").split("\t") if lines else []
    missing = [column for column in _COLUMNS if column not in header]
    if missing:
        found = ", ".join(header) or "an empty file"
        raise FormatError(url, line=1, expected=f"columns {', '.join(missing)}", found=found)
    # Rows end with a tab that the header lacks, so they have a cell too many.
    rows = [dict(zip(header, line.split("\t"), strict=False)) for line in lines[1:] if line.strip()]
    for number, row in enumerate(rows, start=2):
        if len(row) < len(header):
            raise FormatError(url, line=number, expected=f"{len(header)} columns", found=str(len(row)))
    return rows
