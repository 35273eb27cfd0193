"""Writes a compendium's matrices into a zip, and reads them back, some genes at a time."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from refinebio_assets.formats.compendium_store import CompendiumStore, layout
from refinebio_assets.formats.compendium_store.layout import Layer
from refinebio_assets.formats.deterministic_zip import ZipWriter
from refinebio_assets.formats.matrix_tsv import GENE_COLUMN, tsv_header, tsv_lines

_ZERO = ord("0")


def add_values(archive: ZipWriter, name: str, store: CompendiumStore) -> None:
    """Write the normalized values, genes x samples."""
    genes = store.gene_names
    with archive.member(name) as sink:
        sink.write(tsv_header(store.sample_names))
        for some, values in store.gene_blocks(Layer.FINAL):
            sink.write(tsv_lines(genes[some], values))


def add_mask(archive: ZipWriter, name: str, store: CompendiumStore) -> None:
    """Write a matrix of the same shape with 1 where a value was imputed, and 0 elsewhere."""
    genes = store.gene_names
    with archive.member(name) as sink:
        sink.write(tsv_header(store.sample_names))
        for some, values in store.gene_blocks(Layer.IMPUTED):
            for gene, line in zip(genes[some], _lines(~np.isnan(values)), strict=True):
                sink.write(gene.encode() + line)


def _lines(flags: npt.NDArray[np.bool_]) -> Iterator[bytes]:
    rows, columns = flags.shape
    text = np.full((rows, 2 * columns + 1), ord("\t"), np.uint8)
    text[:, 1::2] = flags + np.uint8(_ZERO)
    text[:, -1] = ord("\n")
    for row in text:
        yield row.tobytes()


def gene_table_tsv(store: CompendiumStore) -> bytes:
    """Return what is known of the genes: samples that measure each, share imputed, errors when hidden."""
    table = store.genes
    names = [name for name in table.column_names if name != layout.POSITION]
    lines = ["\t".join([GENE_COLUMN, *names[1:]])]
    for row in zip(*(table.column(name).to_pylist() for name in names), strict=True):
        lines.append("\t".join(_cell(value) for value in row))
    return ("\n".join(lines) + "\n").encode()


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:.6g}" if isinstance(value, float) else str(value)
