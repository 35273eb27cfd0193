"""What is published about the simulated BeadArrays: annotation packages, a choice table, a gene index.

Packages are laid out as Bioconductor's: a ``tar.gz`` with an SQLite file in which R and others look.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import closing
from pathlib import Path

from refinebio_assets.simulate.beads import BeadArray, GeneIds
from refinebio_assets.simulate.organism import NAME
from refinebio_assets.simulate.packing import gzip_bytes, tar_bytes, write_gzip

ORGANISM_PACKAGE = "org.Sd.eg"
INDEX_PLATFORM = "hgu133plus2"
"""The array whose samples come as submitters processed them; the index has probe sets of its own."""
VERSION = "1.0.0"
_DATE = "2026-Jan05"
_CHIP = """
CREATE TABLE metadata (name VARCHAR(80) PRIMARY KEY, value VARCHAR(255));
CREATE TABLE accessions (probe_id VARCHAR(80), accession VARCHAR(20));
CREATE TABLE probes (probe_id VARCHAR(80), gene_id VARCHAR(10) NULL, is_multiple SMALLINT NOT NULL);
CREATE TABLE ExtraInfo (IlluminaID TEXT, ArrayAddress TEXT, NuID TEXT, ProbeQuality TEXT, CodingZone TEXT,
    ProbeSequence TEXT, EntrezReannotated TEXT, EnsemblReannotated TEXT, SymbolReannotated TEXT);
"""
_ORGANISM = """
CREATE TABLE metadata (name VARCHAR(80) PRIMARY KEY, value VARCHAR(255));
CREATE TABLE genes (_id INTEGER PRIMARY KEY, gene_id VARCHAR(10) NOT NULL UNIQUE);
CREATE TABLE ensembl (_id INTEGER NOT NULL, ensembl_id VARCHAR(20) NOT NULL,
    FOREIGN KEY (_id) REFERENCES genes (_id));
"""
_MULTIPLE_ENTREZ = 97
"""Every so many probes, one matches a second Entrez gene as well."""
_UNDECIDED = 40
"""Of the probes with several genes, every so many are not in the choice table."""
Rows = Iterable[Sequence[object]]


def write_bead_package(file: Path, array: BeadArray, genes: Sequence[GeneIds]) -> None:
    """Write the annotation package of an array; ``genes`` are those of the genome."""
    content = _sqlite_bytes(
        _CHIP,
        {
            "INSERT INTO metadata VALUES (?, ?)": [("DBSCHEMA", "SIMULATUMCHIP_DB"), ("ORGANISM", NAME)],
            "INSERT INTO probes VALUES (?, ?, ?)": _probe_rows(array, genes),
            "INSERT INTO ExtraInfo (IlluminaID, ProbeQuality, ProbeSequence, EnsemblReannotated,"
            " SymbolReannotated) VALUES (?, ?, ?, ?, ?)": _extra_rows(array, genes),
        },
    )
    _write_package(file, f"{array.platform}.db", array.platform, content)


def write_organism_package(file: Path, genes: Sequence[GeneIds]) -> None:
    """Write the organism's package: Entrez genes and their Ensembl genes."""
    numbered = list(enumerate(genes, start=1))
    content = _sqlite_bytes(
        _ORGANISM,
        {
            "INSERT INTO metadata VALUES (?, ?)": [("ORGANISM", NAME), ("ENSOURCEDATE", _DATE)],
            "INSERT INTO genes VALUES (?, ?)": [(number, gene.entrez) for number, gene in numbered],
            "INSERT INTO ensembl VALUES (?, ?)": [
                (number, ensembl) for number, gene in numbered for ensembl in gene.ensembl
            ],
        },
    )
    _write_package(file, f"{ORGANISM_PACKAGE}.db", ORGANISM_PACKAGE, content)


def gene_choices_text(array: BeadArray, genes: Sequence[GeneIds]) -> bytes:
    """Return the choice table: most probes with several genes, each with the one that it binds."""
    several = [
        (probe, genes[target].ensembl[0])
        for probe, target in zip(array.probe_ids, array.targets.tolist(), strict=True)
        if target >= 0 and len(genes[target].ensembl) > 1
    ]
    decided = [f"{probe}\t{gene}\n" for number, (probe, gene) in enumerate(several) if number % _UNDECIDED]
    return ("probe_id\tensembl_id\n" + "".join(decided)).encode()


def write_gene_index_table(file: Path, genes: Sequence[GeneIds]) -> None:
    """Write the annotation table of another array: a probe set a gene, with ids of several databases."""
    header = "Probe Set ID\tEnsembl\tGene Symbol\tEntrez Gene\tRefSeq\n"
    rows = (
        f"{probe_set}\t{' /// '.join(gene.ensembl)}\t{gene.symbol}\t{gene.entrez}\t{gene.refseq}\n"
        for probe_set, gene in zip(index_probe_sets(len(genes)), genes, strict=True)
    )
    write_gzip(file, (header + "".join(rows)).encode())


def index_probe_sets(number: int) -> list[str]:
    """Return the names of the probe sets in the gene index's table, one a gene."""
    return [f"{1_900_001 + gene}_at" for gene in range(number)]


def _probe_rows(array: BeadArray, genes: Sequence[GeneIds]) -> Rows:
    """Yield probes with their Entrez gene, some with two."""
    probes = zip(array.probe_ids, array.targets.tolist(), strict=True)
    for number, (probe, target) in enumerate(probes, start=1):
        if target < 0:
            yield probe, None, 0
            continue
        multiple = int(number % _MULTIPLE_ENTREZ == 0)
        yield probe, genes[target].entrez, multiple
        if multiple:
            yield probe, genes[(target + 1) % len(genes)].entrez, multiple


def _extra_rows(array: BeadArray, genes: Sequence[GeneIds]) -> Rows:
    rows = zip(array.probe_ids, array.qualities, array.sequences(), array.targets.tolist(), strict=True)
    for probe, quality, sequence, target in rows:
        gene = genes[target] if target >= 0 else None
        yield probe, quality, sequence, *((gene.ensembl[0], gene.symbol) if gene else ("NA", "NA"))


def _sqlite_bytes(schema: str, inserts: dict[str, Rows]) -> bytes:
    with closing(sqlite3.connect(":memory:")) as database:
        database.executescript(schema)
        for statement, rows in inserts.items():
            database.executemany(statement, rows)
        database.commit()
        return bytes(database.serialize())


def _write_package(file: Path, package: str, database: str, content: bytes) -> None:
    about = f"Package: {package}\nTitle: Simulated annotation\nVersion: {VERSION}\n"
    members = {
        f"{package}/DESCRIPTION": about.encode(),
        f"{package}/inst/extdata/{database}.sqlite": content,
    }
    file.write_bytes(gzip_bytes(tar_bytes(members)))
