"""Annotation tables of microarrays as people have them, read as gene indexes.

Tab- or comma-separated, plain or gzip: tables of R, Affymetrix' ``.annot.csv``, GEO's GPL tables with what
stands around them, and gene indexes that were made before. What an index is, is in ``gene_index``.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from refinebio_assets.errors import FormatError
from refinebio_assets.formats.compressed import plain_chunks, quoted, read_chunks
from refinebio_assets.formats.gene_index import (
    GENE_COLUMN,
    INDEX_COLUMNS,
    PROBE_COLUMN,
    GeneIndex,
    index_name,
    make_gene_index,
)

_UTF8_MARK = b"\xef\xbb\xbf"
_AROUND_TABLES = ("#", "!", "^")
"""How lines begin that are no rows: comments, and SOFT's attributes and entities."""
_NO_GENE = re.compile(r"ENS[A-Z]*[TPE]\d{11}")
"""Ensembl's transcripts, proteins and exons, which some tables have under the name of Ensembl."""
_WIDEST_CELL = 1 << 24


@dataclass(frozen=True, slots=True, eq=False)
class AnnotationTable:
    """An index, and the names of the table's columns that are not in it, in their order."""

    index: GeneIndex
    left_out: tuple[str, ...]


def read_annotation_table(path: Path, *, label: str = "") -> AnnotationTable:
    """Read a table of probes and genes.

    Columns are found by name (``Probe Set ID``, ``ENTREZ_GENE_ID`` ...). Of several columns that have the
    same ids, the first is taken; there must be one of Ensembl genes, and one of probes or other ids. Cells
    with several ids (``a /// b``) become rows. ``label`` replaces the path in messages.

    Raises FormatError, naming line and reason, for a header without these columns, or with two of Ensembl
    genes; a row with another number of fields; a table without rows or without any gene; ids of transcripts
    where genes should be; text that is not UTF-8. NotFoundError when there is no file.
    """
    name = label or str(path)
    text = _text(b"".join(plain_chunks(read_chunks(path), name)), name)
    lines = [(number, line) for number, line in enumerate(text.splitlines(), start=1) if _is_row(line)]
    if not lines:
        raise FormatError(name, expected="a header and a row for each probe", found="no rows at all")
    rows = _split([line for _, line in lines])
    names, left_out = _columns(rows[0], name, lines[0])
    if len(rows) == 1:
        raise FormatError(name, expected="a row for each probe", found="a header only")
    for (number, line), row in zip(lines, rows, strict=True):
        if len(row) != len(rows[0]):
            expected, found = f"{len(rows[0])} fields", f"{len(row)}: {quoted(line.encode())}"
            raise FormatError(name, line=number, expected=expected, found=found)
    index = make_gene_index({key: [row[place] for row in rows[1:]] for key, place in names.items()})
    _require_genes(index, name)
    return AnnotationTable(index, left_out)


def _text(data: bytes, label: str) -> str:
    try:
        return data.removeprefix(_UTF8_MARK).decode("utf-8")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        found = quoted(data[error.start : error.start + 20])
        raise FormatError(label, line=line, expected="UTF-8 text", found=found) from error


def _is_row(line: str) -> bool:
    return bool(line.strip()) and not line.startswith(_AROUND_TABLES)


def _split(lines: Sequence[str]) -> list[list[str]]:
    """Split rows at tabs, or where the header has none, at commas outside of quotes."""
    if "\t" in lines[0]:
        return [[field.strip().strip('"') for field in line.split("\t")] for line in lines]
    csv.field_size_limit(_WIDEST_CELL)
    return [[field.strip() for field in row] for row in csv.reader(lines)]


def _columns(
    header: Sequence[str], label: str, place: tuple[int, str]
) -> tuple[dict[str, int], tuple[str, ...]]:
    """Return index column -> place in the table, and the columns that are left out."""
    found: dict[str, int] = {}
    left_out = []
    for number, title in enumerate(header):
        name = index_name(title)
        if name == GENE_COLUMN and name in found:
            raise _no_columns(label, place, "one column of Ensembl genes")
        if name in INDEX_COLUMNS and name not in found:
            found[name] = number
        else:
            left_out.append(title)
    if GENE_COLUMN not in found:
        raise _no_columns(label, place, "a column of Ensembl genes, as ENSEMBL or Ensembl Gene ID")
    if len(found) == 1:
        raise _no_columns(label, place, f"a column of probes ({PROBE_COLUMN}, ID) or other ids")
    return found, tuple(left_out)


def _no_columns(label: str, place: tuple[int, str], expected: str) -> FormatError:
    number, line = place
    return FormatError(label, line=number, expected=expected, found=quoted(line.encode()))


def _require_genes(index: GeneIndex, label: str) -> None:
    genes = [str(gene) for gene in index.columns[GENE_COLUMN].dictionary.to_pylist()]
    if not genes:
        raise FormatError(
            label, place=f"column {GENE_COLUMN}", expected="Ensembl genes", found="no id at all"
        )
    others = [gene for gene in genes if _NO_GENE.match(gene)]
    if others:
        found = f"{len(others):,} of {len(genes):,} ids of transcripts or proteins, as {others[0]}"
        raise FormatError(label, place=f"column {GENE_COLUMN}", expected="Ensembl genes", found=found)
