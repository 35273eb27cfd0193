"""A submitter's values to gene values: foreign ids to Ensembl genes, means of genes, the log2 scale.

Arrays in, arrays out. The rules are refine.bio's (its ``gene_convert.R`` and its aggregation); where it
crashes or loses values without a word the better behavior is documented at the function. Reading tables
is the work of ``formats.processed_table``, gene indexes that of ``formats.gene_index``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from refinebio_assets.errors import PermanentError
from refinebio_assets.methods.gene_ids import mean_of_duplicates
from refinebio_assets.methods.log_scale import LOG_SCALE_LIMIT, log2_or_missing
from refinebio_assets.methods.scan.summary import match_cells

GENE_COLUMN = "ENSEMBL"
OVERLAP_LIMIT = 0.5
"""Share of the submitted rows that must be found in one column of the index; this share itself passes."""
_SCANNER_LIMIT = 20.0
"""The log2 of what a scanner of 16 bits reads is at most 16; 20 leaves room for scaling."""
_FEW = 0.001
_MANY_NEGATIVE = 0.05
_EXAMPLES = 3

Texts: TypeAlias = "pa.DictionaryArray[Any, Any]"
Vector = npt.NDArray[np.float64]
Indices = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True, eq=False)
class IdColumn:
    """One column of a prepared index: ``codes`` numbers its distinct ids, in their order in the index.

    ``id_codes[i]`` and ``gene_codes[i]`` are the distinct pairs of id and gene, in the index's order;
    pairs without an id or a gene are left out.
    """

    codes: Mapping[str, int]
    id_codes: Indices
    gene_codes: Indices


@dataclass(frozen=True, slots=True, eq=False)
class PreparedIndex:
    """A gene index made ready to convert many samples: its columns by name, and its distinct genes."""

    genes: tuple[str, ...]
    columns: Mapping[str, IdColumn]


@dataclass(frozen=True, slots=True, eq=False)
class Conversion:
    """Values by gene: a row for each gene of each submitted row, in the index's order.

    ``rows[i]`` is the submitted row that ``genes[i]`` and ``values[i]`` come from: one with several genes
    is there several times, and a gene with several probes has several rows (see ``mean_by_gene``).
    ``id_column`` is the column of the index that was recognized, ``overlap`` its share (0 to 1) and
    ``overlaps`` that of every column. ``unmapped`` are the submitted rows that gave no gene.
    """

    genes: tuple[str, ...]
    values: Vector
    rows: Indices
    id_column: str
    overlap: float
    overlaps: Mapping[str, float]
    unmapped: Indices


@dataclass(frozen=True, slots=True)
class Log2Evidence:
    """Whether a sample's values are on a log scale, and what tells so.

    ``values`` counts finite values; the statistics are theirs, on the submitter's scale, NaN without any.
    ``doubts`` are sentences: signs that point the other way.
    """

    on_log_scale: bool
    reason: str
    doubts: tuple[str, ...]
    values: int
    minimum: float
    median: float
    percentile_99: float
    maximum: float
    share_negative: float
    share_above_limit: float


def prepare_index(columns: Mapping[str, Texts]) -> PreparedIndex:
    """Make a gene index ready: columns of text of equal length, null where missing, one of them ENSEMBL.

    Raises ValueError without ENSEMBL and for columns of other lengths.
    """
    if GENE_COLUMN not in columns or len({len(column) for column in columns.values()}) != 1:
        raise ValueError(f"no gene index: columns {', '.join(columns) or 'none'}")
    gene_codes = _codes(columns[GENE_COLUMN])
    prepared = {name: _id_column(column, gene_codes) for name, column in columns.items()}
    return PreparedIndex(tuple(_names(columns[GENE_COLUMN])), prepared)


def id_overlaps(ids: Sequence[str], index: PreparedIndex) -> dict[str, float]:
    """Return for each column of the index the distinct ids found in it, as a share of all ids given.

    Ids are compared as text, exactly; duplicates and empty ids count among all. 0 for no ids.
    """
    distinct = set(ids) - {""}
    return {
        name: len(distinct & column.codes.keys()) / max(len(ids), 1) for name, column in index.columns.items()
    }


def convert_to_genes(ids: Sequence[str], values: Vector, index: PreparedIndex) -> Conversion:
    """Convert one sample's values, one for each id (NaN where missing), to Ensembl genes.

    The ids are those of the column of the index with the largest overlap (``id_overlaps``), the first of
    equal ones. Each distinct pair of gene and id there is joined to the rows with that id, as refine.bio's
    ``gene_convert.R`` does; unlike there, ids that are numbers (Entrez) are compared as text, and a
    missing id or gene of the index matches nothing.

    Raises PermanentError, with the overlaps and examples, when no column reaches ``OVERLAP_LIMIT``;
    ValueError where ids and values differ in number.
    """
    if values.shape != (len(ids),):
        raise ValueError(f"{len(ids):,} ids have {values.shape} values")
    overlaps = id_overlaps(ids, index)
    best = max(overlaps, key=lambda name: overlaps[name])
    if overlaps[best] < OVERLAP_LIMIT:
        raise _not_enough_overlap(ids, overlaps, index)
    column = index.columns[best]
    coded = np.fromiter((column.codes.get(each, -1) for each in ids), np.intp, len(ids))
    rows, pairs = match_cells(coded, column.id_codes)
    genes = tuple([index.genes[code] for code in column.gene_codes[pairs].tolist()])
    unmapped = np.setdiff1d(np.arange(len(ids)), rows)
    return Conversion(genes, values[rows], rows, best, overlaps[best], overlaps, unmapped)


def mean_by_gene(genes: Sequence[str], values: Vector) -> tuple[tuple[str, ...], Vector]:
    """Return the distinct genes, sorted, and the mean of each one's values (one or more rows a gene).

    Missing values (NaN) are left out of the mean; a gene without any other is NaN. Arithmetic means on
    the scale given: refine.bio takes them when samples are aggregated, before any log2.
    """
    if values.shape != (len(genes),):
        raise ValueError(f"{len(genes):,} genes have {values.shape} values")
    names, means = mean_of_duplicates(pa.array(genes, pa.string()), values)
    texts = [str(name) for name in names.to_pylist()]
    order = sorted(range(len(texts)), key=texts.__getitem__)
    return tuple(texts[place] for place in order), means[order]


def detect_log2(values: Vector) -> Log2Evidence:
    """Tell whether one sample's values are on a log scale: unless any finite one is above 100.

    The rule is refine.bio's and decides alone. Signs against it are ``doubts``, to be shown: no more than
    one value in 1,000 above 100 beside values of a log scale, many negative values beside large ones,
    and values on a log scale beyond what a scanner reads. Missing and infinite values do not count.
    """
    finite = values[np.isfinite(values)]
    if not len(finite):
        nan = float("nan")
        return Log2Evidence(True, "there are no values", (), 0, nan, nan, nan, nan, 0.0, 0.0)
    low, median, high, maximum = (float(each) for each in np.percentile(finite, (0, 50, 99, 100)))
    negative, above = float((finite < 0).mean()), float((finite > LOG_SCALE_LIMIT).mean())
    on_log_scale = maximum <= LOG_SCALE_LIMIT
    comparison = "none is" if on_log_scale else "at least one is"
    return Log2Evidence(
        on_log_scale=on_log_scale,
        reason=f"{comparison} above {LOG_SCALE_LIMIT:g}: the largest is {maximum:g}",
        doubts=tuple(_doubts(on_log_scale, negative, above, high, maximum)),
        values=len(finite),
        minimum=low,
        median=median,
        percentile_99=high,
        maximum=maximum,
        share_negative=negative,
        share_above_limit=above,
    )


def to_log2(values: Vector) -> tuple[Vector, int]:
    """Return log2 of the values, and how many had none: zero and negative values become missing (NaN).

    refine.bio leaves -inf for zero, which no later step can use. NaN stays NaN and is not counted.
    """
    logs, without = log2_or_missing(values)
    return logs.astype(np.float64, copy=False), int(without.sum())


def quality_problems(values: Vector) -> tuple[str, ...]:
    """Return what makes one sample's gene values unusable, in sentences; nothing for usable ones.

    Problems: no finite value, fewer finite than missing ones, and one and the same value everywhere.
    """
    finite = values[np.isfinite(values)]
    if not len(finite):
        return (f"none of {len(values):,} values is a finite number",)
    problems = []
    if 2 * len(finite) < len(values):
        problems.append(f"only {len(finite):,} of {len(values):,} values are finite numbers")
    if finite.min() == finite.max():
        problems.append(f"all {len(finite):,} values are the same, {float(finite[0]):g}")
    return tuple(problems)


def _id_column(column: Texts, gene_codes: Indices) -> IdColumn:
    ids = _codes(column)
    whole = (ids >= 0) & (gene_codes >= 0)
    ids, genes = ids[whole], gene_codes[whole]
    _, first = np.unique(ids.astype(np.int64) << 32 | genes, return_index=True)
    first.sort()
    codes = {name: code for code, name in enumerate(_names(column)) if name}
    return IdColumn(codes, ids[first], genes[first])


def _codes(column: Texts) -> Indices:
    """Return each row's number in the column's dictionary, -1 where there is no id.

    Read from the buffers: ``fill_null`` imports pandas (2 seconds).
    """
    indices = column.indices.cast(pa.int32())
    present, data = indices.buffers()
    rows = slice(indices.offset, indices.offset + len(indices))
    codes = np.frombuffer(memoryview(data), np.int32)[rows].astype(np.intp) if data else np.empty(0, np.intp)
    if present is not None:
        bits = np.unpackbits(np.frombuffer(memoryview(present), np.uint8), bitorder="little")[rows]
        codes[bits == 0] = -1
    return codes


def _names(column: Texts) -> list[str]:
    return [str(name) for name in column.dictionary.to_pylist()]


def _not_enough_overlap(
    ids: Sequence[str], overlaps: Mapping[str, float], index: PreparedIndex
) -> PermanentError:
    shares = ", ".join(f"{name} {share:.1%}" for name, share in overlaps.items())
    examples = ", ".join(map(repr, ids[:_EXAMPLES])) or "none"
    hint = _version_hint(ids, index)
    return PermanentError(
        f"fewer than {OVERLAP_LIMIT:.0%} of {len(ids):,} submitted ids are in one column of the gene index "
        f"({shares}); they begin with {examples}{hint}"
    )


def _version_hint(ids: Sequence[str], index: PreparedIndex) -> str:
    """Say so where the ids would be found without the version after their last dot."""
    trimmed = id_overlaps([each.rpartition(".")[0] for each in ids], index)
    best = max(trimmed, key=lambda name: trimmed[name])
    if trimmed[best] < OVERLAP_LIMIT:
        return ""
    return f". Without the version after the dot {trimmed[best]:.1%} are in {best}"


def _doubts(on_log_scale: bool, negative: float, above: float, high: float, maximum: float) -> list[str]:
    doubts = []
    if not on_log_scale and above <= _FEW and high <= _SCANNER_LIMIT:
        doubts.append(f"99 % of the values are at most {high:g}: few outliers decide")
    if not on_log_scale and negative > _MANY_NEGATIVE:
        doubts.append(f"{negative:.1%} of the values are negative and have no log2")
    if on_log_scale and maximum > _SCANNER_LIMIT:
        doubts.append(f"the largest value, {maximum:g}, is beyond the log2 of what a scanner reads")
    return doubts
