"""The annotation of one BeadArray platform, as its reader gives it: probes, sequences, qualities and genes.

Reading packages is in ``illumina_package``, choosing one of several genes in ``illumina_genes``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
import numpy.typing as npt
import pyarrow as pa

BEAD_PROBE_LENGTH = 50
"""Bases of every probe of a BeadArray."""

Letters = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]
Indices = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True, eq=False)
class GenePairs:
    """Which probes have which Ensembl genes: pair i is of the probe in row ``probes[i]`` with ``genes[i]``.

    Sorted by row, then by gene; no pair is there twice. ``release`` is what the genes' source says of its
    age (``2022-Jun28``), empty when it says nothing.
    """

    probes: Indices
    genes: tuple[str, ...]
    release: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class BeadAnnotation:
    """The probes of one BeadArray platform; N rows, in the order of the package's re-annotation.

    ``probe_ids`` are distinct (``ILMN_1651199``). ``sequences`` is uint8[N, 50], ASCII letters; a row of
    zeros is a probe without a sequence of 50 letters, ``odd_sequences`` how many of those have one of another
    length. ``quality`` is the re-annotation's word (``Perfect***``), missing where it has none. ``listed``
    tells which probes are in the package's probe table: they are the ones that platform detection compares.
    ``several_entrez`` marks probes that match more than one Entrez gene, to which R's ``ENSEMBL`` map, and
    with it refine.bio, gives no gene.

    ``gene_pairs`` come through Entrez genes from the organism's package, as in refine.bio; None where it was
    not at hand. ``reannotated_pairs`` come from the re-annotation in the package itself (Barbosa-Morais
    et al. 2010, doi:10.1093/nar/gkp942), which is older.
    """

    probe_ids: pa.StringArray
    sequences: Letters
    odd_sequences: int
    quality: pa.StringArray
    listed: Mask
    several_entrez: Mask
    gene_pairs: GenePairs | None
    reannotated_pairs: GenePairs

    def __len__(self) -> int:
        """How many probes there are."""
        return len(self.sequences)

    @property
    def has_sequence(self) -> Mask:
        """Tell for each probe whether it has a sequence."""
        return self.sequences[:, 0] > 0

    def listed_ids(self) -> pa.StringArray:
        """Return the ids of the package's probe table, R's ``keys``: what platform detection compares."""
        return take_texts(self.probe_ids, np.flatnonzero(self.listed))

    def sequence_texts(self, rows: Indices) -> pa.StringArray:
        """Return the sequences of some probes as texts; empty for a probe without one."""
        lengths = np.where(self.has_sequence[rows], BEAD_PROBE_LENGTH, 0)
        letters = self.sequences[rows][self.has_sequence[rows]].tobytes()
        return _from_lengths(lengths, letters)


def string_array(texts: Sequence[str | None]) -> pa.StringArray:
    """Return texts, None for missing, as an Arrow array. Not ``pa.array``: it imports pandas (2 seconds)."""
    encoded = [(text or "").encode() for text in texts]
    lengths = np.fromiter(map(len, encoded), np.int64, len(encoded))
    missing = np.fromiter((text is None for text in texts), np.bool_, len(encoded))
    return _from_lengths(lengths, b"".join(encoded), missing)


def take_texts(texts: pa.StringArray, rows: Indices) -> pa.StringArray:
    """Return some of an array's texts."""
    buffers = [None, pa.py_buffer(rows.astype(np.int64).tobytes())]
    return texts.take(pa.Array.from_buffers(pa.int64(), len(rows), buffers))


def _from_lengths(
    lengths: npt.NDArray[np.int64], letters: bytes, missing: Mask | None = None
) -> pa.StringArray:
    offsets = np.fromiter(chain((0,), np.cumsum(lengths)), np.int32, len(lengths) + 1)
    valid = None
    if missing is not None and missing.any():
        valid = pa.py_buffer(np.packbits(~missing, bitorder="little").tobytes())
    return pa.StringArray.from_buffers(
        len(lengths), pa.py_buffer(offsets.tobytes()), pa.py_buffer(letters), valid
    )
