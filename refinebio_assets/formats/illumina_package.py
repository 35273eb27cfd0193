"""Bioconductor's annotation packages of Illumina BeadArrays, read from the SQLite inside the ``tar.gz``.

A package (``illuminaHumanv4.db_1.26.0.tar.gz``) holds two tables that count here::

    probes(probe_id, gene_id, is_multiple)     Entrez genes; is_multiple = 1 where a probe has several
    ExtraInfo(IlluminaID, ProbeQuality, ProbeSequence, EnsemblReannotated, ...)     all TEXT

It has no Ensembl ids of today: R joins the Entrez genes to the organism's package (``org.Hs.eg.db``), which
has ``genes(_id, gene_id)`` and ``ensembl(_id, ensembl_id)``. So does this, when it is given. A package that
holds those two tables itself needs no other. Where packages are published is said in ``platforms``.

Source: AnnotationDbi 1.60's schema 2.1 and ``NCBICHIP_DB_SeedGenerator``; the packages' build script for
``ExtraInfo``.
"""

from __future__ import annotations

import re
import sqlite3
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import numpy as np

from refinebio_assets.errors import FormatError
from refinebio_assets.formats.compressed import quoted
from refinebio_assets.formats.illumina_annotation import (
    BEAD_PROBE_LENGTH,
    BeadAnnotation,
    GenePairs,
    Letters,
    string_array,
)
from refinebio_assets.formats.probe_tables.opening import table_chunks

_MEMBER = re.compile(r"(^|/)extdata/[^/]+\.sqlite$", re.IGNORECASE)
_SQLITE_MAGIC = b"SQLite format 3\x00"
_NEEDED = {
    "probes": ("probe_id", "gene_id", "is_multiple"),
    "ExtraInfo": ("IlluminaID", "ProbeQuality", "ProbeSequence", "EnsemblReannotated"),
}
_OF_GENES = {"genes": ("_id", "gene_id"), "ensembl": ("_id", "ensembl_id")}
_BETWEEN_IDS = re.compile(r"[^A-Za-z0-9_.]+")
_NO_VALUE = ("", "NA")
_PROBES = "SELECT CAST(probe_id AS TEXT), MAX(is_multiple <> 0) FROM main.probes GROUP BY 1"
_ENSEMBL_OF_PROBES = """
    SELECT DISTINCT CAST(probes.probe_id AS TEXT), CAST(ensembl.ensembl_id AS TEXT) FROM main.probes AS probes
    JOIN {source}.genes AS genes ON genes.gene_id = probes.gene_id
    JOIN {source}.ensembl AS ensembl ON ensembl._id = genes._id
    WHERE probes.probe_id IS NOT NULL AND probes.is_multiple = 0
"""
Rows = list[tuple[str | None, ...]]


def read_bead_package(
    package: Path, organism_package: Path | None = None, *, label: str = "", organism_label: str = ""
) -> BeadAnnotation:
    """Read the annotation of a BeadArray platform.

    ``package`` is the package as published, source or binary, or its SQLite file alone (plain or
    compressed); ``organism_package`` the same of the organism, for its Ensembl ids. ``label`` and
    ``organism_label`` name the packages in errors.

    Raises FormatError for what is no such package or damaged, for a table or column that is not there, for a
    probe that is described twice in different ways, and when no probe has a sequence. NotFoundError when
    there is no file.
    """
    name = label or package.name
    with _database(package, name) as database:
        _require(database, "main", _NEEDED, name)
        probes = _rows(database, _PROBES, name)
        columns = ", ".join(f"CAST({column} AS TEXT)" for column in _NEEDED["ExtraInfo"])
        described = _described(_rows(database, f"SELECT {columns} FROM main.ExtraInfo", name), name)
        pairs = _ensembl_pairs(database, organism_package, name, organism_label)
    return _annotation(probes, described, pairs, name)


def _ensembl_pairs(
    database: sqlite3.Connection, organism_package: Path | None, name: str, organism_label: str
) -> tuple[Rows, str] | None:
    """Return probes with their Ensembl ids and the ids' date; None when there is no source of them."""
    if organism_package is None:
        if not set(_OF_GENES) <= _tables(database, "main", name):
            return None
        return _joined(database, "main", name)
    label = organism_label or organism_package.name
    with _sqlite_file(organism_package, label) as file:
        try:
            database.execute("ATTACH DATABASE ? AS organism", (_address(file),))
        except sqlite3.DatabaseError as error:
            raise _damaged(label, error) from error
        found = _joined(database, "organism", label)
        database.execute("DETACH DATABASE organism")
    return found


def _joined(database: sqlite3.Connection, source: str, name: str) -> tuple[Rows, str]:
    _require(database, source, _OF_GENES, name)
    pairs = _rows(database, _ENSEMBL_OF_PROBES.format(source=source), name)
    if "metadata" not in _tables(database, source, name):
        return pairs, ""
    date = _rows(database, f"SELECT value FROM {source}.metadata WHERE name = 'ENSOURCEDATE'", name)
    return pairs, (date[0][0] or "") if date else ""


def _annotation(
    probes: Rows,
    described: Mapping[str, Sequence[str]],
    pairs: tuple[Rows, str] | None,
    name: str,
) -> BeadAnnotation:
    listed = {probe for probe, _ in probes if probe}
    ids = [*described, *sorted(listed - described.keys())]
    row_of = {probe: row for row, probe in enumerate(ids)}
    blank = ("", "", "")
    qualities, texts, ensembl = zip(*(described.get(probe, blank) for probe in ids), strict=True)
    sequences, odd = _sequences(texts, name)
    several = [row_of[probe] for probe, multiple in probes if probe and multiple]
    reannotated = ((probe, gene) for probe, text in zip(ids, ensembl, strict=True) for gene in _ids_in(text))
    return BeadAnnotation(
        probe_ids=string_array(ids),
        sequences=sequences,
        odd_sequences=odd,
        quality=string_array([quality or None for quality in qualities]),
        listed=np.fromiter((probe in listed for probe in ids), np.bool_, len(ids)),
        several_entrez=np.isin(np.arange(len(ids)), several),
        gene_pairs=_pairs(pairs[0], row_of, pairs[1]) if pairs else None,
        reannotated_pairs=_pairs(reannotated, row_of),
    )


def _described(rows: Rows, name: str) -> dict[str, tuple[str, ...]]:
    """Return quality, sequence and re-annotated genes of each probe, in the table's order."""
    found: dict[str, tuple[str, ...]] = {}
    for probe, *values in rows:
        if not probe:
            continue
        described = tuple("" if value is None or value in _NO_VALUE else value for value in values)
        if found.setdefault(probe, described) != described:
            raise FormatError(
                name, place=f"probe {probe}", expected="one row in ExtraInfo", found="several that differ"
            )
    if not found:
        raise FormatError(name, expected="probes in the table ExtraInfo", found="none")
    return found


def _sequences(texts: Sequence[str], name: str) -> tuple[Letters, int]:
    """Return the letters of the 50-mers, and how many sequences have another length."""
    letters = np.zeros((len(texts), BEAD_PROBE_LENGTH), np.uint8)
    encoded = [text.encode() for text in texts]
    lengths = np.fromiter(map(len, encoded), np.intp, len(encoded))
    whole = np.flatnonzero(lengths == BEAD_PROBE_LENGTH)
    if not len(whole):
        example = next((text for text in encoded if text), b"")
        found = f"none; the first sequence is {quoted(example)}" if example else "no sequence at all"
        raise FormatError(name, expected=f"probes of {BEAD_PROBE_LENGTH} bases in ProbeSequence", found=found)
    joined = b"".join(encoded[row] for row in whole.tolist())
    letters[whole] = np.frombuffer(joined, np.uint8).reshape(len(whole), BEAD_PROBE_LENGTH)
    return letters, int(np.count_nonzero(lengths)) - len(whole)


def _pairs(pairs: Iterable[Sequence[str | None]], row_of: Mapping[str, int], release: str = "") -> GenePairs:
    """Return the pairs of probes with genes in order, each once."""
    whole = {(row_of[probe], gene) for probe, gene in pairs if probe and gene}
    ordered = sorted(whole)
    rows = np.fromiter((row for row, _ in ordered), np.intp, len(ordered))
    return GenePairs(rows, tuple(gene for _, gene in ordered), release)


def _ids_in(text: str) -> list[str]:
    return [each for each in _BETWEEN_IDS.split(text) if each not in _NO_VALUE]


@contextmanager
def _database(package: Path, name: str) -> Iterator[sqlite3.Connection]:
    """Open the SQLite file of a package for reading."""
    with _sqlite_file(package, name) as file, closing(sqlite3.connect(_address(file), uri=True)) as database:
        yield database


@contextmanager
def _sqlite_file(package: Path, name: str) -> Iterator[Path]:
    """Give the SQLite file of a package, unpacked; it is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="annotation-") as folder:
        file = Path(folder) / "annotation.sqlite"
        with table_chunks(package, name, _MEMBER) as chunks, file.open("wb") as target:
            target.writelines(chunks)
        with file.open("rb") as opened:
            start = opened.read(len(_SQLITE_MAGIC))
        if start != _SQLITE_MAGIC:
            found = quoted(start) if start else "an empty file"
            raise FormatError(name, expected="an SQLite file, or a package with one", found=found)
        yield file


def _address(file: Path) -> str:
    """Return SQLite's address of a file that is read only and that nobody else changes."""
    return f"{file.as_uri()}?mode=ro&immutable=1"


def _require(
    database: sqlite3.Connection, source: str, needed: Mapping[str, Sequence[str]], name: str
) -> None:
    """Raise FormatError unless these tables have these columns."""
    tables = _tables(database, source, name)
    for table, columns in needed.items():
        if table not in tables:
            shown = ", ".join(sorted(tables))[:200] or "no table"
            raise FormatError(name, expected=f"the table {table}", found=shown)
        present = {str(row[1]) for row in _rows(database, f"PRAGMA {source}.table_info({table})", name)}
        if missing := [column for column in columns if column not in present]:
            expected = f"the columns {', '.join(missing)}"
            raise FormatError(
                name, place=f"table {table}", expected=expected, found=", ".join(sorted(present))
            )


def _tables(database: sqlite3.Connection, source: str, name: str) -> set[str]:
    rows = _rows(database, f"SELECT name FROM {source}.sqlite_master WHERE type = 'table'", name)
    return {str(row[0]) for row in rows}


def _rows(database: sqlite3.Connection, query: str, name: str) -> Rows:
    try:
        return database.execute(query).fetchall()
    except sqlite3.DatabaseError as error:
        raise _damaged(name, error) from error


def _damaged(name: str, error: sqlite3.DatabaseError) -> FormatError:
    return FormatError(name, expected="a sound SQLite file", found=f"damage ({error})")
