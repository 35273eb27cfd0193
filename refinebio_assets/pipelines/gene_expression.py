"""Makes ``gene_expression``: genes x samples matrices of an experiment, in Ensembl genes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from refinebio_assets.domain import DropKind, Dropped, Experiment, Processing, Technology
from refinebio_assets.errors import PermanentError
from refinebio_assets.lake.rows import read_rows
from refinebio_assets.lake.store import Commit, Draft, InputRef, Lake
from refinebio_assets.pipelines import (
    experiment_record,
    raw_files,
    sample_quantifications,
)
from refinebio_assets.pipelines.array_matrix import (
    ArrayMatrix,
    ArrayMatrixPlan,
    plan_array_matrices,
    read_array_matrix,
)
from refinebio_assets.pipelines.array_values import GENES
from refinebio_assets.pipelines.costs import TABLE as COSTS
from refinebio_assets.pipelines.costs import Meter
from refinebio_assets.pipelines.experiment_record import recorded_experiment
from refinebio_assets.pipelines.expression_matrix import (
    LENGTH_SCALED_TPM,
    matrix_table,
    matrix_unit,
    matrix_version,
    read_matrix,
    write_matrix,
)
from refinebio_assets.pipelines.freshness import content_hash
from refinebio_assets.pipelines.matrix_plan import MatrixPlan, plan_matrices
from refinebio_assets.pipelines.outcome import (
    Outcome,
    Situation,
    all_failed,
    dropped_before,
    dropped_rows,
    require_head,
    situation_of,
)
from refinebio_assets.pipelines.progress import SILENT, Progress
from refinebio_assets.pipelines.raw_file import RawFile, read_raw_files
from refinebio_assets.pipelines.references import transcriptome_index
from refinebio_assets.pipelines.transcript_summary import QuantFile, TranscriptSummary, summarize_quant_files
from refinebio_assets.pipelines.workers import available_cores

ASSET = "gene_expression"
CODE_VERSION = "3"


AnyPlan = MatrixPlan | ArrayMatrixPlan


@dataclass(frozen=True, slots=True)
class Matrix:
    """A matrix that was made, or (``content`` None) why it could not be."""

    plan: AnyPlan
    content: TranscriptSummary | ArrayMatrix | None
    dropped: tuple[Dropped, ...]


@dataclass(frozen=True, slots=True)
class Assessment:
    """How an experiment's matrices stand, with what is needed to bring them up to date."""

    situation: Situation
    inputs: tuple[Commit, ...]
    results: tuple[Mapping[str, Any], ...]
    plans: tuple[AnyPlan, ...]


def assess_expression(lake: Lake, accession: str) -> Assessment:
    """Return how an experiment's matrices stand against its quantified samples and references."""
    record, files, quantified = (
        require_head(lake, asset, accession)
        for asset in (experiment_record.ASSET, raw_files.ASSET, sample_quantifications.ASSET)
    )
    results = read_rows(lake, quantified, "results")
    experiment, raw = recorded_experiment(lake, record), read_raw_files(lake, files)
    situation, plans = _judge(lake, experiment, raw, results)
    return Assessment(situation, (record, files, quantified), tuple(results), tuple(plans))


def expression_reasons(
    lake: Lake, experiment: Experiment, raw: Sequence[RawFile], results: Sequence[Mapping[str, Any]]
) -> tuple[str, ...]:
    """Say why the matrices would be made again if these were the rows of ``results``; empty when not."""
    return _judge(lake, experiment, raw, results)[0].reasons


def _judge(
    lake: Lake, experiment: Experiment, raw: Sequence[RawFile], results: Sequence[Mapping[str, Any]]
) -> tuple[Situation, list[AnyPlan]]:
    plans: list[AnyPlan] = [
        *plan_matrices(lake, experiment, raw, results),
        *plan_array_matrices(experiment, results),
    ]
    head = lake.head(ASSET, experiment.accession)
    return situation_of(lake, head, _basis(plans, results)), plans


def summarize_expression(
    lake: Lake, accession: str, *, progress: Progress = SILENT, run_id: str = ""
) -> Outcome:
    """Summarize an experiment's quantified samples to genes, one matrix a reference.

    Samples that are in no matrix are listed with their reason, also those that failed earlier. Raises
    AllFailedError or AllFailedForNowError, after recording why, when no matrix could be made.
    """
    assessed = assess_expression(lake, accession)
    situation = assessed.situation
    if situation.current is not None:
        before = dropped_before(lake, situation.current)
        return _ended(Outcome(situation.current, changed=False, dropped=before))
    meter = Meter()
    matrices = [_summarize(lake, plan, progress) for plan in assessed.plans]
    dropped = (
        *sample_quantifications.unprocessed(assessed.results),
        *(item for matrix in matrices for item in matrix.dropped),
    )
    with lake.draft(ASSET, accession) as draft:
        rows = [_write(draft, accession, matrix) for matrix in matrices if matrix.content is not None]
        draft.write_table("matrices", rows)
        draft.write_table("array_agreement", list(_agreement_rows(accession, matrices)))
        draft.write_table("dropped", dropped_rows(dropped))
        read = sum(row["file_size"] or 0 for row in assessed.results)
        written = sum((draft.folder / row["path"]).stat().st_size for row in rows)
        samples = sum(len(plan.samples) for plan in assessed.plans)
        cost = meter.row(accession, samples=samples, bytes_in=read, bytes_out=written)
        draft.write_table(COSTS, [cost])
        commit = draft.commit(
            version=content_hash([[row["matrix"], row["version"]] for row in rows]),
            code_version=CODE_VERSION,
            inputs=_inputs(assessed),
            info={"basis": situation.basis, "warnings": _warnings(matrices), "matrices": len(rows)},
            run_id=run_id,
        )
    return _ended(Outcome(commit, True, situation.reasons, dropped))


def _ended(outcome: Outcome) -> Outcome:
    """Return the outcome, or raise when not one matrix was made."""
    if outcome.commit.info.get("matrices") == 0:
        raise all_failed(f"no matrix could be made of {outcome.commit.partition}", outcome.dropped_samples)
    return outcome


def read_expression(
    lake: Lake, commit: Commit, matrix: str, samples: Sequence[str] | None = None
) -> pa.Table:
    """Return a matrix of a ``gene_expression`` commit: ``Gene``, then one float64 column a sample.

    Its unit is told by ``expression_matrix.matrix_unit``.
    """
    return read_matrix(lake.local(commit.file(f"{matrix}.parquet")), samples)


def matrix_samples(lake: Lake, commit: Commit, matrix: str) -> list[str]:
    """Return the samples of a matrix without reading its values."""
    names: list[str] = pq.read_schema(lake.local(commit.file(f"{matrix}.parquet"))).names
    return names[1:]


def _inputs(assessed: Assessment) -> list[InputRef]:
    references = [ref for plan in assessed.plans if (ref := _reference(plan)) is not None]
    return [
        InputRef(commit.asset, commit.partition, commit.version) for commit in assessed.inputs
    ] + references


def _reference(plan: AnyPlan) -> InputRef | None:
    """Return the reference asset that a matrix depends on, None for a submitted gene map."""
    if isinstance(plan, ArrayMatrixPlan):
        return plan.reference
    if plan.reference.transcriptome is None:
        return None
    return InputRef(transcriptome_index.ASSET, plan.reference.organism, plan.reference.version)


def _reference_version(plan: AnyPlan) -> str:
    return plan.reference.version


def _platforms(plan: AnyPlan) -> tuple[str, ...]:
    return (plan.platform_name,) if isinstance(plan, ArrayMatrixPlan) else plan.platforms


def _basis(plans: Sequence[AnyPlan], results: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return what determines the matrices: each sample's version, matrix and reference, and platforms."""
    basis: dict[str, Any] = {"code version": CODE_VERSION}
    planned = {name: plan for plan in plans for name in plan.samples}
    for row in results:
        plan = planned.get(row["sample"])
        where = [plan.name, _reference_version(plan)] if plan else []
        # The file, too: a damaged one that was made again has the same version.
        basis[f"sample {row['sample']}"] = [row["version"] or row["reason"], row["file_path"], *where]
    for plan in plans:
        basis[f"platforms of {plan.name}"] = list(_platforms(plan))
    return basis


def _summarize(lake: Lake, plan: AnyPlan, progress: Progress) -> Matrix:
    task = f"summarize {plan.name}"
    progress.start(task, len(plan.samples), "samples")
    if isinstance(plan, ArrayMatrixPlan):
        content, lost = read_array_matrix(lake, plan, step=ASSET, tell=lambda: progress.advance(task))
        return Matrix(plan, content, tuple(lost))
    return _summarize_transcripts(lake, plan, lambda: progress.advance(task))


def _summarize_transcripts(lake: Lake, plan: MatrixPlan, tell: Callable[[], None]) -> Matrix:
    files, lost = _local_files(lake, plan)
    try:
        summary = summarize_quant_files(
            files,
            plan.reference.gene_map(lake),
            threads=available_cores(),
            expected_transcripts=plan.reference.transcripts(lake),
            progress=lambda done, total: tell(),
        )
    except PermanentError as error:
        reason = f"no matrix {plan.name}: {error}"
        dropped = tuple(Dropped(DropKind.SAMPLE, file.sample, ASSET, reason) for file in files)
        return Matrix(plan, None, (*lost, *dropped))
    return Matrix(plan, summary, (*lost, *summary.dropped, *_without_gene(plan, summary)))


def _local_files(lake: Lake, plan: MatrixPlan) -> tuple[list[QuantFile], list[Dropped]]:
    """Return the files to read, and the samples whose file is lost or damaged in the lake."""
    files, lost = [], []
    for sample, stored in zip(plan.samples, plan.files, strict=True):
        try:
            files.append(QuantFile(sample, lake.local(stored), f"quant.sf of {sample}"))
        except PermanentError as error:
            reason = f"{error}; redo it with --sample {sample}"
            lost.append(Dropped(DropKind.SAMPLE, sample, ASSET, reason))
    return files, lost


def _without_gene(plan: MatrixPlan, summary: TranscriptSummary) -> list[Dropped]:
    """List the transcripts that no gene takes; those of an index are listed with the index."""
    if plan.reference.transcriptome is not None:
        return []
    reason = f"no gene in the gene map of {plan.name}"
    return [Dropped(DropKind.TRANSCRIPT, name, ASSET, reason) for name in summary.unmapped]


def _write(draft: Draft, accession: str, matrix: Matrix) -> dict[str, Any]:
    plan, content = matrix.plan, matrix.content
    if isinstance(content, TranscriptSummary):
        table = matrix_table(content.genes, content.samples, content.values, _unit(plan))
        counts = {"transcripts": content.n_transcripts, "mapped_transcripts": content.n_mapped}
        technology = Technology.RNA_SEQ
    elif isinstance(content, ArrayMatrix):
        table = matrix_table(content.names, content.samples, content.values, _unit(plan))
        counts, technology = {"missing_values": content.missing}, Technology.MICROARRAY
    else:
        raise TypeError(f"matrix {plan.name} has no content")
    name = f"{plan.name}.parquet"
    write_matrix(draft.folder / name, table)
    return {
        "experiment": accession,
        "matrix": plan.name,
        "technology": str(technology),
        "processing": str(_processing(plan)),
        "unit": matrix_unit(table),
        "platform": ";".join(platform for platform in _platforms(plan) if platform),
        "level": content.level if isinstance(content, ArrayMatrix) else GENES,
        "organism": plan.organism if isinstance(plan, ArrayMatrixPlan) else plan.reference.organism,
        "genes": table.num_rows,
        "samples": table.num_columns - 1,
        **counts,
        "path": name,
        "version": matrix_version(table),
        "reference": _reference_version(plan),
    }


def _processing(plan: AnyPlan) -> Processing:
    return plan.processing if isinstance(plan, ArrayMatrixPlan) else Processing.FROM_RAW


def _unit(plan: AnyPlan) -> str:
    return plan.unit if isinstance(plan, ArrayMatrixPlan) else LENGTH_SCALED_TPM


def _agreement_rows(accession: str, matrices: Sequence[Matrix]) -> Iterator[dict[str, Any]]:
    for matrix in matrices:
        if isinstance(matrix.content, ArrayMatrix):
            for sample, value in matrix.content.agreement.items():
                yield {
                    "experiment": accession,
                    "sample": sample,
                    "matrix": matrix.plan.name,
                    "correlation": value,
                }


def _warnings(matrices: Sequence[Matrix]) -> list[str]:
    """Say what is odd about the matrices that were made, one sentence each."""
    lines = []
    for matrix in matrices:
        content = matrix.content
        if content is not None and _processing(matrix.plan) == Processing.SUBMITTER_PROCESSED:
            lines.append(
                f"{matrix.plan.name}: submitter-processed values, which cannot be compared with those of "
                "samples that are processed from raw data"
            )
        if isinstance(content, TranscriptSummary):
            lines += _warnings_of_transcripts(matrix.plan.name, content)
        elif content is not None:
            lines += [f"{matrix.plan.name}: {warning}" for warning in content.warnings]
    return lines


def _warnings_of_transcripts(name: str, summary: TranscriptSummary) -> list[str]:
    lines = [f"{warning.sample}: {warning.text}" for warning in summary.warnings]
    if summary.n_mapped < summary.n_transcripts:
        lines.insert(
            0,
            f"{name}: {summary.n_mapped:,} of {summary.n_transcripts:,} transcripts "
            "have a gene; reads of the others count for no gene",
        )
    return lines
