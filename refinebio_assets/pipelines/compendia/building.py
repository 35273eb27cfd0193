"""Computes a normalized compendium from matrices and writes its store. Which ones is decided elsewhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from refinebio_assets.domain import Dropped
from refinebio_assets.formats.compendium_store import write_store
from refinebio_assets.formats.compendium_store.writing import StoreMatrices
from refinebio_assets.methods.impute.held_out import HeldOutErrors
from refinebio_assets.methods.quantile import UpperHalfCheck
from refinebio_assets.pipelines.compendia.facts import count_measured, gene_table, sample_table
from refinebio_assets.pipelines.compendia.imputing import Compared, Imputed, impute
from refinebio_assets.pipelines.compendia.joining import Joined, join
from refinebio_assets.pipelines.compendia.model import CompendiumSample, CompendiumSettings, SourceMatrix
from refinebio_assets.pipelines.compendia.normalizing import check_normalized, normalize
from refinebio_assets.pipelines.progress import SILENT, Progress


@dataclass(frozen=True, slots=True)
class HeldOutSummary:
    """Errors (root mean squares, log2) on known values that were hidden: ours, and of the gene's mean.

    ``random`` are values hidden one by one, ``block`` all values of a platform hidden together; None where no
    value could be hidden. ``block_bias`` tells by how much values in blocks come out too high. ``compared``
    are refine.bio's method, the gene's mean and ours on the same hidden values of some samples.
    """

    random: float | None
    block: float | None
    gene_mean_random: float | None
    gene_mean_block: float | None
    block_bias: float | None
    hidden_random: int
    hidden_block: int
    compared: tuple[Compared, ...] = ()


@dataclass(frozen=True, slots=True)
class CompendiumFacts:
    """What was made: numbers of genes and samples, what was imputed and how well, and what was left out."""

    genes: tuple[str, ...]
    samples: tuple[CompendiumSample, ...]
    dropped: tuple[Dropped, ...]
    share_missing: float
    imputation: str
    rank: int
    iterations: int
    settled: bool
    held_out: HeldOutSummary | None
    normalized: UpperHalfCheck | None


def build_compendium(
    sources: Sequence[SourceMatrix],
    target: npt.NDArray[np.float64],
    folder: Path,
    scratch: Path,
    *,
    settings: CompendiumSettings,
    about: Mapping[str, Any],
    progress: Progress = SILENT,
) -> CompendiumFacts:
    """Join, filter, impute and normalize matrices, and write the store into ``folder`` (existing, empty).

    ``scratch`` is an existing folder with room for three times the values' size (4 bytes a gene and sample);
    what is left in it is the caller's to remove. ``about`` goes into the store's manifest. Raises
    PermanentError when nothing can be made of the matrices, StorageError when a disk is full.
    """
    joined = join(sources, scratch, memory_limit=settings.memory_limit, progress=progress)
    progress.say(
        f"{len(joined.genes):,} genes and {len(joined.samples):,} samples; "
        f"{joined.missing / (len(joined.genes) * len(joined.samples)):.1%} of their values to impute"
    )
    imputed = impute(joined, scratch, settings)
    rows = joined.plan.rows(len(joined.genes))
    final = normalize(imputed.filled, target, scratch, rows=rows, threads=settings.threads)
    check = check_normalized(final, np.random.default_rng(settings.seed), threads=settings.threads)
    measured = count_measured(joined)
    write_store(
        folder,
        StoreMatrices(joined.measured, imputed.filled, final),
        gene_table(joined, imputed, measured),
        sample_table(joined, measured),
        about={**about, "imputation": str(imputed.method), "rank": imputed.rank},
        block_bytes=joined.plan.block_bytes,
    )
    for matrix in (joined.measured, imputed.filled, final):
        matrix.remove()
    return _facts(joined, imputed, check, measured.share_missing)


def _facts(
    joined: Joined, imputed: Imputed, check: UpperHalfCheck | None, share_missing: float
) -> CompendiumFacts:
    return CompendiumFacts(
        genes=joined.genes,
        samples=joined.samples,
        dropped=joined.dropped,
        share_missing=share_missing,
        imputation=str(imputed.method),
        rank=imputed.rank,
        iterations=imputed.iterations,
        settled=imputed.settled,
        held_out=None if imputed.errors is None else _summary(imputed.errors, imputed.compared),
        normalized=check,
    )


def _summary(errors: HeldOutErrors, compared: tuple[Compared, ...]) -> HeldOutSummary:
    in_block = int(np.count_nonzero(errors.cells.in_block))
    return HeldOutSummary(
        random=_known(errors.random),
        block=_known(errors.block),
        gene_mean_random=_known(errors.gene_mean_random),
        gene_mean_block=_known(errors.gene_mean_block),
        block_bias=_known(errors.block_bias),
        hidden_random=len(errors.cells.in_block) - in_block,
        hidden_block=in_block,
        compared=compared,
    )


def _known(value: float) -> float | None:
    return None if np.isnan(value) else value
