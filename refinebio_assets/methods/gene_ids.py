"""Gene ids of matrices made comparable: suffixes and versions taken off, control probes and repeats resolved.

Arrays in, arrays out. The rules are refine.bio's, but that ``_at`` is taken off the end only (refine.bio
removes it anywhere, and with it letters of ids such as ``my_atoll``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeVar, cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

CONTROL_PROBE = "AFFX-"
"""Found anywhere in the id of an Affymetrix control probe set."""
_PROBE_SET_SUFFIX = r"_at$"
_VERSION = r"\.[^.]*$"

Floats = TypeVar("Floats", bound=npt.NDArray[np.floating[Any]])
Flags = npt.NDArray[np.bool_]
Indices = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True, eq=False)
class SanitizedIds:
    """Ids made comparable, and what became of the rows they were of.

    ``ids`` are those of the rows that ``kept`` marks, in their order; equal ids may come again (see
    ``mean_of_duplicates``). ``controls`` marks rows of control probes, ``nameless`` rows without an id or
    with nothing left of it: together they are the rows that were not kept.
    """

    ids: pa.StringArray
    kept: Flags
    controls: Flags
    nameless: Flags

    @property
    def all_kept(self) -> bool:
        """Whether no row has to be dropped."""
        return bool(self.kept.all())


def sanitize_gene_ids(
    ids: pa.StringArray | pa.ChunkedArray[Any] | list[str] | tuple[str, ...],
) -> SanitizedIds:
    """Return ids as datasets have them, in refine.bio's order of steps.

    White space around is stripped, ``_at`` taken off the end, rows of Affymetrix control probes (``AFFX-``)
    dropped, and what follows the last dot taken off, with the dot: ``ENSG00000000003.14`` becomes
    ``ENSG00000000003``, ``fgenesh2_kg.7__3016__AT5G35080.1`` loses only the ``.1``. A missing id is dropped.
    """
    given = _string_array(ids)
    bare = pc.replace_substring_regex(pc.utf8_trim_whitespace(given), _PROBE_SET_SUFFIX, "")
    controls = _flags(pc.match_substring(bare, CONTROL_PROBE))
    clean = pc.replace_substring_regex(bare, _VERSION, "")
    nameless = ~controls & ~_flags(pc.not_equal(clean, pa.scalar("", pa.string())))
    kept = ~controls & ~nameless
    chosen = clean if kept.all() else clean.take(np.flatnonzero(kept))
    return SanitizedIds(chosen, kept, controls, nameless)


def mean_of_duplicates(ids: pa.StringArray, values: Floats) -> tuple[pa.StringArray, Floats]:
    """Return each distinct id once, in order of first appearance, and the means of its rows.

    ``values`` are rows x samples, or a vector with a value a row, float32 or float64; what comes back has
    the same type and the same columns, and is ``values`` itself where no id comes again. Missing values
    (NaN) are left out of the mean; where nothing else is there, the mean is NaN. Sums are taken in float64.
    """
    if len(ids) != len(values):
        raise ValueError(f"{len(ids):,} ids have {len(values):,} rows of values")
    coded = ids.dictionary_encode()
    if len(coded.dictionary) == len(ids):
        return ids, values
    groups = np.from_dlpack(coded.indices).astype(np.intp)
    order = np.argsort(groups, kind="stable")
    sizes = np.bincount(groups)
    starts = np.cumsum(sizes) - sizes
    result = values[order[starts]]
    repeated = np.flatnonzero(sizes > 1)
    rows = order[np.repeat(sizes > 1, sizes)]
    inner = np.cumsum(sizes[repeated]) - sizes[repeated]
    result[repeated] = _means(values[rows].astype(np.float64), inner)
    return cast(pa.StringArray, coded.dictionary), cast(Floats, result)


def _means(values: npt.NDArray[np.float64], starts: Indices) -> npt.NDArray[np.float64]:
    """Return the mean of each run of rows that begins at ``starts``, NaN left out."""
    present = ~np.isnan(values)
    counts = np.add.reduceat(present, starts, axis=0, dtype=np.int64)
    with np.errstate(invalid="ignore"):  # infinity and minus infinity in one gene
        sums = np.add.reduceat(np.where(present, values, 0.0), starts, axis=0)
    means = np.full(sums.shape, np.nan)
    np.divide(sums, counts, out=means, where=counts > 0)
    return means


def _string_array(ids: Any) -> pa.StringArray:
    if isinstance(ids, pa.ChunkedArray):
        ids = ids.combine_chunks()
    if isinstance(ids, pa.Array):
        return cast(pa.StringArray, ids if pa.types.is_string(ids.type) else ids.cast(pa.string()))
    return pa.array(ids, pa.string())


def _flags(flags: pa.BooleanArray) -> Flags:
    """Return Arrow's bits as a vector; missing ones are False."""
    present, bits = flags.buffers()
    count, offset = len(flags), flags.offset
    values = _bits(bits, offset, count)
    return values if present is None else values & _bits(present, offset, count)


def _bits(data: Any, offset: int, count: int) -> Flags:
    if data is None or not count:
        return np.zeros(count, np.bool_)
    unpacked = np.unpackbits(np.frombuffer(memoryview(data), np.uint8), bitorder="little")
    return unpacked[offset : offset + count].astype(np.bool_)
