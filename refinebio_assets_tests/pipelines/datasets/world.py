"""A small lake of experiments whose matrices are given, so that datasets can be built without any tool."""

from __future__ import annotations

import gzip
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from refinebio_assets.domain import (
    Experiment,
    Manufacturer,
    Platform,
    Processing,
    Publication,
    Sample,
    Technology,
)
from refinebio_assets.lake.catalog import Catalog
from refinebio_assets.lake.store import Commit, InputRef, Lake
from refinebio_assets.pipelines.datasets.acceptance import accept_request
from refinebio_assets.pipelines.datasets.bundle import build_bundle
from refinebio_assets.pipelines.datasets.dataset_matrices import build_matrices
from refinebio_assets.pipelines.datasets.registry import register_dataset
from refinebio_assets.pipelines.datasets.request import DatasetRequest, parse_request
from refinebio_assets.pipelines.experiment_record import record_experiment
from refinebio_assets.pipelines.expression_matrix import (
    LENGTH_SCALED_TPM,
    SCAN,
    matrix_table,
    matrix_version,
    write_matrix,
)
from refinebio_assets.pipelines.freshness import content_hash
from refinebio_assets.pipelines.harmonized_metadata import harmonize_experiment
from refinebio_assets.pipelines.registry import register_experiment
from refinebio_assets.pipelines.target_quantiles import build_target
from refinebio_assets.pipelines.targets.settings import import_target

ARRAY = Platform(
    "hgu133a", "[HG-U133A] Affymetrix Human Genome U133A Array", Manufacturer.AFFYMETRIX, "GPL96"
)
OTHER_ARRAY = Platform(
    "hgu95av2", "[HG_U95Av2] Affymetrix Human Genome U95 Version 2 Array", Manufacturer.AFFYMETRIX, "GPL8300"
)
SEQUENCER = Platform("IlluminaHiSeq2000", "Illumina HiSeq 2000", Manufacturer.ILLUMINA)
UNPUBLISHED = Publication()
GENES = tuple(f"ENSG{number:011d}" for number in range(1, 61))
TARGET = tuple(np.linspace(0.1, 9.7, 50).tolist())
HUMAN, MOUSE = "HOMO_SAPIENS", "MUS_MUSCULUS"


@dataclass(frozen=True)
class Made:
    """One matrix of an experiment: genes x samples values as ``gene_expression`` keeps them."""

    samples: Sequence[str]
    abundances: np.ndarray
    genes: Sequence[str] = GENES
    technology: Technology = Technology.RNA_SEQ
    platform: Platform = SEQUENCER
    organism: str = HUMAN
    processing: Processing = Processing.FROM_RAW
    level: str = "gene"

    @property
    def name(self) -> str:
        return f"{self.technology.lower()}_{self.platform.accession.lower()}_{self.organism.lower()}"


def rna_seq(samples: Sequence[str], seed: int = 0, **options: Any) -> Made:
    """Return a matrix of plausible abundances."""
    genes = options.get("genes", GENES)
    rng = np.random.default_rng(seed)
    return Made(samples, rng.gamma(0.5, 400, (len(genes), len(samples))).round(2), **options)


def arrays(samples: Sequence[str], seed: int = 0, **options: Any) -> Made:
    """Return a matrix of plausible SCAN values."""
    genes = options.get("genes", GENES)
    values = np.random.default_rng(seed).normal(0.3, 0.8, (len(genes), len(samples)))
    given: dict[str, Any] = {"technology": Technology.MICROARRAY, "platform": ARRAY} | options
    return Made(samples, values, **given)


@dataclass
class World:
    """A lake and what is put into it."""

    folder: Path
    source: str = "GEO"
    metadata: dict[str, Sequence[tuple[str, str]]] = field(default_factory=dict)
    """What the submitter says of samples; of others a title."""

    @classmethod
    def by_species(cls, folder: Path) -> World:
        """Return RNA-seq samples, arrays, a target, and the request ``D`` that joins them by species."""
        made = cls(folder)
        made.add("SRP1", rna_seq(["SRR1", "SRR2"]))
        made.add("GSE1", arrays(["GSM1", "GSM2"], 1))
        made.target()
        made.ask("D", {"SRP1": ["ALL"], "GSE1": ["ALL"]}, aggregate_by="SPECIES")
        return made

    @property
    def lake(self) -> Lake:
        return Lake(str(self.folder / "lake"))

    @property
    def catalog(self) -> Catalog:
        catalog = Catalog(self.lake)
        catalog.sync()
        return catalog

    def add(
        self,
        accession: str,
        *matrices: Made,
        failed: Mapping[str, str] | None = None,
        quant_sf: Mapping[str, bytes] | None = None,
        title: str = "",
        publication: Publication = UNPUBLISHED,
    ) -> None:
        """Add an experiment with these matrices; ``failed`` gives samples without values their reason."""
        failed = failed or {}
        samples = [self._sample(name, made) for made in matrices for name in made.samples]
        samples += [self._sample(name, rna_seq([name])) for name in failed]
        unique = tuple({sample.accession: sample for sample in samples}.values())
        experiment = Experiment(
            accession,
            self.source,
            unique,
            title=title or f"Title of {accession}",
            published="2017-04-25",
            publication=publication,
        )
        register_experiment(self.lake, experiment, origin=self.source)
        record_experiment(self.lake, accession)
        harmonize_experiment(self.lake, accession)
        self._quantified(accession, matrices, failed, quant_sf or {})
        self.express(accession, *matrices, failed=failed)

    def express(self, accession: str, *matrices: Made, failed: Mapping[str, str] | None = None) -> Commit:
        """Commit an experiment's matrices, as a new version where there are some."""
        lake = self.lake
        with lake.draft("gene_expression", accession) as draft:
            rows = []
            for made in matrices:
                unit = LENGTH_SCALED_TPM if made.technology is Technology.RNA_SEQ else SCAN
                table = matrix_table(made.genes, made.samples, made.abundances.astype(np.float64), unit)
                write_matrix(draft.folder / f"{made.name}.parquet", table)
                rows.append(_matrix_row(accession, made, matrix_version(table)))
            draft.write_table("matrices", rows)
            dropped = [_dropped_row(name, reason) for name, reason in (failed or {}).items()]
            draft.write_table("dropped", dropped)
            return draft.commit(
                version=content_hash([row["version"] for row in rows]), code_version="2", info={"basis": {}}
            )

    def target(
        self, organism: str = HUMAN, values: Sequence[float] = tuple(np.linspace(0.1, 9.7, 50))
    ) -> None:
        """Give an organism a target of these values."""
        file = self.folder / f"{organism}.tsv"
        file.write_text("".join(f"{value!r}\n" for value in map(float, values)), encoding="utf-8")
        import_target(self.lake, organism, file, least=1)
        build_target(self.lake, organism)

    def ask(self, dataset: str, data: Mapping[str, Any], **options: Any) -> DatasetRequest:
        """Ask for a dataset, in place of an earlier request with its name."""
        request = parse_request({"data": dict(data), **options})
        accepted = accept_request(self.lake, self.catalog, request)
        return register_dataset(self.lake, accepted, dataset=dataset, update=True).request

    def _sample(self, name: str, made: Made) -> Sample:
        return Sample(
            name,
            made.organism,
            made.technology,
            made.platform,
            metadata=tuple(self.metadata.get(name, [("title", f"title of {name}")])),
            title=f"title of {name}",
        )

    def _quantified(
        self,
        accession: str,
        matrices: Sequence[Made],
        failed: Mapping[str, str],
        quant_sf: Mapping[str, bytes],
    ) -> None:
        lake = self.lake
        rows = [_result_row(accession, name, made) for made in matrices for name in made.samples]
        for row in rows:
            if row["sample"] in quant_sf:
                data = gzip.compress(quant_sf[row["sample"]], mtime=0)
                with lake.draft("sample_quantification", row["sample"]) as draft:
                    (draft.folder / "quant.sf.gz").write_bytes(data)
                    commit = draft.commit(version="1", code_version="1")
                file = commit.file("quant.sf.gz")
                row |= {"file_path": file.path, "file_size": file.size, "file_sha256": file.sha256}
        rows += [
            {"experiment": accession, "sample": name, "verdict": "failed", "reason": reason}
            for name, reason in failed.items()
        ]
        with lake.draft("sample_quantifications", accession) as draft:
            draft.write_table("results", rows)
            draft.write_table("dropped", [_dropped_row(*item) for item in failed.items()])
            draft.commit(
                version=content_hash([[row["sample"], row.get("version")] for row in rows]),
                code_version="1",
                inputs=[InputRef("experiment_record", accession, "1")],
            )


def _result_row(accession: str, sample: str, made: Made) -> dict[str, Any]:
    sequenced = made.technology is Technology.RNA_SEQ
    return {
        "experiment": accession,
        "sample": sample,
        "version": content_hash([sample, made.name, len(made.genes)]),
        "verdict": "processed",
        "processor": "Salmon" if sequenced else "Affymetrix SCAN",
        "processor_version": "1.10.1" if sequenced else "2",
    }


def _matrix_row(accession: str, made: Made, version: str) -> dict[str, Any]:
    return {
        "experiment": accession,
        "matrix": made.name,
        "technology": str(made.technology),
        "platform": made.platform.name,
        "organism": made.organism,
        "genes": len(made.genes),
        "samples": len(made.samples),
        "path": f"{made.name}.parquet",
        "version": version,
        "level": made.level,
        "processing": str(made.processing),
    }


def _dropped_row(item: str, reason: str) -> dict[str, Any]:
    return {"kind": "sample", "item": item, "step": "gene_expression", "reason": reason, "permanent": True}


def changed(made: Made, **changes: Any) -> Made:
    """Return a matrix with something else about it."""
    return replace(made, **changes)


def built(world: World, dataset: str = "D") -> zipfile.ZipFile:
    """Build a dataset and return its bundle."""
    build_matrices(world.lake, dataset)
    commit = build_bundle(world.lake, dataset).commit
    return zipfile.ZipFile(world.lake.local(commit.file(f"{dataset}.zip")))
