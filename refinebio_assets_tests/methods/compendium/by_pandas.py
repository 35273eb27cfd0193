"""A compendium's join and filters written after their specification with whole pandas frames."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd


@dataclass
class Simulated:
    """A matrix (genes x samples) and whether it is sequencing."""

    frame: pd.DataFrame
    sequencing: bool


def outer(frames: list[pd.DataFrame], genes: list[str]) -> pd.DataFrame:
    """Return the full outer join of frames by gene, with these rows."""
    joined = pd.concat(frames, axis=1) if frames else pd.DataFrame(index=genes)
    return joined.reindex(genes)


def compendium_by_pandas(sources: list[Simulated]) -> pd.DataFrame:
    """Return genes x samples after steps 1 to 4: joined, filtered, on the log2 scale, NaN where missing."""
    total = sum(source.frame.shape[1] for source in sources)
    measured = pd.concat([pd.Series(source.frame.shape[1], index=source.frame.index) for source in sources])
    counts = measured.groupby(level=0).sum()
    genes = sorted(counts.index[counts > total / 2])
    arrays = outer([source.frame for source in sources if not source.sequencing], genes)
    reads = outer([source.frame for source in sources if source.sequencing], genes)
    zeros = pd.DataFrame(False, index=genes, columns=reads.columns)
    if reads.shape[1]:
        sums = reads.sum(axis=1)
        reads = reads[sums >= np.percentile(sums, 10)]
        reads = np.log2(reads.astype(np.float64) + 1).astype(np.float32)
        zeros = reads.eq(0)
        reads = reads.mask(zeros)
    joined = arrays.join(reads, how="outer") if reads.shape[1] else arrays
    joined = joined[joined.notna().sum(axis=1) * 10 >= 7 * total]
    joined = joined.loc[:, joined.notna().sum(axis=0) * 2 >= len(joined)]
    for sample in joined.columns:
        if sample in zeros.columns:
            places = zeros.index[zeros[sample]].intersection(joined.index)
            joined.loc[places, sample] = 0.0
    return joined.astype(np.float32).replace([np.inf, -np.inf], np.nan)
