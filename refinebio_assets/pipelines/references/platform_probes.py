"""A microarray's probes and their genes as a ``platform_annotation`` keeps them: in order, and as Parquet.

Cells are (x, y), both from 0, as in a CEL file. What is taken from which of the manufacturer's files is
decided in ``platform_tables``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from refinebio_assets.errors import FormatError
from refinebio_assets.formats.probe_tables import PROBE_LENGTH, Labels, ProbeTable
from refinebio_assets.formats.probe_tables.model import make_labels, make_sequences, sorted_labels
from refinebio_assets.pipelines.versioned_parquet import read_columns, write_columns

Int32s = npt.NDArray[np.int32]

FORMAT_VERSION = "1"
_FORMAT_KEY = b"refinebio_assets.platform_probes"
_SUFFIX = "_at"
_PROBE_COLUMNS = ("x", "y", "sequence", "probe_set", "category")
_GENE_COLUMNS = ("x", "y", "gene")


@dataclass(frozen=True, slots=True, eq=False)
class GeneProbes:
    """Which cell counts for which gene, many to many: a row each, sorted by y, then x, then gene.

    ``x`` and ``y`` are the cell; ``genes`` names ids as they are published (``ENSG00000141510``), without the
    suffix ``_at`` of probe sets. A row that comes twice counts twice. Nothing is missing.
    """

    x: Int32s
    y: Int32s
    genes: Labels

    def __len__(self) -> int:
        """How many rows there are."""
        return len(self.x)


def in_model_order(table: ProbeTable) -> ProbeTable:
    """Return the probes by y, then x, then probe set (stable), as SCAN numbers them."""
    return table.take(np.lexsort((table.probe_sets.codes, table.x, table.y)))


def gene_probes(table: ProbeTable) -> GeneProbes:
    """Return a table whose probe sets are genes (``ENSG00000141510_at``) as genes' probes, in order."""
    bare = [name.removesuffix(_SUFFIX) for name in table.probe_sets.names]
    code_of = {name: code for code, name in enumerate(dict.fromkeys(bare))}
    codes = np.array([code_of[name] for name in bare], np.int32)[table.probe_sets.codes]
    genes = sorted_labels(codes, tuple(code_of))
    order = np.lexsort((genes.codes, table.x, table.y))
    return GeneProbes(table.x[order], table.y[order], genes.take(order))


def cell_keys(table: ProbeTable | GeneProbes) -> npt.NDArray[np.int64]:
    """Return a number for each row that is the same for the same cell, on an array of any size."""
    return (table.y.astype(np.int64) << 32) | table.x


def cell_count(table: ProbeTable | GeneProbes) -> int:
    """Return how many different cells the rows are on."""
    return len(np.unique(cell_keys(table)))


def name_count(labels: Labels) -> int:
    """Return how many different names the rows have."""
    return len(np.unique(labels.codes))


def text_array(labels: Labels) -> pa.StringArray:
    """Return the text of every row, without making a Python text of each."""
    names = pa.array(labels.names, pa.string())
    return cast(pa.StringArray, cast(Any, names).take(_int32_array(labels.codes)))


def content_version(probes: ProbeTable, genes: GeneProbes | None) -> str:
    """Return the SHA-256 of what an annotation holds, however it is stored."""
    digest = hashlib.sha256(f"platform probes {FORMAT_VERSION}".encode())
    _add(digest, probes.x, probes.y, probes.probe_sets)
    digest.update(np.ascontiguousarray(probes.sequences).tobytes())
    if genes is not None:
        _add(digest, genes.x, genes.y, genes.genes)
    return digest.hexdigest()


def write_probes(path: Path, table: ProbeTable) -> None:
    """Write probes, all of 25 bases, as Parquet: x, y, sequence, probe_set, category."""
    category = table.categories
    columns = (
        _int32_array(table.x),
        _int32_array(table.y),
        _sequence_array(table.sequences),
        text_array(table.probe_sets),
        text_array(category) if category is not None else pa.nulls(len(table), pa.string()),
    )
    _write(path, _PROBE_COLUMNS, columns)


def write_genes(path: Path, table: GeneProbes) -> None:
    """Write genes' probes as Parquet: x, y, gene."""
    columns = (_int32_array(table.x), _int32_array(table.y), text_array(table.genes))
    _write(path, _GENE_COLUMNS, columns)


def read_probes(path: Path) -> ProbeTable:
    """Return the probes that ``write_probes`` wrote. Raises FormatError for another file."""
    table = _read(path, _PROBE_COLUMNS, optional=("category",))
    category = table["category"]
    sequences, lengths = make_sequences(table["sequence"])
    if not (lengths == PROBE_LENGTH).all():
        found = f"one of {lengths[lengths != PROBE_LENGTH][0]}"
        raise FormatError(path, expected=f"sequences of {PROBE_LENGTH} bases", found=found)
    return ProbeTable(
        x=_int32s(table["x"]),
        y=_int32s(table["y"]),
        probe_sets=make_labels(table["probe_set"]),
        sequences=sequences,
        lengths=lengths,
        categories=make_labels(category) if not category.null_count else None,
    )


def read_genes(path: Path) -> GeneProbes:
    """Return the genes' probes that ``write_genes`` wrote. Raises FormatError for another file."""
    table = _read(path, _GENE_COLUMNS)
    return GeneProbes(_int32s(table["x"]), _int32s(table["y"]), make_labels(table["gene"]))


def _add(digest: Any, x: Int32s, y: Int32s, labels: Labels) -> None:
    used = np.unique(labels.codes)
    digest.update(len(x).to_bytes(8, "little"))
    digest.update(np.ascontiguousarray(x).tobytes())
    digest.update(np.ascontiguousarray(y).tobytes())
    # Names that no row has do not count, wherever they come from.
    digest.update(np.searchsorted(used, labels.codes).astype(np.int32).tobytes())
    digest.update("\n".join(labels.names[code] for code in used.tolist()).encode())


# pa.array of a NumPy vector and Array.to_numpy both load pandas, which takes 2 s; buffers do not.


def _buffer(values: npt.NDArray[Any]) -> pa.Buffer:
    return pa.py_buffer(cast(Any, values))


def _int32_array(values: Int32s) -> pa.Array[Any]:
    buffer = _buffer(np.ascontiguousarray(values, dtype=np.int32))
    return pa.Array.from_buffers(pa.int32(), len(values), [None, buffer])


def _sequence_array(letters: npt.NDArray[np.uint8]) -> pa.Array[Any]:
    count, length = letters.shape
    offsets = np.arange(count + 1, dtype=np.int32) * np.int32(length)
    buffers = [None, _buffer(offsets), _buffer(np.ascontiguousarray(letters))]
    return pa.Array.from_buffers(pa.string(), count, buffers)


def _write(path: Path, names: Sequence[str], columns: Sequence[pa.Array[Any]]) -> None:
    write_columns(path, names, columns, key=_FORMAT_KEY, version=FORMAT_VERSION)


def _read(path: Path, names: Sequence[str], optional: Sequence[str] = ()) -> Mapping[str, pa.Array[Any]]:
    columns = [(name, pa.int32() if name in ("x", "y") else pa.string()) for name in names]
    return read_columns(
        path, columns, key=_FORMAT_KEY, version=FORMAT_VERSION, optional=optional, what="probes"
    )


def _int32s(array: pa.Array[Any]) -> Int32s:
    return np.frombuffer(cast(Any, array.buffers()[1]), np.int32, len(array), array.offset * 4)
