"""Decides how each sample of an experiment is to be quantified, or why it cannot be."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from refinebio_assets.domain import Experiment, FileRole, Pipeline, Sample, Verdict, organism_title
from refinebio_assets.lake.store import Lake
from refinebio_assets.pipelines.array_quantification import ArrayTask
from refinebio_assets.pipelines.raw_file import RawFile
from refinebio_assets.pipelines.read_quantification import QuantificationTask, index_kmer_for
from refinebio_assets.pipelines.references.platform_annotation import find_annotation
from refinebio_assets.pipelines.references.platform_registry import resolve_platform
from refinebio_assets.pipelines.references.transcriptome_index import Transcriptome, find_transcriptome
from refinebio_assets.pipelines.sample_quantification import Refusal, SampleTask
from refinebio_assets.pipelines.table_plan import TABLES, TablePlanner
from refinebio_assets.platforms.microarrays import find_by_chip_type
from refinebio_assets.platforms.pipeline_choice import choose_pipeline
from refinebio_assets.tools.salmon import salmon_version

Files = Mapping[FileRole, RawFile]

Plan = SampleTask | Refusal


def plan_samples(lake: Lake, experiment: Experiment, files: Mapping[str, Files]) -> list[Plan]:
    """Return a task or a refusal for each sample, in the experiment's order."""
    transcriptomes = {organism: find_transcriptome(lake, organism) for organism in experiment.organisms}
    has_reads = any(FileRole.FASTQ_1 in roles for roles in files.values())
    version = _installed_salmon() if has_reads else ""
    tables = TablePlanner(lake, experiment, files)
    return [
        _plan(lake, sample, files.get(sample.accession, {}), transcriptomes[sample.organism], version, tables)
        for sample in experiment.samples
    ]


def has_reference(lake: Lake, sample: Sample) -> bool:
    """Tell whether the lake has what a sample is quantified with, as far as its files need not be read."""
    pipeline = choose_pipeline(sample).pipeline
    if pipeline is Pipeline.NONE:
        return False
    if pipeline is Pipeline.SALMON:
        return find_transcriptome(lake, sample.organism) is not None
    told = sample.platform.accession or sample.platform.name
    if pipeline is Pipeline.AFFYMETRIX_SCAN and told:
        return find_annotation(lake, resolve_platform(told).accession) is not None
    return True


@cache
def _installed_salmon() -> str:
    """Return Salmon's version; asking takes 75 ms, too long for each of thousands of experiments."""
    return salmon_version()


def _plan(
    lake: Lake,
    sample: Sample,
    files: Files,
    transcriptome: Transcriptome | None,
    version: str,
    tables: TablePlanner,
) -> Plan:
    refusal = _refuse_unserved(sample) or _refuse_without_files(sample, files)
    if refusal is not None:
        return refusal
    if FileRole.CEL in files:
        return _plan_array(lake, sample, files[FileRole.CEL])
    if set(TABLES) & set(files):
        return tables.plan(sample)
    if FileRole.QUANT_SF in files:
        return _plan_submitted(sample, files, transcriptome)
    if transcriptome is None:
        return Refusal(sample, Verdict.FAILED, _no_index(sample.organism))
    return QuantificationTask(sample, files, transcriptome, index_kmer_for(files), version)


def _refuse_unserved(sample: Sample) -> Refusal | None:
    """Refuse a sample that no pipeline serves."""
    choice = choose_pipeline(sample)
    return Refusal(sample, Verdict.NOT_SUPPORTED, choice.reason) if choice.pipeline is Pipeline.NONE else None


def _refuse_without_files(sample: Sample, files: Files) -> Refusal | None:
    """Refuse a sample whose files failed, or that has nothing to quantify."""
    failed = [file for file in files.values() if not file.usable]
    if failed:
        reasons = dict.fromkeys(file.reason for file in failed)
        return Refusal(sample, Verdict.FAILED, "; ".join(reasons), all(file.permanent for file in failed))
    if not {FileRole.QUANT_SF, FileRole.FASTQ_1, FileRole.CEL, *TABLES} & set(files):
        return Refusal(sample, Verdict.FAILED, "no reads, quant.sf, CEL file or table is registered for it")
    return None


def _plan_array(lake: Lake, sample: Sample, cel: RawFile) -> Plan:
    """Plan an array by what its CEL file says it is, whatever the source calls it."""
    platform = resolve_platform(cel.chip_type)
    annotation = find_annotation(lake, platform.accession)
    if annotation is not None:
        return ArrayTask(sample, cel, annotation)
    if find_by_chip_type(cel.chip_type) is None:
        reason = (
            f"its CEL file is of {cel.chip_type or 'an array that it does not name'}, which is not among the "
            "known platforms. `refinebio-assets reference add-platform` takes tables of your own"
        )
        return Refusal(sample, Verdict.NOT_SUPPORTED, reason)
    reason = (
        f"there is no annotation of {platform.name} ({platform.accession}). Make one with "
        f"`refinebio-assets reference add-platform --platform {platform.accession}`"
    )
    return Refusal(sample, Verdict.FAILED, reason)


def _plan_submitted(sample: Sample, files: Files, transcriptome: Transcriptome | None) -> Plan:
    if FileRole.GENE_MAP in files or transcriptome is not None:
        return QuantificationTask(sample, files)
    reason = f"its quant.sf has no gene_map in the sample sheet, and {_no_index(sample.organism)}"
    return Refusal(sample, Verdict.FAILED, reason)


def _no_index(organism: str) -> str:
    return (
        f"there is no transcriptome index for {organism_title(organism)}. Make one from Ensembl with "
        f"`refinebio-assets reference add-ensembl --organism {organism}`, or from files of your own with "
        "`refinebio-assets reference add-transcriptome`"
    )
