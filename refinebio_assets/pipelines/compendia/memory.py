"""Divides a memory limit among what a compendium's computation keeps at a time. It allocates nothing."""

from __future__ import annotations

from dataclasses import dataclass

from refinebio_assets.errors import PermanentError
from refinebio_assets.methods.impute.factor_imputation import PILOT_SAMPLES

_PROCESS = 400 << 20
"""Interpreter, libraries and their buffers."""
_CHUNK = 300 << 20
"""What imputation derives from a chunk of samples."""
_BYTES_A_GENE = 30_000
"""Sums, products and held-out values that imputation keeps for each gene: 600 MB for 20,000 genes."""
_MOST_BLOCK = 32 << 20
"""Larger blocks are not faster, and what the store is written from then exceeds what imputation keeps."""
_LEAST_BLOCK = 1 << 20
_LEAST_PILOT = 200
_BLOCKS = 8
"""Blocks of one layer that writing the store holds at a time, with what Arrow makes of them."""


@dataclass(frozen=True, slots=True)
class MemoryPlan:
    """Values of one layer that are worked on at a time (bytes), and samples that a pilot fit may hold."""

    block_bytes: int
    pilot_samples: int

    def rows(self, genes: int) -> int:
        """Return how many samples of so many genes a block has."""
        return max(1, self.block_bytes // (4 * max(1, genes)))


def plan_memory(limit: int, genes: int) -> MemoryPlan:
    """Return what may be held at a time so that the process stays within ``limit`` bytes.

    Raises PermanentError that says how much is needed when the limit is too small.
    """
    fixed = _PROCESS + _CHUNK + _BYTES_A_GENE * genes
    least = fixed + max(_BLOCKS * _LEAST_BLOCK, 4 * genes * _LEAST_PILOT)
    if limit < least:
        raise PermanentError(
            f"a compendium of {genes:,} genes needs a memory limit of at least {_mebibytes(least)}, "
            f"not {_mebibytes(limit)}"
        )
    left = limit - fixed
    return MemoryPlan(
        block_bytes=min(_MOST_BLOCK, left // _BLOCKS),
        pilot_samples=min(PILOT_SAMPLES, left // (4 * max(1, genes))),
    )


def _mebibytes(size: int) -> str:
    return f"{-(-size // (1 << 20)):,} MiB"
