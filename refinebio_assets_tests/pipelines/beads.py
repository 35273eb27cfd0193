"""The files of a simulated BeadArray's annotation, as the world has them, without the rest of the world."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from refinebio_assets.domain import organism_name
from refinebio_assets.lake.store import Lake
from refinebio_assets.pipelines.references.bead_registry import BeadInputs, register_bead_platform
from refinebio_assets.simulate import organism
from refinebio_assets.simulate.bead_packages import (
    gene_choices_text,
    write_bead_package,
    write_gene_index_table,
    write_organism_package,
)
from refinebio_assets.simulate.beads import BeadArray, gene_ids, simulate_bead_arrays
from refinebio_assets.simulate.genome import simulate_genome

ORGANISM = organism_name(organism.NAME)


@dataclass(frozen=True, slots=True)
class BeadFiles:
    """A newer array and an older one of the same organism, and where the files about them are."""

    folder: Path
    array: BeadArray
    older: BeadArray

    @property
    def package(self) -> str:
        return str(self.folder / "array.tar.gz")

    @property
    def older_package(self) -> str:
        return str(self.folder / "older.tar.gz")

    @property
    def organism_package(self) -> str:
        return str(self.folder / "organism.tar.gz")

    @property
    def gene_choices(self) -> str:
        return str(self.folder / "choices.tsv")

    @property
    def index_table(self) -> str:
        return str(self.folder / "index.tsv.gz")

    def inputs(self, **changes: str) -> BeadInputs:
        files = {
            "package": self.package,
            "organism_package": self.organism_package,
            "gene_choices": self.gene_choices,
        }
        return BeadInputs(self.array.platform, ORGANISM, **(files | changes))

    def register(self, lake: Lake, **changes: str) -> str:
        return register_bead_platform(lake, self.inputs(**changes))


def simulate_bead_files(folder: Path) -> BeadFiles:
    folder.mkdir(parents=True)
    genome = simulate_genome(np.random.default_rng(5))
    array, older = simulate_bead_arrays(genome, np.random.default_rng(6))
    files, genes = BeadFiles(folder, array, older), gene_ids(genome)
    write_bead_package(Path(files.package), array, genes)
    write_bead_package(Path(files.older_package), older, genes)
    write_organism_package(Path(files.organism_package), genes)
    Path(files.gene_choices).write_bytes(gene_choices_text(array, genes))
    write_gene_index_table(Path(files.index_table), genes)
    return files
