"""On which chromosome each gene of a GTF is. Transcripts and exons are read in ``gtf``."""

from __future__ import annotations

from pathlib import Path

from refinebio_assets.errors import FormatError
from refinebio_assets.formats.compressed import plain_lines, quoted

_COLUMNS = 9
_GENE_ID = b'gene_id "'


def read_gene_places(path: Path, *, label: str = "") -> dict[str, str]:
    """Return gene id -> name of its sequence, from the ``gene`` features of a GTF, plain or gzip.

    Ids are without version, pseudogenes are there as well. Raises FormatError, naming the line, for a data
    line without 9 columns or a gene without id, and for a file without genes; NotFoundError when there is no
    file.
    """
    name = label or str(path)
    found: dict[bytes, bytes] = {}
    number = 0
    for lines in plain_lines(path, name):
        for line in lines:
            number += 1
            if not line.strip() or line.startswith(b"#"):
                continue
            fields = line.split(b"\t")
            if len(fields) != _COLUMNS:
                expected = f"{_COLUMNS} tab-separated columns"
                raise FormatError(name, line=number, expected=expected, found=quoted(line))
            if fields[2] == b"gene":
                found[_gene_id(fields[8], name, number)] = fields[0]
    if not found:
        raise FormatError(name, expected="'gene' features", found=f"none in {number:,} lines")
    return {gene.decode(errors="replace"): place.decode(errors="replace") for gene, place in found.items()}


def _gene_id(attributes: bytes, name: str, number: int) -> bytes:
    gene = attributes.partition(_GENE_ID)[2].partition(b'"')[0]
    if not gene:
        raise FormatError(name, line=number, expected='gene_id "..."', found=quoted(attributes))
    return gene
