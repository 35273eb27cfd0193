"""Brings sequencing to the log2 scale of arrays. Which genes and samples stay is the work of ``choice``."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from refinebio_assets.errors import PermanentError

Block = npt.NDArray[np.floating[Any]]


def log2_abundance(block: Block) -> npt.NDArray[np.float32]:
    """Return log2(x + 1) of abundances as float32, worked out in float64; NaN is missing and stays.

    Raises PermanentError for negative values, which abundances never have.
    """
    if (block < 0).any():
        raise PermanentError(
            f"expected abundances of 0 and more, found {np.nanmin(block):g}: "
            "are the values logarithms already?"
        )
    return np.log2(block.astype(np.float64) + 1.0).astype(np.float32)
