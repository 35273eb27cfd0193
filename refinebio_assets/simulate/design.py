"""The experiments of the simulated world: who the samples are and how strongly each gene is expressed.

Metadata are as untidy as in real archives: several names for one thing, several spellings, gaps.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from refinebio_assets.simulate.genome import Genome

SILENT_SHARE = 0.1
DIFFERENTIAL_SHARE = 0.2
BIOLOGICAL_CV = 0.15
"""Coefficient of variation of a gene between replicates, about that of inbred animals."""

_SILENT_BIOTYPES = ("IG_D_gene", "snRNA")


FIRST_RUN = 90_000_000
"""Runs and samples are numbered from here, beyond the accessions that the archives have given out."""


@dataclass(frozen=True, slots=True)
class PlannedSample:
    """One sample, sequenced in one run: ``altered`` ones have the experiment's differential genes changed.

    ``number`` counts the samples of all experiments from 1.
    """

    number: int
    altered: bool
    metadata: dict[str, str]

    @property
    def accession(self) -> str:
        """The accession of its run, by which samples go everywhere."""
        return f"SRR{FIRST_RUN + self.number}"

    @property
    def biosample(self) -> str:
        """Its accession at BioSamples."""
        return f"SAMN{FIRST_RUN + self.number}"


@dataclass(frozen=True, slots=True)
class PlannedExperiment:
    """One experiment: its texts, its samples and how they are sequenced; ``project`` is its BioProject.

    ``pubmed_id`` is empty when nothing was published.
    """

    accession: str
    project: str
    pubmed_id: str
    title: str
    description: str
    platform: str
    read_length: int
    paired: bool
    fragments: int
    samples: tuple[PlannedSample, ...]


_TREATED_ROWS = (
    (False, "Female", "12", "vehicle"),
    (False, "F", "11", "vehicle"),
    (False, "male", "12", "DMSO"),
    (True, "Female", "11", "Demonstrone 10 nM"),
    (True, "M", "12", "demonstrone 10 nM"),
    (True, "male ", "", "Demonstrone 10nM"),
)
_GENOTYPE_ROWS = (
    (False, "wild type", "8 weeks", "woman"),
    (False, "WT", "9 weeks", "male"),
    (True, "mutant", "8 weeks", "female"),
    (True, "homozygous mutant", "9 weeks", "not recorded"),
)

EXPERIMENTS = (
    PlannedExperiment(
        accession="SRP900001",
        project="PRJNA90000001",
        pubmed_id="90000001",
        title="Response of the simulated liver to demonstrone",
        description="Hepatocytes of six animals, three treated with demonstrone for 24 hours.",
        platform="Illumina HiSeq 2500",
        read_length=100,
        paired=True,
        fragments=30_000,
        samples=tuple(
            PlannedSample(
                number,
                altered,
                {
                    "title": f"liver_{'treated' if altered else 'control'}_{(number - 1) % 3 + 1}",
                    "tissue": "liver" if number % 2 else "Liver ",
                    "cell type": "hepatocyte",
                    "Sex": sex,
                    "age (years)": age,
                    "treatment": treatment,
                    "time point": "24 h",
                },
            )
            for number, (altered, sex, age, treatment) in enumerate(_TREATED_ROWS, start=1)
        ),
    ),
    PlannedExperiment(
        accession="SRP900002",
        project="PRJNA90000002",
        pubmed_id="",
        title="Cortex of simulated mutants",
        description="Cortex of two wild type and two mutant animals, in single-end reads of 50 bases.",
        platform="Illumina Genome Analyzer II",
        read_length=50,
        paired=False,
        fragments=30_000,
        samples=tuple(
            PlannedSample(
                number,
                altered,
                {
                    "title": f"cortex, {genotype}, rep {2 - number % 2}",
                    "organism part": "cerebral cortex",
                    "gender": gender,
                    "Age": age,
                    "genotype/variation": genotype,
                    "strain": "SIM/J",
                    "disease state": "healthy",
                    "individual": f"animal {number}",
                },
            )
            for number, (altered, genotype, age, gender) in enumerate(_GENOTYPE_ROWS, start=7)
        ),
    ),
)


@dataclass(frozen=True, slots=True)
class Expression:
    """What is true for one experiment.

    ``tpm`` is samples x transcripts, ``log2_fold_change`` one value a gene (altered over not altered, 0
    where nothing changes), both in the order of the genome.
    """

    tpm: npt.NDArray[np.float64]
    log2_fold_change: npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class GeneExpression:
    """What is true for one experiment, gene by gene.

    ``levels`` is samples x genes, 0 where a gene is silent and 1 about the middle of the others;
    ``log2_fold_change`` as in ``Expression``.
    """

    levels: npt.NDArray[np.float64]
    log2_fold_change: npt.NDArray[np.float64]


def simulate_expression(
    genome: Genome, experiment: PlannedExperiment, rng: np.random.Generator
) -> Expression:
    """Draw each gene's level, its change, and how its transcripts share it; then each sample's values."""
    levels = _gene_levels(genome, SILENT_SHARE, rng)
    log2_fold_change = _changes(levels, rng)
    gene_of = np.repeat(np.arange(len(levels)), [len(gene.transcripts) for gene in genome.genes])
    shares = rng.gamma(1.0, size=len(gene_of))
    shares /= np.bincount(gene_of, weights=shares)[gene_of]
    altered = [sample.altered for sample in experiment.samples]
    abundances = _sample_levels(levels, log2_fold_change, altered, rng)[:, gene_of] * shares
    return Expression(1e6 * abundances / abundances.sum(axis=1, keepdims=True), log2_fold_change)


def simulate_gene_expression(
    genome: Genome, altered: Sequence[bool], rng: np.random.Generator, *, silent_share: float
) -> GeneExpression:
    """Draw each gene's level and its change, then each sample's values; ``altered`` has one entry a sample.

    ``silent_share`` of the genes are silent, beside those that always are.
    """
    levels = _gene_levels(genome, silent_share, rng)
    log2_fold_change = _changes(levels, rng)
    return GeneExpression(_sample_levels(levels, log2_fold_change, altered, rng), log2_fold_change)


def _gene_levels(genome: Genome, silent_share: float, rng: np.random.Generator) -> npt.NDArray[np.float64]:
    """Draw one abundance a gene; pseudogenes, very short genes and some others are silent."""
    levels = rng.lognormal(0.0, 1.2, size=len(genome.genes))
    silent = [
        gene.biotype in _SILENT_BIOTYPES or gene.biotype.endswith("pseudogene") for gene in genome.genes
    ]
    levels[np.array(silent) | (rng.random(len(levels)) < silent_share)] = 0.0
    return levels


def _changes(levels: npt.NDArray[np.float64], rng: np.random.Generator) -> npt.NDArray[np.float64]:
    """Draw each gene's log2 fold change, 0 for most and for silent ones."""
    changed = rng.random(len(levels)) < DIFFERENTIAL_SHARE
    sizes = rng.uniform(1.0, 2.5, size=len(levels)) * rng.choice([-1, 1], size=len(levels))
    return np.where(changed & (levels > 0), sizes, 0.0)


def _sample_levels(
    levels: npt.NDArray[np.float64],
    log2_fold_change: npt.NDArray[np.float64],
    altered: Sequence[bool],
    rng: np.random.Generator,
) -> npt.NDArray[np.float64]:
    """Draw the levels of each sample around those of its group, samples x genes."""
    means = levels * 2.0 ** (log2_fold_change * np.array(altered)[:, None])
    shape = BIOLOGICAL_CV**-2
    drawn: npt.NDArray[np.float64] = means * rng.gamma(shape, 1 / shape, size=means.shape)
    return drawn
