"""The simulated BeadArrays: which probes they have, what they bind, their quality, and their genes' ids.

Two arrays of one maker and organism: the older has about half of the newer's probes, and some of its own, so
that a file's platform must be told by its ids. The packages and tables about them are in ``bead_packages``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from refinebio_assets.simulate.annotation import letters
from refinebio_assets.simulate.genome import Bases, Genome

PLATFORM, OLDER_PLATFORM = "illuminaSimulatumv2", "illuminaSimulatumv1"
"""Named as Bioconductor names packages: manufacturer, organism, version."""
PROBE_LENGTH = 50
PROBES_OF_A_GENE = 30
"""Of a gene that is long enough."""
CONTROLS = 150
"""Probes of random bases, which match nothing."""
OWN_PROBES = 300
"""Probes that only the older array has."""
QUALITIES = ("Perfect", "Perfect***", "Good", "Good****", "Bad")
NO_MATCH = "No match"
_QUALITY_SHARES = (0.70, 0.14, 0.08, 0.02, 0.06)
_FIRST_PROBE = 9_000_001
_FIRST_ENTREZ = 900_000_001
_SHARED_ENTREZ = 12
"""Every so many genes, one Entrez gene stands for two Ensembl genes, as in real tables."""
_AFFINITY_SD = 0.5

Indices = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class BeadArray:
    """The probes of a simulated BeadArray; no two have the same bases.

    ``probe_ids`` are the array's names for them, in no order of genes. ``bases`` is probes x 50, coded as in
    ``genome``. ``targets`` are places in the genome of the genes that they bind, -1 for none. ``affinities``
    say how brightly a probe shines for its gene, 1 on average.
    """

    platform: str
    probe_ids: tuple[str, ...]
    bases: Bases
    targets: Indices
    qualities: tuple[str, ...]
    affinities: npt.NDArray[np.float64]

    def __len__(self) -> int:
        """How many probes there are."""
        return len(self.probe_ids)

    def sequences(self) -> list[str]:
        """Return the probes' bases as text."""
        text = letters(self.bases).decode()
        return [text[start : start + PROBE_LENGTH] for start in range(0, len(text), PROBE_LENGTH)]

    def take(self, rows: Indices, platform: str) -> BeadArray:
        """Return an array with some of the probes."""
        return BeadArray(
            platform,
            tuple(self.probe_ids[row] for row in rows.tolist()),
            self.bases[rows],
            self.targets[rows],
            tuple(self.qualities[row] for row in rows.tolist()),
            self.affinities[rows],
        )


@dataclass(frozen=True, slots=True)
class GeneIds:
    """What databases call a gene: one Entrez gene, and the Ensembl genes it stands for, its own first."""

    entrez: str
    ensembl: tuple[str, ...]
    symbol: str
    refseq: str


def simulate_bead_arrays(genome: Genome, rng: np.random.Generator) -> tuple[BeadArray, BeadArray]:
    """Choose probes from all genes that are long enough; return the newer array and the older one."""
    chosen = list(_choose_probes(genome, rng))
    random_bases = rng.integers(0, 4, size=(CONTROLS, PROBE_LENGTH)).astype(np.uint8)
    bases = np.concatenate([*(part for _, part in chosen), random_bases])
    targets = np.repeat([gene for gene, _ in chosen] + [-1], [len(part) for _, part in chosen] + [CONTROLS])
    order = rng.permutation(len(bases))
    qualities = rng.choice(QUALITIES, size=len(bases), p=_QUALITY_SHARES)
    qualities[targets < 0] = NO_MATCH
    everything = BeadArray(
        PLATFORM,
        tuple(f"ILMN_{number}" for number in range(_FIRST_PROBE, _FIRST_PROBE + len(bases))),
        bases[order],
        targets[order],
        tuple(str(quality) for quality in qualities[order]),
        rng.lognormal(-(_AFFINITY_SD**2) / 2, _AFFINITY_SD, size=len(bases)),
    )
    newer = np.arange(len(bases) - OWN_PROBES)
    shared = rng.permutation(newer)[: len(newer) // 2]
    older = np.concatenate([np.sort(shared), np.arange(len(newer), len(bases))])
    return everything.take(newer, PLATFORM), everything.take(older, OLDER_PLATFORM)


def gene_ids(genome: Genome) -> tuple[GeneIds, ...]:
    """Return what databases call each gene of the genome; some Entrez genes have two Ensembl genes."""
    accessions = [gene.accession for gene in genome.genes]
    return tuple(
        GeneIds(
            entrez=str(_FIRST_ENTREZ + number),
            ensembl=(gene.accession, *_other(accessions, number)),
            symbol=gene.name,
            refseq=f"NM_{_FIRST_ENTREZ + number}",
        )
        for number, gene in enumerate(genome.genes)
    )


def _other(accessions: list[str], number: int) -> list[str]:
    """Return the second Ensembl gene of an Entrez gene, for some of them."""
    return [accessions[number - 1]] if number and number % _SHARED_ENTREZ == 0 else []


def _choose_probes(genome: Genome, rng: np.random.Generator) -> Iterator[tuple[int, Bases]]:
    """Yield each gene with its probes' bases; probes do not overlap by more than half, none comes twice."""
    taken: set[bytes] = set()
    for number, gene in enumerate(genome.genes):
        target = genome.spliced(gene, gene.transcripts[0])
        starts = rng.permutation(np.arange(0, len(target) - PROBE_LENGTH + 1, PROBE_LENGTH // 2))
        probes = {target[start : start + PROBE_LENGTH].tobytes(): None for start in starts.tolist()}
        new = [probe for probe in probes if probe not in taken][:PROBES_OF_A_GENE]
        taken.update(new)
        if new:
            yield number, np.frombuffer(b"".join(new), np.uint8).reshape(-1, PROBE_LENGTH)
