"""The genes that more than half of all samples measure: the rows that a compendium is joined on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Places = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class GeneRows:
    """``genes``, sorted by id, that more than half of ``samples`` measure, and the ``rare`` ones with how
    many samples measure them.
    """

    genes: tuple[str, ...]
    rare: Mapping[str, int]
    samples: int


def gene_rows(sources: Iterable[tuple[Sequence[str], int]]) -> GeneRows:
    """Return the rows of a full outer join of matrices, each given by its genes and number of samples.

    A sample measures the genes of its matrix, whatever their values. A gene twice in a matrix counts once.
    """
    counts: Counter[str] = Counter()
    total = 0
    for genes, samples in sources:
        total += samples
        for gene in set(genes):
            counts[gene] += samples
    genes = sorted(gene for gene, count in counts.items() if 2 * count > total)
    rare = {gene: counts[gene] for gene in sorted(counts) if 2 * counts[gene] <= total}
    return GeneRows(tuple(genes), rare, total)


def places_in(rows: Sequence[str], genes: Sequence[str]) -> tuple[Places, Places]:
    """Return where those ``genes`` that are ``rows`` are among the rows, and where among the genes."""
    place = {gene: number for number, gene in enumerate(rows)}
    pairs = [(place[gene], number) for number, gene in enumerate(genes) if gene in place]
    in_rows, in_genes = zip(*pairs, strict=True) if pairs else ((), ())
    return np.array(in_rows, np.intp), np.array(in_genes, np.intp)
