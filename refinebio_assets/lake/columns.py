"""The columns from which the lake's tables are declared: one maker a type, and those many tables share."""

from __future__ import annotations

from refinebio_assets.lake.table import Column, ColumnType


def string(name: str, description: str, *, required: bool = True) -> Column:
    """Return a column of text."""
    return Column(name, ColumnType.STRING, description, required)


def strings(name: str, description: str, *, required: bool = True) -> Column:
    """Return a column of lists of text."""
    return Column(name, ColumnType.STRINGS, description, required)


def int64(name: str, description: str, *, required: bool = False) -> Column:
    """Return a column of whole numbers."""
    return Column(name, ColumnType.INT64, description, required)


def float64(name: str, description: str, *, required: bool = False) -> Column:
    """Return a column of numbers."""
    return Column(name, ColumnType.FLOAT64, description, required)


def boolean(name: str, description: str, *, required: bool = False) -> Column:
    """Return a column of truth values."""
    return Column(name, ColumnType.BOOL, description, required)


def timestamp(name: str, description: str, *, required: bool = False) -> Column:
    """Return a column of times in UTC."""
    return Column(name, ColumnType.TIMESTAMP, description, required)


EXPERIMENT = string("experiment", "Accession of the experiment.")
SAMPLE = string("sample", "Accession of the sample.")
ORGANISM = string("organism", "Organism, as in `HOMO_SAPIENS`.")
TECHNOLOGY = string("technology", "`RNA-SEQ` or `MICROARRAY`.")
PLATFORM = string("platform", "Sequencer or microarray, as the source names it.", required=False)
MICROARRAY = string("platform", "What refine.bio calls the microarray, as `hgu133a`.")
REASON = string("reason", "Why, when it did not succeed.", required=False)
PERMANENT = boolean("permanent", "Whether trying again would give the same answer.")
SIZE = int64("size", "Size in bytes.")
MD5 = string("md5", "MD5 of the content.", required=False)
SHA256 = string("sha256", "SHA-256 of the content.", required=False)
