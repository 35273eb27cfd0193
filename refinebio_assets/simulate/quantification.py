"""Quantifications that nobody measured: ``quant.sf`` files of any size, for tests and benchmarks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

SILENT_SHARE = 0.5
"""Share of transcripts without a read; human samples have 40 to 60 %."""

_FRAGMENT_MEAN = 200.0


def simulate_lengths(transcripts: int, rng: np.random.Generator) -> npt.NDArray[np.int64]:
    """Draw transcript lengths in bases, distributed about as those of human transcripts."""
    return np.maximum(np.rint(rng.lognormal(6.9, 0.9, size=transcripts)), 32).astype(np.int64)


def write_quant_sf(
    file: Path,
    names: Sequence[str],
    lengths: npt.NDArray[np.int64],
    *,
    rng: np.random.Generator,
    reads: int = 20_000_000,
) -> None:
    """Write one sample in the columns and number formats of Salmon 1.10.

    Effective length, TPM and number of reads agree with each other; TPM add up to a million.
    """
    effective = np.maximum(lengths - _FRAGMENT_MEAN + rng.normal(0, 5, size=len(lengths)), 1.0)
    tpm = rng.lognormal(0.0, 2.0, size=len(lengths))
    tpm[rng.random(len(lengths)) < SILENT_SHARE] = 0.0
    tpm *= 1e6 / max(tpm.sum(), 1.0)
    weights = tpm * effective
    numbers = reads * weights / max(weights.sum(), 1.0)
    columns = (names, lengths.tolist(), effective.tolist(), tpm.tolist(), numbers.tolist())
    with file.open("w", encoding="utf-8") as handle:
        handle.write("Name\tLength\tEffectiveLength\tTPM\tNumReads\n")
        handle.writelines(
            f"{name}\t{length}\t{effective_length:.3f}\t{value:.6f}\t{number:.3f}\n"
            for name, length, effective_length, value, number in zip(*columns, strict=True)
        )
