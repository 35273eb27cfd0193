"""A small study on disk that tests change and process: quant.sf files, a gene map, a sample sheet."""

from __future__ import annotations

import csv
import os
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from refinebio_assets.lake.catalog import Catalog
from refinebio_assets.lake.store import Lake
from refinebio_assets.pipelines.experiment_record import record_experiment
from refinebio_assets.pipelines.gene_expression import read_expression, summarize_expression
from refinebio_assets.pipelines.harmonized_metadata import harmonize_experiment
from refinebio_assets.pipelines.outcome import Outcome
from refinebio_assets.pipelines.raw_files import collect_raw_files
from refinebio_assets.pipelines.registry import Registration, register_sample_sheet
from refinebio_assets.pipelines.sample_quantifications import quantify_samples

MATRIX = "rna-seq_danio_rerio"
HEADER = "Name\tLength\tEffectiveLength\tTPM\tNumReads\n"
TRANSCRIPTS = [f"T{number:03d}" for number in range(40)]


def quant_sf_text(seed: int, transcripts: list[str] = TRANSCRIPTS) -> str:
    """Return a plausible quant.sf: TPM sum to a million, some transcripts without reads."""
    rng = np.random.default_rng(seed)
    length = rng.integers(300, 3000, len(transcripts))
    effective = length - 150.0
    reads = rng.gamma(0.7, 200, len(transcripts)).round(3)
    rate = reads / effective
    tpm = rate / rate.sum() * 1e6
    rows = zip(transcripts, length, effective, tpm, reads, strict=True)
    return HEADER + "".join(f"{n}\t{a}\t{b:.3f}\t{c:.6f}\t{d:.3f}\n" for n, a, b, c, d in rows)


@dataclass
class Study:
    """A folder with a sheet whose rows a test may change, and the lake it is processed into."""

    folder: Path
    rows: list[dict[str, str]] = field(default_factory=list)
    url: str = ""

    @classmethod
    def of_three(cls, folder: Path) -> Study:
        """Return a study of three samples in ``folder``, not yet registered."""
        study = cls(folder)
        study.add_gene_map()
        for seed, name in enumerate(["S1", "S2", "S3"]):
            study.add_sample(name, seed)
        return study

    @classmethod
    def of_several(cls, folder: Path) -> Study:
        """Return a study of two processed experiments, one with a sample that failed, and one that waits."""
        study = cls.of_three(folder)
        study.add_sample("T1", 7, experiment="OTHER")
        study.add_sample("W1", 8, experiment="WAITING")
        study.write("S3.sf", "nonsense\n")
        study.register()
        study.process("STUDY")
        study.process("OTHER")
        return study

    @property
    def lake(self) -> Lake:
        """The lake the study is processed into."""
        return Lake(self.url or str(self.folder / "lake"), cache=self.folder / "cache")

    @property
    def catalog(self) -> Catalog:
        """The lake's catalog, up to date."""
        catalog = Catalog(self.lake)
        catalog.sync()
        return catalog

    @property
    def sheet(self) -> Path:
        """The sample sheet, written anew from the rows."""
        path = self.folder / "samples.csv"
        columns = list(dict.fromkeys(key for row in self.rows for key in row))
        with path.open("w", newline="", encoding="utf-8") as stream:
            writer = csv.DictWriter(stream, columns)
            writer.writeheader()
            writer.writerows(self.rows)
        return path

    def add_gene_map(self) -> None:
        """Write a map of all but the last transcript: four transcripts a gene."""
        lines = [f"G{number // 4:02d}\t{name}\n" for number, name in enumerate(TRANSCRIPTS[:-1])]
        (self.folder / "genes.tsv").write_text("".join(lines), encoding="utf-8")

    def add_sample(self, name: str, seed: int, experiment: str = "STUDY", **columns: str) -> None:
        """Add a sample with a quant.sf of its own."""
        self.write(f"{name}.sf", quant_sf_text(seed))
        row = {
            "experiment": experiment,
            "sample": name,
            "organism": "Danio rerio",
            "tissue": f"tissue {seed}",
        }
        self.rows.append(row | {"quant_sf": f"{name}.sf", "gene_map": "genes.tsv"} | columns)

    def write(self, name: str, text: str) -> None:
        """Write a file that differs from an earlier one in its modification time too."""
        path = self.folder / name
        before = path.stat().st_mtime_ns if path.exists() else 0
        path.write_text(text, encoding="utf-8")
        if before:
            os.utime(path, ns=(before + 10**9, before + 10**9))

    def register(self, *, qualify_samples: bool = False) -> list[Registration]:
        """Register the sheet."""
        return register_sample_sheet(
            self.lake, Catalog(self.lake), self.sheet, qualify_samples=qualify_samples
        )

    def process(self, experiment: str = "STUDY", *, retry_failed: bool = False) -> dict[str, Outcome]:
        """Run an experiment's chain as the Dagster job does, and return each step's outcome."""
        lake = self.lake
        return {
            "experiment_record": record_experiment(lake, experiment),
            "harmonized_metadata": harmonize_experiment(lake, experiment),
            "raw_files": collect_raw_files(lake, experiment, retry_failed=retry_failed),
            "sample_quantifications": quantify_samples(lake, experiment, retry_failed=retry_failed),
            "gene_expression": summarize_expression(lake, experiment),
        }


def matrix_of(study: Study, experiment: str = "STUDY", name: str = MATRIX) -> dict[str, list[float]]:
    """Return a matrix of an experiment, column by column, the genes first."""
    commit = study.lake.head("gene_expression", experiment)
    assert commit is not None
    return read_expression(study.lake, commit, name).to_pydict()


def results_of(study: Study, experiment: str = "STUDY") -> dict[str, dict[str, object]]:
    """Return the newest result of each sample of an experiment."""
    commit = study.lake.head("sample_quantifications", experiment)
    assert commit is not None
    return {row["sample"]: row for row in study.lake.read_table(commit, "results").to_pylist()}
