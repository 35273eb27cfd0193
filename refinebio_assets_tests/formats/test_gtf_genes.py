"""On which chromosome each gene of a GTF is."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from refinebio_assets.errors import FormatError
from refinebio_assets.formats.gtf_genes import read_gene_places

GENES = (
    '#!genome-build G\n1\tensembl\tgene\t1\t9\t.\t+\t.\tgene_id "ENSG1"; gene_biotype "pseudogene";\n'
    '1\tensembl\texon\t1\t9\t.\t+\t.\tgene_id "ENSG9";\n\n'
    'KI270.1\thavana\tgene\t1\t9\t.\t-\t.\tgene_version "2"; gene_id "ENSG2";\r\n'
)


def read(folder: Path, content: str) -> dict[str, str]:
    path = folder / "genes.gtf.gz"
    path.write_bytes(gzip.compress(content.encode()))
    return read_gene_places(path, label="genes.gtf.gz")


def test_genes_are_found_on_their_sequences_pseudogenes_as_well(tmp_path: Path) -> None:
    assert read(tmp_path, GENES) == {"ENSG1": "1", "ENSG2": "KI270.1"}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("1\tensembl\tgene\n", "line 1: expected 9 tab-separated columns"),
        ("#\n1\te\tgene\t1\t9\t.\t+\t.\tname ENSG1\n", "line 2: expected gene_id"),
        ('1\te\texon\t1\t9\t.\t+\t.\tgene_id "ENSG9";\n', "expected 'gene' features"),
    ],
)
def test_a_gtf_without_genes_or_with_odd_lines_is_refused(tmp_path: Path, content: str, message: str) -> None:
    with pytest.raises(FormatError, match=message):
        read(tmp_path, content)
