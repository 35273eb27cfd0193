"""Decides which samples of an experiment are summarized together, and with which reference.

RNA-seq samples share a matrix when they share an organism and a reference (an index or a gene map),
whatever the sequencer: lengthScaledTPM scales by all samples of the matrix.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from refinebio_assets.domain import Experiment, FileRole, Sample, Verdict, distinct
from refinebio_assets.errors import NotFoundError, PermanentError
from refinebio_assets.formats.gene_map import GeneMap, read_gene_map
from refinebio_assets.lake.store import Lake, StoredFile
from refinebio_assets.pipelines.array_matrix import is_array_processor
from refinebio_assets.pipelines.raw_file import RawFile
from refinebio_assets.pipelines.raw_files import files_by_sample
from refinebio_assets.pipelines.read_quantification import QUANT_FILE
from refinebio_assets.pipelines.references.transcriptome_index import Transcriptome, find_transcriptome


@dataclass(frozen=True, slots=True)
class Reference:
    """What turns transcripts into genes for some samples: an index's map, or a submitted gene map."""

    organism: str
    version: str
    gene_map_file: StoredFile | None = None
    transcriptome: Transcriptome | None = None

    @property
    def key(self) -> tuple[str, str]:
        """What tells references apart: organism and version."""
        return self.organism, self.version

    def gene_map(self, lake: Lake) -> GeneMap:
        """Return the transcript to gene map."""
        if self.transcriptome is not None:
            return self.transcriptome.gene_map(lake)
        if self.gene_map_file is None:
            raise PermanentError(f"no gene map for {self.organism}")
        return read_gene_map(lake.local(self.gene_map_file), label=self.gene_map_file.name)

    def transcripts(self, lake: Lake) -> list[str] | None:
        """Return the transcripts every quant.sf must list, or None when only the files can tell."""
        return self.transcriptome.transcripts(lake) if self.transcriptome else None


@dataclass(frozen=True, slots=True)
class MatrixPlan:
    """The samples of one matrix and their quant.sf files, in the experiment's order."""

    name: str
    reference: Reference
    samples: tuple[str, ...]
    files: tuple[StoredFile, ...]
    platforms: tuple[str, ...]


def plan_matrices(
    lake: Lake, experiment: Experiment, raw: Sequence[RawFile], results: Sequence[Mapping[str, Any]]
) -> list[MatrixPlan]:
    """Group the processed RNA-seq samples of ``results`` by reference.

    Raises NotFoundError when the results are of another registration or another index than today's.
    """
    sample_of = {sample.accession: sample for sample in experiment.samples}
    files = files_by_sample(raw)
    indices = {organism: find_transcriptome(lake, organism) for organism in experiment.organisms}
    groups: dict[tuple[str, str], tuple[Reference, list[Mapping[str, Any]]]] = {}
    for row in results:
        if row["verdict"] != Verdict.PROCESSED or is_array_processor(row["processor"]):
            continue
        sample = sample_of.get(row["sample"])
        if sample is None:
            raise _out_of_date(f"sample {row['sample']} is no longer part of {experiment.accession}")
        gene_map = files.get(sample.accession, {}).get(FileRole.GENE_MAP)
        reference = _reference(sample, row, gene_map, indices[sample.organism])
        groups.setdefault(reference.key, (reference, []))[1].append(row)
    names = _names(list(groups))
    return [
        MatrixPlan(
            name=names[key],
            reference=reference,
            samples=tuple(row["sample"] for row in rows),
            files=tuple(_quant_file(row) for row in rows),
            platforms=tuple(distinct(sample_of[row["sample"]].platform.name for row in rows)),
        )
        for key, (reference, rows) in groups.items()
    ]


def _reference(
    sample: Sample, row: Mapping[str, Any], gene_map: RawFile | None, transcriptome: Transcriptome | None
) -> Reference:
    if gene_map is not None and gene_map.stored is not None:
        return Reference(sample.organism, gene_map.stored.sha256, gene_map_file=gene_map.stored)
    if transcriptome is None:
        raise NotFoundError(f"the transcriptome index of {sample.organism} is no longer in the lake")
    if row["reference"] not in (None, transcriptome.index_version):
        raise _out_of_date(f"sample {sample.accession} was quantified with another index than today's")
    return Reference(sample.organism, transcriptome.version, transcriptome=transcriptome)


def _out_of_date(what: str) -> NotFoundError:
    return NotFoundError(f"{what}: materialize sample_quantifications first")


def _quant_file(row: Mapping[str, Any]) -> StoredFile:
    return StoredFile(QUANT_FILE, row["file_path"], row["file_size"], row["file_sha256"])


def _names(references: Sequence[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """Name matrices by technology and organism, and by reference where one organism has several."""
    organisms = [organism for organism, _ in references]
    return {
        (organism, version): f"rna-seq_{organism.lower()}"
        + (f"_{version[:8]}" if organisms.count(organism) > 1 else "")
        for organism, version in references
    }
