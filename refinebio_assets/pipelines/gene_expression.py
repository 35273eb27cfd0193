"""Makes ``gene_expression``: genes x samples matrices of an experiment, in Ensembl genes.

RNA-seq samples are summarized together when they share an organism and a reference (an index or a
gene map), whatever the sequencer: lengthScaledTPM scales by all samples of the matrix.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from refinebio_assets.domain import DropKind, Dropped, Experiment, FileRole, Technology, Verdict, distinct
from refinebio_assets.errors import AllFailedError, NotFoundError, PermanentError
from refinebio_assets.formats.gene_map import GeneMap, read_gene_map
from refinebio_assets.lake.rows import read_rows
from refinebio_assets.lake.store import Commit, Draft, InputRef, Lake, StoredFile
from refinebio_assets.pipelines import (
    experiment_record,
    raw_files,
    sample_quantifications,
    transcriptome_index,
)
from refinebio_assets.pipelines.experiment_record import recorded_experiment
from refinebio_assets.pipelines.expression_matrix import (
    matrix_table,
    matrix_version,
    read_matrix,
    write_matrix,
)
from refinebio_assets.pipelines.freshness import content_hash, explain_changes
from refinebio_assets.pipelines.outcome import Outcome, Situation, dropped_rows, require_head
from refinebio_assets.pipelines.progress import SILENT, Progress
from refinebio_assets.pipelines.raw_file import RawFile, read_raw_files
from refinebio_assets.pipelines.raw_files import files_by_sample
from refinebio_assets.pipelines.sample_quantification import QUANT_FILE
from refinebio_assets.pipelines.transcript_summary import QuantFile, TranscriptSummary, summarize_quant_files
from refinebio_assets.pipelines.transcriptome_index import Transcriptome, find_transcriptome
from refinebio_assets.pipelines.workers import available_cores

ASSET = "gene_expression"
CODE_VERSION = "1"


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


@dataclass(frozen=True, slots=True)
class Matrix:
    """A matrix that was made, or (``summary`` None) why it could not be."""

    plan: MatrixPlan
    summary: TranscriptSummary | None
    dropped: tuple[Dropped, ...]


@dataclass(frozen=True, slots=True)
class Assessment:
    """How an experiment's matrices stand, with what is needed to bring them up to date."""

    situation: Situation
    inputs: tuple[Commit, ...]
    results: tuple[Mapping[str, Any], ...]
    plans: tuple[MatrixPlan, ...]


def assess_expression(lake: Lake, accession: str) -> Assessment:
    """Return how an experiment's matrices stand against its quantified samples and references."""
    record, files, quantified = (
        require_head(lake, asset, accession)
        for asset in (experiment_record.ASSET, raw_files.ASSET, sample_quantifications.ASSET)
    )
    results = read_rows(lake, quantified, "results")
    plans = _plan_matrices(lake, recorded_experiment(record), read_raw_files(lake, files), results)
    basis = _basis(plans, results)
    head = lake.head(ASSET, accession)
    situation = Situation(head, basis, tuple(explain_changes(head.info["basis"] if head else None, basis)))
    return Assessment(situation, (record, files, quantified), tuple(results), tuple(plans))


def summarize_expression(
    lake: Lake, accession: str, *, progress: Progress = SILENT, run_id: str = ""
) -> Outcome:
    """Summarize an experiment's quantified samples to genes, one matrix a reference.

    Samples that are in no matrix are listed with their reason, also those that failed earlier. Raises
    AllFailedError when no matrix could be made.
    """
    assessed = assess_expression(lake, accession)
    situation = assessed.situation
    if situation.current is not None:
        return Outcome(situation.current, changed=False, dropped=_dropped_before(lake, situation.current))
    progress.start("summarize", len(assessed.plans), "matrices")
    matrices = [_summarize(lake, plan, progress) for plan in assessed.plans]
    dropped = [*_failed_earlier(assessed.results), *(item for matrix in matrices for item in matrix.dropped)]
    if not any(matrix.summary for matrix in matrices):
        reasons = "\n".join(f"  - {item.item}: {item.reason}" for item in dropped)
        raise AllFailedError(f"no matrix could be made of {accession}:\n{reasons}")
    with lake.draft(ASSET, accession) as draft:
        rows = [
            _write(draft, accession, matrix.plan, matrix.summary) for matrix in matrices if matrix.summary
        ]
        draft.write_table("matrices", rows)
        draft.write_table("dropped", dropped_rows(dropped))
        commit = draft.commit(
            version=content_hash([[row["matrix"], row["version"]] for row in rows]),
            code_version=CODE_VERSION,
            inputs=_inputs(assessed),
            info={"basis": situation.basis, "warnings": _warnings(matrices)},
            run_id=run_id,
        )
    return Outcome(commit, True, situation.reasons, tuple(dropped))


def read_expression(
    lake: Lake, commit: Commit, matrix: str, samples: Sequence[str] | None = None
) -> pa.Table:
    """Return a matrix of a ``gene_expression`` commit: ``Gene``, then one float64 column a sample."""
    return read_matrix(lake.local(commit.file(f"{matrix}.parquet")), samples)


def _inputs(assessed: Assessment) -> list[InputRef]:
    indices = [
        InputRef(transcriptome_index.ASSET, plan.reference.organism, plan.reference.version)
        for plan in assessed.plans
        if plan.reference.transcriptome is not None
    ]
    return [InputRef(commit.asset, commit.partition, commit.version) for commit in assessed.inputs] + indices


def _plan_matrices(
    lake: Lake, experiment: Experiment, raw: Sequence[RawFile], results: Sequence[Mapping[str, Any]]
) -> list[MatrixPlan]:
    """Group the processed samples by reference; the order of experiment and samples is kept."""
    sample_of = {sample.accession: sample for sample in experiment.samples}
    files = files_by_sample(raw)
    references: dict[tuple[str, str], Reference] = {}
    groups: dict[tuple[str, str], list[Mapping[str, Any]]] = defaultdict(list)
    for row in results:
        if row["verdict"] == Verdict.PROCESSED:
            gene_map = files.get(row["sample"], {}).get(FileRole.GENE_MAP)
            stored = gene_map.stored if gene_map else None
            reference = _reference(lake, sample_of[row["sample"]].organism, stored)
            references[reference.key] = reference
            groups[reference.key].append(row)
    names = _names(list(groups))
    return [
        MatrixPlan(
            name=names[key],
            reference=references[key],
            samples=tuple(row["sample"] for row in rows),
            files=tuple(_quant_file(row) for row in rows),
            platforms=tuple(distinct(sample_of[row["sample"]].platform for row in rows)),
        )
        for key, rows in groups.items()
    ]


def _reference(lake: Lake, organism: str, gene_map: StoredFile | None) -> Reference:
    if gene_map is not None:
        return Reference(organism, gene_map.sha256, gene_map_file=gene_map)
    transcriptome = find_transcriptome(lake, organism)
    if transcriptome is None:
        raise NotFoundError(f"the transcriptome index of {organism} is no longer in the lake")
    return Reference(organism, transcriptome.version, transcriptome=transcriptome)


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


def _basis(plans: Sequence[MatrixPlan], results: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    basis: dict[str, Any] = {"code version": CODE_VERSION}
    for row in results:
        basis[f"sample {row['sample']}"] = row["version"] or row["reason"]
    for plan in plans:
        basis[f"reference of {plan.name}"] = plan.reference.version
    return basis


def _summarize(lake: Lake, plan: MatrixPlan, progress: Progress) -> Matrix:
    quant_files = [
        QuantFile(sample, lake.local(file), f"quant.sf of {sample}")
        for sample, file in zip(plan.samples, plan.files, strict=True)
    ]
    try:
        summary = summarize_quant_files(
            quant_files,
            plan.reference.gene_map(lake),
            threads=available_cores(),
            expected_transcripts=plan.reference.transcripts(lake),
        )
    except PermanentError as error:
        reason = f"no matrix {plan.name}: {error}"
        return Matrix(
            plan, None, tuple(Dropped(DropKind.SAMPLE, sample, ASSET, reason) for sample in plan.samples)
        )
    finally:
        progress.advance("summarize", plan.name)
    return Matrix(plan, summary, (*summary.dropped, *_without_gene(plan, summary)))


def _without_gene(plan: MatrixPlan, summary: TranscriptSummary) -> list[Dropped]:
    """List the transcripts that no gene takes; those of an index are listed with the index."""
    if plan.reference.transcriptome is not None:
        return []
    reason = f"no gene in the gene map of {plan.name}"
    return [Dropped(DropKind.TRANSCRIPT, name, ASSET, reason) for name in summary.unmapped]


def _write(draft: Draft, accession: str, plan: MatrixPlan, summary: TranscriptSummary) -> dict[str, Any]:
    table = matrix_table(summary.genes, summary.samples, summary.values)
    name = f"{plan.name}.parquet"
    write_matrix(draft.folder / name, table)
    return {
        "experiment": accession,
        "matrix": plan.name,
        "technology": str(Technology.RNA_SEQ),
        "platform": ";".join(platform for platform in plan.platforms if platform),
        "organism": plan.reference.organism,
        "genes": len(summary.genes),
        "samples": len(summary.samples),
        "transcripts": summary.n_transcripts,
        "mapped_transcripts": summary.n_mapped,
        "path": name,
        "version": matrix_version(table),
    }


def _warnings(matrices: Sequence[Matrix]) -> list[str]:
    """Say what is odd about the matrices that were made, one sentence each."""
    lines = []
    for matrix in matrices:
        summary = matrix.summary
        if summary is not None and summary.n_mapped < summary.n_transcripts:
            lines.append(
                f"{matrix.plan.name}: {summary.n_mapped:,} of {summary.n_transcripts:,} transcripts "
                "have a gene; reads of the others count for no gene"
            )
        lines += [f"{warning.sample}: {warning.text}" for warning in (summary.warnings if summary else ())]
    return lines


def _failed_earlier(results: Sequence[Mapping[str, Any]]) -> list[Dropped]:
    return [
        Dropped(DropKind.SAMPLE, row["sample"], sample_quantifications.ASSET, row["reason"], row["permanent"])
        for row in results
        if row["verdict"] != Verdict.PROCESSED
    ]


def _dropped_before(lake: Lake, head: Commit) -> tuple[Dropped, ...]:
    return tuple(
        Dropped(DropKind(row["kind"]), row["item"], row["step"], row["reason"], row["permanent"])
        for row in read_rows(lake, head, "dropped")
    )
