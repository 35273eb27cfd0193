"""A small experiment whose samples are in tables, of BeadArrays or submitters' values, and its references."""

from __future__ import annotations

import gzip
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa

from refinebio_assets.formats.illumina_annotation import string_array
from refinebio_assets.lake.rows import read_rows
from refinebio_assets.pipelines.outcome import Outcome, require_head
from refinebio_assets.pipelines.references.bead_annotation import ASSET, PAIRS_FILE, PROBES_FILE
from refinebio_assets.pipelines.references.bead_probes import BeadGenePairs, BeadProbes
from refinebio_assets.pipelines.references.bead_registry import KIND
from refinebio_assets.pipelines.references.gene_index import (
    GeneIndexInputs,
    build_gene_index,
    register_gene_index,
)
from refinebio_assets_tests.pipelines.study import Study

PROBES = 1_300
ORGANISM = "Simulatum demonstrans"
NAMES = ("liver_1", "liver_2")


@dataclass(frozen=True, eq=False)
class Beads:
    """Probes of an array: distinct 50-mers, two of a gene; and how bright they are in a sample."""

    ids: list[str]
    sequences: list[str]
    genes: list[str]

    @classmethod
    def random(cls, probes: int = PROBES, first: int = 1) -> Beads:
        """Return random probes, numbered from ``first``."""
        rng = np.random.default_rng(first)
        letters = rng.choice(list("ACGT"), size=(probes, 50))
        ids = [f"ILMN_{first + number}" for number in range(probes)]
        return cls(
            ids, ["".join(row) for row in letters], [f"ENSG{number // 2:05d}" for number in range(probes)]
        )

    def signals(self, seed: int) -> tuple[np.ndarray, np.ndarray]:
        """Return plausible intensities, all above 0, and p-values that fall with them."""
        rng = np.random.default_rng([seed, len(self.ids)])
        effect = np.array([sum(map(text.count, "CG")) for text in self.sequences]) * 0.02
        expressed = rng.lognormal(5, 1.2, len(self.ids)) * (rng.random(len(self.ids)) < 0.5)
        signals = (rng.normal(100, 12, len(self.ids)) * 2**effect + expressed).clip(20).round(1)
        controls = np.sort(rng.normal(110, 14, 700))
        return signals, (1 - np.searchsorted(controls, signals) / 700).round(5)


def annotate(study: Study, name: str, beads: Beads, organism: str = "SIMULATUM_DEMONSTRANS") -> None:
    """Put an annotation into the lake: all probes are perfect and listed, and have one gene."""
    every = string_array(["Perfect"] * len(beads.ids))
    probes = BeadProbes(
        probe_ids=string_array(beads.ids),
        listed=pa.array([True] * len(beads.ids)),
        sequences=string_array(beads.sequences),
        qualities=every,
        genes=string_array(beads.genes),
        gene_reasons=every,
        gene_pairs=BeadGenePairs(string_array(beads.ids), string_array(beads.genes)),
    )
    with study.lake.draft(ASSET, name) as draft:
        probes.write(draft.folder / PROBES_FILE, draft.folder / PAIRS_FILE)
        info = {"kind": KIND, "organism": organism}
        draft.commit(version=probes.content_version(), code_version="1", info=info)


def index_genes(study: Study, platform: str, table: Path) -> None:
    """Make a gene index of a table."""
    register_gene_index(study.lake, GeneIndexInputs(platform, str(table)))
    build_gene_index(study.lake, platform)


@dataclass
class TableStudy(Study):
    """A study whose sheet names tables; ``beads`` are what its BeadArray table has."""

    beads: Beads = field(default_factory=Beads.random)

    def add_table_sample(self, name: str, role: str, file: str, **columns: str) -> None:
        """Add a sample whose values are in a table of this role."""
        row = {"experiment": "STUDY", "sample": name, "organism": ORGANISM, role: file}
        self.rows.append(row | columns)

    def write_beads(
        self, name: str = "beads.txt", *, columns: Mapping[str, Sequence[object]] | None = None
    ) -> Path:
        """Write a table of the array's probes; ``columns`` replace or add some, or take them away (empty)."""
        table: dict[str, Sequence[object]] = {"ID_REF": self.beads.ids}
        for seed, sample in enumerate(NAMES):
            signals, p_values = self.beads.signals(seed)
            table[f"{sample}.AVG_Signal"] = signals.tolist()
            table[f"{sample}.Detection Pval"] = p_values.tolist()
        table |= columns or {}
        kept = {header: values for header, values in table.items() if len(values)}
        lines = ["\t".join(kept), *("\t".join(map(str, row)) for row in zip(*kept.values(), strict=True))]
        path = self.folder / name
        path.write_bytes(gzip.compress("\n".join([*lines, ""]).encode(), mtime=0))
        return path

    def results(self) -> dict[str, dict[str, object]]:
        """Return the newest row of each sample."""
        return {str(row["sample"]): row for row in self.rows_of("results")}

    def rows_of(self, table: str) -> list[dict[str, object]]:
        """Return the rows of a table of the newest quantifications."""
        return read_rows(self.lake, require_head(self.lake, "sample_quantifications", "STUDY"), table)

    def matrices(self) -> dict[str, dict[str, object]]:
        """Return the rows of the newest matrices, by name."""
        rows = read_rows(self.lake, require_head(self.lake, "gene_expression", "STUDY"), "matrices")
        return {str(row["matrix"]): row for row in rows}

    def run(self, *, retry_failed: bool = False) -> dict[str, Outcome]:
        """Register the sheet and process the experiment."""
        self.register()
        return self.process(retry_failed=retry_failed)


def bead_study(folder: Path) -> TableStudy:
    """Return a study of two samples of one BeadArray table, with the table and its annotation."""
    study = TableStudy(folder)
    study.write_beads()
    for name in NAMES:
        study.add_table_sample(name, "beadarray", "beads.txt")
    annotate(study, "illuminaSimulatumv2", study.beads)
    return study
