"""Makes small annotation packages of BeadArrays with the tables of Bioconductor's."""

from __future__ import annotations

import sqlite3
import tarfile
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

Row = Sequence[object]

CHIP = """
CREATE TABLE metadata (name VARCHAR(80) PRIMARY KEY, value VARCHAR(255));
CREATE TABLE accessions (probe_id VARCHAR(80), accession VARCHAR(20));
CREATE TABLE probes (probe_id VARCHAR(80), gene_id VARCHAR(10) NULL, is_multiple SMALLINT NOT NULL);
CREATE TABLE ExtraInfo (IlluminaID TEXT, ArrayAddress TEXT, NuID TEXT, ProbeQuality TEXT, CodingZone TEXT,
    ProbeSequence TEXT, EntrezReannotated TEXT, EnsemblReannotated TEXT, SymbolReannotated TEXT);
"""
ORGANISM = """
CREATE TABLE metadata (name VARCHAR(80) PRIMARY KEY, value VARCHAR(255));
CREATE TABLE genes (_id INTEGER PRIMARY KEY, gene_id VARCHAR(10) NOT NULL UNIQUE);
CREATE TABLE ensembl (_id INTEGER NOT NULL, ensembl_id VARCHAR(20) NOT NULL,
    FOREIGN KEY (_id) REFERENCES genes (_id));
"""


def chip_file(file: Path, *, probes: Sequence[Row], described: Sequence[Row]) -> Path:
    """Write the SQLite file of a chip; ``described`` has id, quality, sequence and re-annotated genes."""
    return _fill(file, CHIP, {
        "INSERT INTO probes VALUES (?, ?, ?)": probes,
        "INSERT INTO ExtraInfo (IlluminaID, ProbeQuality, ProbeSequence, EnsemblReannotated)"
        " VALUES (?, ?, ?, ?)": described,
    })  # fmt: skip


def organism_file(file: Path, genes: Sequence[Row], ensembl: Sequence[Row], date: str = "") -> Path:
    """Write the SQLite file of an organism: Entrez genes with numbers, and the Ensembl ids of the numbers."""
    return _fill(file, ORGANISM, {
        "INSERT INTO genes VALUES (?, ?)": genes,
        "INSERT INTO ensembl VALUES (?, ?)": ensembl,
        "INSERT INTO metadata VALUES ('ENSOURCEDATE', ?)": [(date,)] if date else [],
    })  # fmt: skip


def package(file: Path, sqlite: Path, inside: str) -> Path:
    """Pack an SQLite file as Bioconductor does: a ``tar.gz`` with other files beside it."""
    with tarfile.open(file, "w:gz") as archive:
        archive.add(__file__, arcname=f"{inside.split('/')[0]}/DESCRIPTION")
        archive.add(sqlite, arcname=inside)
    return file


def _fill(file: Path, schema: str, inserts: dict[str, Sequence[Row]]) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(file)) as database:
        database.executescript(schema)
        for statement, rows in inserts.items():
            database.executemany(statement, rows)
        database.commit()
    return file
