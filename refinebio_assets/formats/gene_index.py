"""Gene indexes: which Ensembl gene each probe, symbol, Entrez, UniGene or RefSeq id of a platform has.

Reading and writing the tables (``rae230b.tsv.gz``), also made from an annotation table under other
column names. Converting values with them is the work of ``methods.probe_conversion``.
"""

from __future__ import annotations

import gzip
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any, Literal, TypeAlias, cast

import numpy as np
import pyarrow as pa
import pyarrow.csv

from refinebio_assets.errors import FormatError
from refinebio_assets.formats.compressed import plain_chunks, quoted, read_chunks

GENE_COLUMN = "ENSEMBL"
PROBE_COLUMN = "PROBEID"
MISSING = ("", "NA", "---")
"""What stands for no id: R's name of it, and that of Affymetrix' annotation tables."""
SEVERAL = "///"
"""Between several ids of one cell, in the annotation tables of Affymetrix and GEO."""
_NAMES = {
    "probeid": PROBE_COLUMN,
    "probesetid": PROBE_COLUMN,
    "probesetname": PROBE_COLUMN,
    "probename": PROBE_COLUMN,
    "illuminaid": PROBE_COLUMN,
    "idref": PROBE_COLUMN,
    "id": PROBE_COLUMN,
    "ensembl": GENE_COLUMN,
    "ensemblid": GENE_COLUMN,
    "ensemblgene": GENE_COLUMN,
    "ensemblgeneid": GENE_COLUMN,
    "genestableid": GENE_COLUMN,
    "symbol": "SYMBOL",
    "genesymbol": "SYMBOL",
    "entrez": "ENTREZID",
    "entrezid": "ENTREZID",
    "entrezgene": "ENTREZID",
    "entrezgeneid": "ENTREZID",
    "unigene": "UNIGENE",
    "unigeneid": "UNIGENE",
    "refseq": "REFSEQ",
    "refseqid": "REFSEQ",
    "refseqtranscriptid": "REFSEQ",
    "refseqaccession": "REFSEQ",
}
"""Column names without case and signs, and what they are called in an index."""
INDEX_COLUMNS = frozenset(_NAMES.values())
_NOT_SIGN = re.compile(r"[\W_]+")
Texts: TypeAlias = "pa.DictionaryArray[Any, Any]"
_TEXT = pa.dictionary(pa.int32(), pa.string())
_UTF8_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True, eq=False)
class GeneIndex:
    """Rows of ids that belong together. All columns have the same length and stand in the file's order.

    Each is text (dictionary<int32, string>), null where there is no id; Entrez ids are text as well.
    ``ENSEMBL`` is always among them. A gene or probe has a row for each combination of its ids.
    """

    columns: Mapping[str, Texts]

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return len(self.columns[GENE_COLUMN])


def read_gene_index(path: Path, *, label: str = "") -> GeneIndex:
    """Read a gene index or annotation table: tab-separated with a header, plain or gzip.

    Columns get their names in an index (``Gene Symbol`` is SYMBOL) where they are known, else keep their
    own. Missing ids are empty, ``NA`` or ``---``. Cells with several ids (``a /// b``) become rows.
    ``label`` replaces the path in messages.

    Raises FormatError for no or two ENSEMBL columns, no other column, a row with another number of
    fields, text that is not UTF-8, and no rows; NotFoundError when there is no file.
    """
    name = label or str(path)
    data = b"".join(plain_chunks(read_chunks(path), name)).removeprefix(_UTF8_MARK)
    head, _, body = data.partition(b"\n")
    names = _column_names(head, name)
    if not body.strip():
        raise FormatError(name, line=2, expected="a row for each id", found="the end of the file")
    columns = _parse(body, names, name)
    if SEVERAL.encode() in body:
        columns = _one_id_a_cell(columns)
    return GeneIndex(columns)


def make_gene_index(columns: Mapping[str, Sequence[str | None]]) -> GeneIndex:
    """Make an index from columns of equal length, under the names and missing values of ``read_gene_index``.

    Raises ValueError for columns of other lengths, and without ENSEMBL and one more.
    """
    lengths = {len(ids) for ids in columns.values()}
    names = [index_name(name) for name in columns]
    if len(lengths) != 1 or GENE_COLUMN not in names or len(set(names)) != len(names) or len(names) < 2:
        raise ValueError(f"no gene index: columns {', '.join(columns)}, {len(lengths)} lengths")
    texts = {name: _coded(ids) for name, ids in zip(names, columns.values(), strict=True)}
    return GeneIndex(_one_id_a_cell(texts))


def write_gene_index(path: Path, index: GeneIndex) -> None:
    """Write an index as ``read_gene_index`` reads it: gzip, missing ids ``NA``, the same bytes each time."""
    texts = [_cells(column) for column in index.columns.values()]
    lines = ["\t".join(index.columns)]
    lines += ["\t".join(cell or "NA" for cell in row) for row in zip(*texts, strict=True)]
    path.write_bytes(gzip.compress("\n".join([*lines, ""]).encode("utf-8"), compresslevel=6, mtime=0))


def _column_names(head: bytes, label: str) -> list[str]:
    text = head.decode("utf-8", errors="replace").rstrip("\r").replace('"', "")
    names = [index_name(name) for name in text.split("\t")]
    if len(names) < 2 or names.count(GENE_COLUMN) != 1 or len(set(names)) != len(names):
        expected = f"column names with one {GENE_COLUMN} and {PROBE_COLUMN}, SYMBOL, ENTREZID or others"
        raise FormatError(label, line=1, expected=expected, found=quoted(head))
    return names


def index_name(name: str) -> str:
    """Return what a column of an annotation table is called in an index; its own name where it is in none."""
    bare = _NOT_SIGN.sub("", name.lower())
    return _NAMES.get(bare, name.strip())


def _parse(body: bytes, names: list[str], label: str) -> dict[str, Texts]:
    quote: Literal[False] | str = '"' if b'"' in body else False
    # One block, so that each column has one dictionary.
    read = pa.csv.ReadOptions(use_threads=False, block_size=len(body) + 1, column_names=names)
    convert = pa.csv.ConvertOptions(
        column_types=dict.fromkeys(names, _TEXT), null_values=list(MISSING), strings_can_be_null=True
    )
    try:
        table = pa.csv.read_csv(
            pa.BufferReader(body),  # type: ignore[arg-type]  # the stubs know Python's files only
            read_options=read,
            parse_options=pa.csv.ParseOptions(delimiter="\t", quote_char=quote),
            convert_options=convert,
        )
    except pa.ArrowInvalid as error:
        raise _wrong_row(body, len(names), label, str(error)) from error
    return {name: cast(Texts, table.column(name).chunk(0)) for name in names}


def _wrong_row(body: bytes, width: int, label: str, reason: str) -> FormatError:
    for number, line in enumerate(body.split(b"\n"), start=2):
        fields = line.count(b"\t") + 1
        if line.strip() and fields != width:
            found = f"{fields}: {quoted(line)}"
            return FormatError(label, line=number, expected=f"{width} fields", found=found)
    return FormatError(label, expected="a gene index in UTF-8", found=reason)


def _one_id_a_cell(columns: Mapping[str, Texts]) -> dict[str, Texts]:
    """Give every id of a cell with several a row, beside every gene of its row.

    The ids of different columns are not paired with each other: only gene and id belong together.
    """
    if not any(SEVERAL in str(cell) for column in columns.values() for cell in column.dictionary.to_pylist()):
        return dict(columns)
    names = [name for name in columns if name != GENE_COLUMN]
    texts = {name: [_ids(cell) for cell in _cells(columns[name])] for name in columns}
    rows: dict[str, list[str | None]] = {name: [] for name in columns}
    for row, genes in enumerate(texts[GENE_COLUMN]):
        cells = [texts[name][row] for name in names]
        single = [ids[0] if len(ids) == 1 else None for ids in cells]
        for gene in genes:
            for ids in zip_longest(*cells):
                rows[GENE_COLUMN].append(gene)
                for name, given, alone in zip(names, ids, single, strict=True):
                    rows[name].append(given or alone)
    return {name: _coded(ids) for name, ids in rows.items()}


def _cells(column: Texts) -> list[str | None]:
    names = [str(name) for name in column.dictionary.to_pylist()]
    return [None if code is None else names[code] for code in column.indices.to_pylist()]


def _ids(cell: str | None) -> list[str | None]:
    if cell is None or SEVERAL not in cell:
        return [cell]
    found = [part for part in map(str.strip, cell.split(SEVERAL)) if part not in MISSING]
    return [*dict.fromkeys(found)] or [None]


def _coded(ids: Sequence[str | None]) -> Texts:
    """Return texts as a dictionary array. Not by ``pa.array``, which imports pandas (2 seconds)."""
    texts = ["" if each is None or each.strip() in MISSING else each.strip() for each in ids]
    code_of = {text: code for code, text in enumerate(dict.fromkeys(filter(None, texts)))}
    codes = np.fromiter((code_of.get(text, 0) for text in texts), np.int32, len(texts))
    present = np.packbits(np.fromiter(map(bool, texts), np.bool_, len(texts)), bitorder="little")
    names = [text.encode("utf-8") for text in code_of]
    ends = np.cumsum([0, *map(len, names)], dtype=np.int32)
    dictionary = pa.StringArray.from_buffers(
        len(names), pa.py_buffer(ends.tobytes()), pa.py_buffer(b"".join(names))
    )
    buffers: list[pa.Buffer | None] = [pa.py_buffer(present.tobytes()), pa.py_buffer(codes.tobytes())]
    indices = pa.Int32Array.from_buffers(pa.int32(), len(texts), buffers)
    return pa.DictionaryArray.from_arrays(indices, dictionary)
