"""Plans samples whose values are in a table: BeadArray intensities, and submitters' own values."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from refinebio_assets.domain import Experiment, FileRole, Manufacturer, Pipeline, Platform, Sample, Verdict
from refinebio_assets.lake.store import Lake
from refinebio_assets.pipelines.bead_intensities import TableNames
from refinebio_assets.pipelines.bead_quantification import BeadTask
from refinebio_assets.pipelines.raw_file import RawFile
from refinebio_assets.pipelines.references.bead_annotation import bead_platforms, missing_bead_platforms
from refinebio_assets.pipelines.references.gene_index import find_gene_index
from refinebio_assets.pipelines.references.platform_registry import resolve_platform
from refinebio_assets.pipelines.sample_quantification import Refusal
from refinebio_assets.pipelines.submitted_conversion import IdReferences, missing_annotations
from refinebio_assets.pipelines.submitted_quantification import SubmittedTask
from refinebio_assets.pipelines.table_names import names_in_tables
from refinebio_assets.platforms.illumina_arrays import illumina_package, package_of_platform
from refinebio_assets.platforms.pipeline_choice import choose_pipeline
from refinebio_assets.platforms.readable import readable

TABLES = (FileRole.BEADARRAY, FileRole.PROCESSED)
"""Roles of tables; a raw archive may hold intensities under any name."""
Place = tuple[str, str]
"""Where a table is from: its origin's location, and its path in the archive there."""


class TablePlanner:
    """Plans the samples of one experiment that have tables; references are looked up once."""

    def __init__(
        self, lake: Lake, experiment: Experiment, files: Mapping[str, Mapping[FileRole, RawFile]]
    ) -> None:
        self._lake = lake
        self._table_of = {
            sample.accession: table
            for sample in experiment.samples
            if (table := _table(files.get(sample.accession, {}))) is not None
        }
        self._sharing: dict[Place, list[Sample]] = {}
        for sample in experiment.samples:
            if sample.accession in self._table_of:
                self._sharing.setdefault(_place(self._table_of[sample.accession]), []).append(sample)
        self._references = cache(self._find_references)
        self._names = cache(self._names_of_all)

    def plan(self, sample: Sample) -> BeadTask | SubmittedTask | Refusal:
        """Return how a sample with a table is quantified, or which reference it lacks."""
        platform = _platform_of(sample)
        references = self._references(sample.organism, platform)
        choice = choose_pipeline(sample)
        reason = _missing_reference(platform, references, choice.pipeline)
        if reason:
            return Refusal(sample, Verdict.FAILED, reason)
        table = self._table_of[sample.accession]
        sharing = self._sharing[_place(table)]
        if choice.pipeline is Pipeline.ILLUMINA_SCAN:
            return BeadTask(sample, table, self._names(_place(table)), references)
        return SubmittedTask(
            sample=sample,
            table=table,
            names=names_in_tables(sample),
            columns=_named_columns(sample, table),
            shared=len(sharing) > 1,
            references=references,
            reason=choice.reason,
        )

    def _names_of_all(self, place: Place) -> TableNames:
        return TableNames.of(names_in_tables(sample) for sample in self._sharing[place])

    def _find_references(self, organism: str, platform: Platform) -> IdReferences:
        """Return what ids of the platform may be of; a BeadArray's may be of any of its organism's."""
        index = find_gene_index(self._lake, platform.accession) if platform.accession else None
        if not _is_bead_array(platform):
            return IdReferences(index=index)
        return IdReferences(
            platforms=tuple(bead_platforms(self._lake, organism)),
            index=index,
            absent=missing_bead_platforms(self._lake, organism),
        )


def _table(files: Mapping[FileRole, RawFile]) -> RawFile | None:
    return next((files[role] for role in TABLES if role in files), None)


def _place(table: RawFile) -> Place:
    return table.origin.location, table.member


def _platform_of(sample: Sample) -> Platform:
    """Return the array that the source gives, unknown where it gives none."""
    told = sample.platform.accession or sample.platform.name
    package = illumina_package(told)
    if package is not None:
        return resolve_platform(package.platform)
    return resolve_platform(told) if told else Platform()


def _is_bead_array(platform: Platform) -> bool:
    """Tell whether the array is Illumina's, or may be: one that is not listed is what its ids say."""
    return platform.manufacturer in (Manufacturer.ILLUMINA, Manufacturer.UNKNOWN)


def _missing_reference(platform: Platform, references: IdReferences, pipeline: Pipeline) -> str:
    """Say which reference a sample lacks for certain, and how it is added; empty when none."""
    own = package_of_platform(platform.accession) if platform.accession else None
    if own is not None and own.name in references.absent:
        return missing_annotations((own.name,))
    if references.platforms or references.index is not None:
        return ""
    if references.absent and (pipeline is Pipeline.ILLUMINA_SCAN or own is not None):
        return missing_annotations(references.absent)
    name = readable(platform) or "its platform, which is not named"
    return (
        f"there is no gene index of {name}, by which its ids could be converted to Ensembl genes. Make one "
        f"with `refinebio-assets reference add-gene-index --platform {platform.accession or 'NAME'} FILE`"
    )


def _named_columns(sample: Sample, table: RawFile) -> tuple[str, ...]:
    """Return the names that the source gives the columns of the sample's table."""
    files = [file for file in sample.files if _place(table) == (file.location, file.member)]
    return next((file.columns for file in files if file.columns), ())
