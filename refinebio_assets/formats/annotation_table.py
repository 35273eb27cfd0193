"""Annotation tables of microarrays as people have them, read as gene indexes.

Tab- or comma-separated, plain or gzip: tables of R, Affymetrix' ``.annot.csv``, GEO's GPL tables with what
stands around them, and gene indexes that were made before. What an index is, is in ``gene_index``.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
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
from refinebio_assets.formats.wide_rows import WideRows

_UTF8_MARK = b"\xef\xbb\xbf"
_BEFORE_TABLES = ("#", "!", "^")
"""How lines begin that come before a table: comments, and SOFT's attributes and entities."""
_END_OF_TABLE = "!platform_table_end"
_NO_GENE = re.compile(r"ENS[A-Z]*[TPE]\d{11}")
"""Ensembl's transcripts, proteins and exons, which some tables have under the name of Ensembl."""
_BETWEEN_IDS = re.compile(r"[\s;,|]")
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
    genes; a row with another number of fields; a table without rows or without any gene; ids of transcripts,
    or several in one, where a gene should be; text that is not UTF-8. NotFoundError when there is no file.
    """
    name = label or str(path)
    lines = list(_table_lines(_text(b"".join(plain_chunks(read_chunks(path), name)), name)))
    if not lines:
        raise FormatError(name, expected="a header and a row for each probe", found="no rows at all")
    rows = _split(lines, name)
    header = next(rows)[1]
    names, left_out = _columns(header, name, lines[0])
    columns: dict[str, list[str]] = {key: [] for key in names}
    for number, row in rows:
        if len(row) != len(header):
            expected, found = f"{len(header)} fields", f"{len(row)}: {quoted(' '.join(row).encode())}"
            raise FormatError(name, line=number, expected=expected, found=found)
        for key, place in names.items():
            columns[key].append(row[place])
    if not columns[GENE_COLUMN]:
        raise FormatError(name, expected="a row for each probe", found="a header only")
    index = make_gene_index(columns)
    _require_genes(index, name)
    return AnnotationTable(index, left_out)


def _text(data: bytes, label: str) -> str:
    try:
        return data.removeprefix(_UTF8_MARK).decode("utf-8")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        found = quoted(data[error.start : error.start + 20])
        raise FormatError(label, line=line, expected="UTF-8 text", found=found) from error


def _table_lines(text: str) -> Iterator[tuple[int, str]]:
    """Yield the lines of the table with their numbers, the header first, without what stands around it."""
    started = False
    for number, ended in enumerate(text.split("\n"), start=1):
        line = ended.rstrip("\r")
        if started and line.startswith(_END_OF_TABLE):
            return
        if line.strip() and (started or not line.startswith(_BEFORE_TABLES)):
            started = True
            yield number, line


def _split(lines: Sequence[tuple[int, str]], label: str) -> Iterator[tuple[int, list[str]]]:
    """Split rows at tabs, or where the header has none, at commas outside of quotes; yield line and row."""
    if "\t" in lines[0][1]:
        for number, line in lines:
            yield number, [field.strip().strip('"') for field in line.split("\t")]
        return
    reader = WideRows((f"{line}\n" for _, line in lines), widest=_WIDEST_CELL)
    try:
        for row in reader:
            # A cell in quotes may have tabs, and go on in the next line.
            yield lines[reader.line_num - 1][0], [" ".join(field.split()) for field in row]
    except csv.Error as error:
        number = lines[min(reader.line_num, len(lines)) - 1][0]
        raise FormatError(label, line=number, expected="comma-separated fields", found=str(error)) from error


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
    joined = next((gene for gene in genes if _BETWEEN_IDS.search(gene)), None)
    if joined is not None:
        expected = "one Ensembl gene in a cell, or several with /// between them"
        raise FormatError(label, place=f"column {GENE_COLUMN}", expected=expected, found=repr(joined))
    others = [gene for gene in genes if _NO_GENE.match(gene)]
    if others:
        found = f"{len(others):,} of {len(genes):,} ids of transcripts or proteins, as {others[0]}"
        raise FormatError(label, place=f"column {GENE_COLUMN}", expected="Ensembl genes", found=found)
