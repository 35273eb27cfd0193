"""Joins the matrices of a compendium and chooses its genes and samples, some samples at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import numpy as np

from refinebio_assets.domain import DropKind, Dropped, Technology
from refinebio_assets.errors import PermanentError
from refinebio_assets.formats.row_matrix import RowMatrix
from refinebio_assets.methods.compendium.choice import (
    GeneChoice,
    GeneTally,
    choose_genes,
    enough_genes,
    scaled,
)
from refinebio_assets.methods.compendium.gene_rows import GeneRows, gene_rows, places_in
from refinebio_assets.pipelines.compendia.memory import MemoryPlan, plan_memory
from refinebio_assets.pipelines.compendia.model import CompendiumSample, SourceMatrix
from refinebio_assets.pipelines.compendia.room import require_room
from refinebio_assets.pipelines.progress import Progress

STEP = "join"
_BYTES_A_VALUE = 24
"""Room beside the lake: three scratch files of 4 bytes a value, and a store nearly as large (2.8 files)."""


@dataclass(frozen=True, slots=True, eq=False)
class Joined:
    """The joined values on the log2 scale, samples x genes, NaN where nothing was measured.

    ``weak`` are those of ``genes`` whose sequencing values were left out; ``present_in`` counts the samples
    that a gene was present in before samples were chosen, ``missing`` is the number of missing values.
    """

    measured: RowMatrix
    genes: tuple[str, ...]
    samples: tuple[CompendiumSample, ...]
    weak: frozenset[str]
    present_in: tuple[int, ...]
    missing: int
    dropped: tuple[Dropped, ...]
    plan: MemoryPlan


@dataclass(frozen=True, slots=True)
class _Part:
    """Neighboring rows of the raw matrix that are of one source."""

    source: SourceMatrix
    rows: slice
    samples: slice

    @property
    def sequencing(self) -> bool:
        return self.source.technology is Technology.RNA_SEQ


def join(sources: Sequence[SourceMatrix], scratch: Path, *, memory_limit: int, progress: Progress) -> Joined:
    """Join matrices into a scratch file: full outer join, gene filters, log2, sample filter.

    Genes that are in no more than half of the samples' matrices are no rows; of sequencing, the tenth of the
    rows with the smallest sums is left out; genes present in less than 70 % of samples go, then samples with
    less than half of the remaining genes. Zeros of sequencing count as absent in that. What goes is listed.

    Raises PermanentError when a sample is there twice or no gene is left.
    """
    _check_samples(sources)
    found = gene_rows((source.genes, len(source.samples)) for source in sources)
    plan = plan_memory(memory_limit, len(found.genes))
    require_room(scratch, _BYTES_A_VALUE * found.samples * len(found.genes), "the compendium")
    parts = list(_parts(sources, plan.rows(len(found.genes))))
    raw = RowMatrix(scratch / "raw", (found.samples, len(found.genes)), np.float32)
    try:
        choice = choose_genes(_read(parts, found, raw, progress))
        return _choose(parts, found, choice, raw, scratch, plan)
    finally:
        raw.remove()


def _check_samples(sources: Sequence[SourceMatrix]) -> None:
    seen: dict[str, str] = {}
    for source in sources:
        for sample in source.samples:
            if sample in seen:
                raise PermanentError(
                    f"sample {sample} is in a compendium's matrices twice: of {seen[sample]} "
                    f"and of {source.experiment}"
                )
            seen[sample] = source.experiment


def _parts(sources: Sequence[SourceMatrix], rows: int) -> Iterator[_Part]:
    first = 0
    for source in sources:
        for start in range(0, len(source.samples), rows):
            stop = min(start + rows, len(source.samples))
            yield _Part(source, slice(first + start, first + stop), slice(start, stop))
        first += len(source.samples)


def _read(parts: Sequence[_Part], found: GeneRows, raw: RowMatrix, progress: Progress) -> GeneTally:
    """Write all sources' values into one matrix, and count."""
    tally = GeneTally(len(found.genes))
    progress.start(STEP, found.samples, "samples")
    for source, some in groupby(parts, key=lambda part: part.source):
        to, of = places_in(found.genes, source.genes)
        for part in some:
            values = source.read(part.samples)
            block = np.full((len(values), len(found.genes)), np.nan, np.float32)
            block[:, to] = values[:, of]
            _tally(tally, block, part)
            raw[part.rows] = block
            progress.advance(STEP, amount=len(values))
    return tally


def _tally(tally: GeneTally, block: np.ndarray, part: _Part) -> None:
    try:
        tally.add(block, sequencing=part.sequencing)
    except PermanentError as error:
        error.add_note(f"in the matrix of {part.source.experiment} ({part.source.platform})")
        raise


def _choose(
    parts: Sequence[_Part],
    found: GeneRows,
    choice: GeneChoice,
    raw: RowMatrix,
    scratch: Path,
    plan: MemoryPlan,
) -> Joined:
    """Write the kept genes' values of the samples that have enough of them."""
    kept = np.flatnonzero(choice.kept)
    measured = RowMatrix(scratch / "measured", (found.samples, len(kept)), np.float32)
    samples: list[CompendiumSample] = []
    dropped = list(_dropped_genes(found, choice))
    missing = 0
    for part in parts:
        values, present = scaled(raw[part.rows], choice, sequencing=part.sequencing)
        enough = enough_genes(present, len(kept))
        first = len(samples)
        for name, genes, good in zip(
            part.source.samples[part.samples], present.tolist(), enough.tolist(), strict=True
        ):
            if good:
                samples.append(_sample(part.source, name, genes))
            else:
                dropped.append(_too_few(name, genes, len(kept)))
        measured[first : len(samples)] = values[enough]
        missing += int(np.count_nonzero(np.isnan(values[enough])))
    measured.shorten(len(samples))
    genes = tuple(found.genes[place] for place in kept.tolist())
    weak = frozenset(found.genes[place] for place in np.flatnonzero(choice.kept & choice.weak).tolist())
    counts = tuple(choice.present[kept].tolist())
    return Joined(measured, genes, tuple(samples), weak, counts, missing, tuple(dropped), plan)


def _sample(source: SourceMatrix, name: str, genes: int) -> CompendiumSample:
    return CompendiumSample(
        name, source.experiment, source.organism, source.technology, source.platform, genes
    )


def _too_few(name: str, present: int, genes: int) -> Dropped:
    reason = f"has {present:,} of the compendium's {genes:,} genes; at least half are needed"
    return Dropped(DropKind.SAMPLE, name, STEP, reason)


def _dropped_genes(found: GeneRows, choice: GeneChoice) -> Iterator[Dropped]:
    for gene, count in found.rare.items():
        reason = f"measured in {count:,} of {found.samples:,} samples; more than half are needed"
        yield Dropped(DropKind.GENE, gene, STEP, reason)
    for place in np.flatnonzero(~choice.kept).tolist():
        present = int(choice.present[place])
        reason = f"present in {present:,} of {choice.samples:,} samples; at least 70 % are needed"
        if choice.weak[place]:
            reason += (
                "; its sequencing values were left out: their sum is below the tenth percentile "
                f"({choice.least_sum:.4g})"
            )
        yield Dropped(DropKind.GENE, found.genes[place], STEP, reason)
