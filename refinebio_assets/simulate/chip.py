"""The simulated microarray: which probes it has, what they bind, where they lie; its tables as text.

A stand-in for Affymetrix's HG-U133A, whose name it bears so that platforms are found as for real arrays. It
is a small array of the simulated organism, with a matching probe a cell and none with a mismatch, as arrays
have been made since HuGene. What shines when RNA is put on it is in ``hybridization``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from refinebio_assets.simulate.annotation import letters
from refinebio_assets.simulate.genome import Bases, Genome

CHIP_TYPE = "HG-U133A"
PLATFORM = "hgu133a"
"""The chip type as platforms are named everywhere else."""
SIDE = 128
"""Cells along each side."""
PROBE_LENGTH = 25
PROBES_OF_A_SET = 11
PROBE_SETS = 1_100
"""12,100 probes: SCAN needs 5,000, and treats the last ones apart where it is no multiple of that."""
MOST_SETS_OF_A_GENE = 7
"""Leaves at least 106 of the sets for controls, with 142 genes."""

_WORDS_OF_A_SET = 150
"""A gene has a set for so many places where a probe could lie; very short genes have none."""
_FIRST_SET = 900_001
_INTERROGATED = PROBE_LENGTH // 2 + 1
_AFFINITY_SD = 0.5
"""Of the natural logarithm, so that one probe in ten is twice as bright as the gene's average."""

Indices = npt.NDArray[np.int64]
_POWERS = 4 ** np.arange(PROBE_LENGTH, dtype=np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class Bindings:
    """Which probe binds which gene, by exact match of all its bases; sorted by gene, then position.

    ``probes`` are rows of the chip, ``genes`` places in the genome, ``positions`` the probe's middle base
    in the gene's first transcript, from 1. A probe that two genes share is there twice.
    """

    probes: Indices
    genes: Indices
    positions: Indices


@dataclass(frozen=True, slots=True, eq=False)
class Chip:
    """The probes of the chip, set by set, ``PROBES_OF_A_SET`` each; no two have the same bases.

    ``bases`` is probes x 25, coded as in ``genome``. ``positions`` are those of the middle base in the
    target, from 1. ``cells`` are ``y * SIDE + x``. ``affinities`` say how brightly a probe shines for its
    gene, 1 on average. ``genes`` are the accessions of all genes of the genome.
    """

    probe_sets: tuple[str, ...]
    bases: Bases
    positions: Indices
    cells: Indices
    affinities: npt.NDArray[np.float64]
    bindings: Bindings
    genes: tuple[str, ...]

    @property
    def bound_genes(self) -> list[int]:
        """The places in the genome of the genes that the chip has probes for."""
        return [int(gene) for gene in np.unique(self.bindings.genes)]


def simulate_chip(genome: Genome, rng: np.random.Generator) -> Chip:
    """Choose probes from all genes that are long enough, add controls of random bases, lay them out.

    Probes are of the sense strand, as what is put on the chip is antisense, and of a gene's first
    transcript, which has all exons.
    """
    targets = [genome.spliced(gene, gene.transcripts[0]) for gene in genome.genes]
    chosen = list(_choose_probes(targets, rng))
    controls = PROBE_SETS * PROBES_OF_A_SET - sum(len(bases) for bases, _ in chosen)
    bases = [part for part, _ in chosen]
    bases.append(rng.integers(0, 4, size=(controls, PROBE_LENGTH)).astype(np.uint8))
    starts = [part for _, part in chosen]
    starts.append(np.tile(np.arange(PROBES_OF_A_SET) * PROBE_LENGTH, controls // PROBES_OF_A_SET))
    probes = np.concatenate(bases)
    bindings = _find_bindings(_words(probes), targets)
    affinities = rng.lognormal(-(_AFFINITY_SD**2) / 2, _AFFINITY_SD, size=len(probes))
    return Chip(
        _name_sets(bindings),
        probes,
        np.concatenate(starts) + _INTERROGATED,
        rng.permutation(_inner_cells())[: len(probes)],
        affinities,
        bindings,
        tuple(gene.accession for gene in genome.genes),
    )


def probe_tab_text(chip: Chip) -> bytes:
    """Return the manufacturer's table of all probes, ``*_probe_tab``."""
    header = (
        *("Probe Set Name", "Probe X", "Probe Y", "Probe Interrogation Position"),
        *("Probe Sequence", "Target Strandedness"),
    )
    names = [name for name in chip.probe_sets for _ in range(PROBES_OF_A_SET)]
    y, x = np.divmod(chip.cells, SIDE)
    columns = (names, x.tolist(), y.tolist(), chip.positions.tolist(), _sequences(chip))
    rows = zip(*columns, strict=True)
    return _table(header, (f"{n}\t{i}\t{j}\t{p}\t{s}\tAntisense\n" for n, i, j, p, s in rows))


def brainarray_text(chip: Chip) -> bytes:
    """Return the probes by gene in the format of Brainarray's ENSG tables; controls are not in it."""
    header = (
        *("sequence", "x", "y", "Probe.Set.Name"),
        *("Probe.Interrogation.Position", "Target.Strandedness"),
    )
    bindings, sequences = chip.bindings, _sequences(chip)
    y, x = np.divmod(chip.cells[bindings.probes], SIDE)
    columns = (bindings.probes, x, y, bindings.genes, bindings.positions)
    rows = zip(*(column.tolist() for column in columns), strict=True)
    return _table(
        header, (f"{sequences[n]}\t{i}\t{j}\t{chip.genes[g]}_at\t{p}\tAntisense\n" for n, i, j, g, p in rows)
    )


def _choose_probes(targets: list[Bases], rng: np.random.Generator) -> Iterator[tuple[Bases, Indices]]:
    """Yield each gene's probes and where they start in it, from its 5' end; no probe comes twice."""
    taken: set[int] = set()
    for target in targets:
        words = _words(_windows(target))
        distinct, first = np.unique(words, return_index=True)
        places = first[~np.isin(distinct, list(taken))]
        probes = min(MOST_SETS_OF_A_GENE, len(places) // _WORDS_OF_A_SET) * PROBES_OF_A_SET
        starts = np.sort(rng.permutation(places)[:probes])
        taken.update(words[starts].tolist())
        yield _windows(target)[starts], starts


def _find_bindings(probes: Indices, targets: list[Bases]) -> Bindings:
    """Find all genes that have a probe's bases anywhere, each once."""
    parts = [np.unique(_words(_windows(target)), return_index=True) for target in targets]
    words = np.concatenate([part for part, _ in parts])
    starts = np.concatenate([part for _, part in parts])
    genes = np.repeat(np.arange(len(parts)), [len(part) for part, _ in parts])
    order = np.argsort(probes)
    found = order[np.searchsorted(probes, words, sorter=order).clip(max=len(probes) - 1)]
    bound = np.flatnonzero(probes[found] == words)
    bound = bound[np.lexsort((starts[bound], genes[bound]))]
    return Bindings(found[bound], genes[bound], starts[bound] + _INTERROGATED)


def _windows(target: Bases) -> Bases:
    """Return all runs of a probe's length, runs x bases."""
    if len(target) < PROBE_LENGTH:
        return np.zeros((0, PROBE_LENGTH), np.uint8)
    return np.lib.stride_tricks.sliding_window_view(target, PROBE_LENGTH)


def _words(bases: Bases) -> Indices:
    """Return a number for each row of 25 bases."""
    words: Indices = bases.astype(np.int64) @ _POWERS
    return words


def _name_sets(bindings: Bindings) -> tuple[str, ...]:
    """Name sets as their maker does: ``_s_at`` if all probes bind several genes, ``_x_at`` if a few."""
    genes_of = np.bincount(bindings.probes, minlength=PROBE_SETS * PROBES_OF_A_SET)
    names = []
    for number, genes in enumerate(genes_of.reshape(-1, PROBES_OF_A_SET), start=_FIRST_SET):
        if not genes.any():
            names.append(f"AFFX-SIM-{number}_at")
        else:
            names.append(f"{number}{'_s' if (genes > 1).all() else '_x' if (genes > 1).any() else ''}_at")
    return tuple(names)


def _inner_cells() -> Indices:
    """Return all cells but those at the edges, which are for aligning the grid."""
    cells = np.arange(SIDE * SIDE).reshape(SIDE, SIDE)
    return cells[1:-1, 1:-1].ravel()


def _sequences(chip: Chip) -> list[str]:
    text = letters(chip.bases).decode()
    return [text[start : start + PROBE_LENGTH] for start in range(0, len(text), PROBE_LENGTH)]


def _table(header: tuple[str, ...], rows: Iterator[str]) -> bytes:
    return ("\t".join(header) + "\n" + "".join(rows)).encode()
