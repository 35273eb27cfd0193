"""A whole small world on disk: genome, annotation, reads, sample sheet, archives, and the truth about them.

The same seed gives the same bytes. A world is written under a temporary name and renamed when it is
complete, so that a folder holds a complete world or none.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from refinebio_assets.domain import organism_name
from refinebio_assets.errors import FormatError, RequestError
from refinebio_assets.simulate import archives, organism
from refinebio_assets.simulate.annotation import ASSEMBLY, RELEASE, fasta_text, gtf_text
from refinebio_assets.simulate.bead_packages import (
    INDEX_PLATFORM,
    ORGANISM_PACKAGE,
    VERSION,
    gene_choices_text,
    write_bead_package,
    write_gene_index_table,
    write_organism_package,
)
from refinebio_assets.simulate.beads import (
    OLDER_PLATFORM,
    BeadArray,
    GeneIds,
    gene_ids,
    simulate_bead_arrays,
)
from refinebio_assets.simulate.beads import PLATFORM as BEAD_PLATFORM
from refinebio_assets.simulate.chip import (
    CHIP_TYPE,
    PLATFORM,
    Chip,
    brainarray_text,
    probe_tab_text,
    simulate_chip,
)
from refinebio_assets.simulate.design import EXPERIMENTS, simulate_expression
from refinebio_assets.simulate.genome import Genome, simulate_genome
from refinebio_assets.simulate.measurements import ON_ARRAYS, simulate_measurements
from refinebio_assets.simulate.mirror import INDEX
from refinebio_assets.simulate.packing import write_gzip
from refinebio_assets.simulate.read_files import reads_by_run, write_samples, write_sheet
from refinebio_assets.simulate.reads import Transcriptome

WORLD_FORMAT = 5
"""Raise it when the same seed makes another world, so that old worlds are not reused."""

_MARKER = "world.json"
_TRUTH_COLUMNS = ("sample", "gene", "transcript", "tpm", "fragments")
_ARRAY_COLUMNS = ("sample", "gene", "log2_expression")
_BEAD_STREAM = 800
"""The random stream of the BeadArrays' probes."""
_CHIP_STREAM = 900
"""The chip's random stream; those below belong to RNA-seq, those of measurements are behind it."""


@dataclass(frozen=True, slots=True)
class World:
    """Where the files of a simulated world are.

    ``experiments`` are those of the sample sheet, RNA-seq all; samples go by the accessions of their runs.
    ``truth`` (TSV) has one row per sample and transcript: abundance in TPM and fragments drawn from it.
    ``array_truth`` (TSV) has one row per sample on an array and gene; on the chip only genes that it shows.
    ``differential_genes`` (TSV) has one row per experiment and gene that changes, with its log2 fold change.
    """

    folder: Path
    organism: str
    experiments: tuple[str, ...]

    @property
    def genome(self) -> Path:
        """The chromosomes, FASTA in gzip."""
        return self.folder / f"{organism.NAME.replace(' ', '_')}.{ASSEMBLY}.dna.primary_assembly.fa.gz"

    @property
    def gtf(self) -> Path:
        """The genes, GTF in gzip."""
        return self.folder / f"{organism.NAME.replace(' ', '_')}.{ASSEMBLY}.{RELEASE}.gtf.gz"

    @property
    def sample_sheet(self) -> Path:
        """The samples of all experiments, CSV."""
        return self.folder / "samples.csv"

    @property
    def mirror(self) -> Path:
        """The public archives' answers about the world's experiments, an index for clients to replay."""
        return self.folder / INDEX

    @property
    def archive_accessions(self) -> tuple[str, ...]:
        """The experiments that the mirror answers for: those of the sample sheet, then microarrays."""
        return archives.ACCESSIONS

    @property
    def truth(self) -> Path:
        """Abundance and fragments of every transcript in every sample, TSV."""
        return self.folder / "truth.tsv"

    @property
    def differential_genes(self) -> Path:
        """The genes that change in each experiment, of RNA-seq and on arrays, TSV."""
        return self.folder / "differential_genes.tsv"

    @property
    def array_experiments(self) -> tuple[str, ...]:
        """The archives' experiments on arrays."""
        return tuple(experiment.accession for experiment in ON_ARRAYS)

    @property
    def array_platform(self) -> str:
        """The platform that the simulated chip's CEL files name."""
        return PLATFORM

    @property
    def probe_tab(self) -> Path:
        """All probes of the chip, the manufacturer's table in gzip."""
        return self.folder / "arrays" / f"{CHIP_TYPE}_probe_tab.gz"

    @property
    def brainarray(self) -> Path:
        """The chip's probes by gene, in the format of Brainarray's flat ENSG tables, in gzip."""
        return self.folder / "arrays" / f"{PLATFORM.upper()}_Sd_ENSG_probe_tab.gz"

    @property
    def bead_platform(self) -> str:
        """The package of the simulated BeadArray, as platform detection is to find it."""
        return BEAD_PLATFORM

    @property
    def bead_package(self) -> Path:
        """The annotation package of the BeadArray, as Bioconductor's."""
        return self._package(f"{BEAD_PLATFORM}.db")

    @property
    def older_bead_platform(self) -> str:
        """The package of an older BeadArray with half of the probes."""
        return OLDER_PLATFORM

    @property
    def older_bead_package(self) -> Path:
        """The annotation package of the older BeadArray."""
        return self._package(f"{OLDER_PLATFORM}.db")

    @property
    def bead_organism_package(self) -> Path:
        """The organism's package, which has the Ensembl genes of the Entrez genes."""
        return self._package(f"{ORGANISM_PACKAGE}.db")

    @property
    def bead_gene_choices(self) -> Path:
        """The choice table of the BeadArray: one gene of several for each probe, TSV."""
        return self.folder / "arrays" / f"{BEAD_PLATFORM}_choices.tsv"

    @property
    def gene_index_platform(self) -> str:
        """The microarray that ``gene_index`` is of; its samples come as submitters processed them."""
        return INDEX_PLATFORM

    @property
    def gene_index(self) -> Path:
        """That microarray's probe sets with their genes' ids in several databases, TSV in gzip."""
        return self.folder / "arrays" / f"{INDEX_PLATFORM}_annotation.tsv.gz"

    def _package(self, name: str) -> Path:
        return self.folder / "arrays" / f"{name}_{VERSION}.tar.gz"

    @property
    def array_truth(self) -> Path:
        """The expression of genes in every sample on an array, TSV."""
        return self.folder / "array_truth.tsv"

    def array_expression(self) -> dict[str, dict[str, float]]:
        """Return the log2 expression by sample on an array and gene; a gene that is silent has 0."""
        expression: dict[str, dict[str, float]] = {}
        for sample, gene, value in _read_rows(self.array_truth, _ARRAY_COLUMNS):
            expression.setdefault(sample, {})[gene] = float(value)
        return expression

    def gene_counts(self) -> dict[str, dict[str, int]]:
        """Return the fragments drawn from each gene, by sample and gene: what a perfect count would be."""
        counts: dict[str, dict[str, int]] = {}
        for row in read_truth(self.truth):
            genes = counts.setdefault(row.sample, {})
            genes[row.gene] = genes.get(row.gene, 0) + row.fragments
        return counts


@dataclass(frozen=True, slots=True)
class TruthRow:
    """What is true of one transcript in one sample."""

    sample: str
    gene: str
    transcript: str
    tpm: float
    fragments: int


def read_truth(file: Path) -> list[TruthRow]:
    """Read a world's truth; raises FormatError when the file is something else."""
    rows = _read_rows(file, _TRUTH_COLUMNS)
    return [
        TruthRow(sample, gene, transcript, float(tpm), int(fragments))
        for sample, gene, transcript, tpm, fragments in rows
    ]


def _read_rows(file: Path, columns: tuple[str, ...]) -> Iterator[list[str]]:
    """Yield the rows below the header, which must be these columns."""
    lines = file.read_text(encoding="utf-8").splitlines()
    if not lines or tuple(lines[0].split("\t")) != columns:
        raise FormatError(file, line=1, expected=", ".join(columns), found=repr(lines[:1]))
    return (line.split("\t") for line in lines[1:])


def simulate_world(folder: Path, *, seed: int = 20, progress: Callable[[str], None] | None = None) -> World:
    """Make a world in ``folder``, or return the one that is there if it has this seed and format.

    A world of another seed or format is replaced. ``progress`` is told what is being made.

    Raises RequestError when the folder holds files that are no part of a world.
    """
    tell = progress or _say_nothing
    world = World(
        folder.absolute(), organism_name(organism.NAME), tuple(each.accession for each in EXPERIMENTS)
    )
    if _is_complete(world, seed):
        tell(f"the world in {folder} is complete")
        return world
    _refuse_other_files(world.folder)
    world.folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{folder.name}-", dir=world.folder.parent) as temporary:
        draft = World(Path(temporary) / "world", world.organism, world.experiments)
        _write_world(draft, seed, tell)
        _publish(draft.folder, world, Path(temporary) / "replaced", seed)
    return world


def _say_nothing(_: str) -> None:
    """Stand in for a progress that nobody watches."""


def _marker(world: World, seed: int) -> dict[str, object]:
    files = sorted(path for path in world.folder.rglob("*") if path.is_file() and path.name != _MARKER)
    sizes = {str(path.relative_to(world.folder)): path.stat().st_size for path in files}
    return {"format": WORLD_FORMAT, "seed": seed, "files": sizes}


def _read_marker(folder: Path) -> dict[str, object]:
    try:
        marker = json.loads((folder / _MARKER).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return marker if isinstance(marker, dict) else {}


def _is_complete(world: World, seed: int) -> bool:
    return _read_marker(world.folder) == _marker(world, seed)


def _refuse_other_files(folder: Path) -> None:
    """Keep from replacing a folder in which anybody put anything."""
    if not folder.exists():
        return
    files = _read_marker(folder).get("files")
    known = {_MARKER, *files} if isinstance(files, dict) else set()
    found = {str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir()}
    if not folder.is_dir() or found - known:
        examples = ", ".join(sorted(found - known)[:3]) or "it is a file"
        raise RequestError(f"holds what is no part of a simulated world ({examples})", about=str(folder))


def _publish(draft: Path, world: World, replaced: Path, seed: int) -> None:
    """Put a complete draft in place; keep what another process put there in the meantime."""
    if world.folder.exists() and not _is_complete(world, seed):
        world.folder.rename(replaced)
    try:
        draft.rename(world.folder)
    except OSError:
        if not _is_complete(world, seed):
            raise


def _write_world(world: World, seed: int, tell: Callable[[str], None]) -> None:
    """Write all files into a folder that does not exist yet; the marker is the last of them."""
    for name in ("reads", "arrays"):
        (world.folder / name).mkdir(parents=True)
    tell("genome and annotation")
    genome = simulate_genome(np.random.default_rng([seed, 0]))
    write_gzip(world.genome, fasta_text(genome))
    write_gzip(world.gtf, gtf_text(genome))
    transcriptome = Transcriptome.of([genome.spliced(*pair) for pair in genome.transcripts()])
    truth: list[Sequence[object]] = [_TRUTH_COLUMNS]
    differential: list[Sequence[object]] = [("experiment", "gene", "log2_fold_change")]
    for number, experiment in enumerate(EXPERIMENTS, start=1):
        tell(f"reads of {len(experiment.samples)} samples of {experiment.accession}")
        expression = simulate_expression(genome, experiment, np.random.default_rng([seed, number]))
        differential += _differential_rows(genome, experiment.accession, expression.log2_fold_change)
        truth += write_samples(world.folder, genome, transcriptome, experiment, expression, seed)
    tell(f"arrays of {len(world.array_experiments)} experiments")
    genes = gene_ids(genome)
    chip, array = _write_chip(world, genome, seed), _write_beads(world, genome, genes, seed)
    measured = simulate_measurements(genome, chip, array, seed)
    for accession, changes in measured.changes():
        differential += _differential_rows(genome, accession, changes)
    _write_table(world.array_truth, [_ARRAY_COLUMNS, *measured.truth(genome)])
    _write_table(world.truth, truth)
    _write_table(world.differential_genes, differential)
    write_sheet(world.sample_sheet)
    tell("answers of the archives")
    archives.write_mirror(world.folder, reads_by_run(world.folder), measured, genes, seed)
    marker = json.dumps(_marker(world, seed), indent=1)
    (world.folder / _MARKER).write_text(marker + "\n", encoding="utf-8")


def _differential_rows(
    genome: Genome, accession: str, log2_fold_change: npt.NDArray[np.float64]
) -> list[tuple[str, ...]]:
    changes = zip(genome.genes, log2_fold_change.tolist(), strict=True)
    return [(accession, gene.accession, f"{change:.6f}") for gene, change in changes if change]


def _write_chip(world: World, genome: Genome, seed: int) -> Chip:
    """Write the chip's tables, and return it."""
    chip = simulate_chip(genome, np.random.default_rng([seed, _CHIP_STREAM]))
    write_gzip(world.probe_tab, probe_tab_text(chip))
    write_gzip(world.brainarray, brainarray_text(chip))
    return chip


def _write_beads(world: World, genome: Genome, genes: Sequence[GeneIds], seed: int) -> BeadArray:
    """Write the packages and tables about the BeadArrays; return the newer array."""
    array, older = simulate_bead_arrays(genome, np.random.default_rng([seed, _BEAD_STREAM]))
    write_bead_package(world.bead_package, array, genes)
    write_bead_package(world.older_bead_package, older, genes)
    write_organism_package(world.bead_organism_package, genes)
    world.bead_gene_choices.write_bytes(gene_choices_text(array, genes))
    write_gene_index_table(world.gene_index, genes)
    return array


def _write_table(file: Path, rows: Iterable[Sequence[object]]) -> None:
    file.write_text("".join("\t".join(map(str, row)) + "\n" for row in rows), encoding="utf-8")
