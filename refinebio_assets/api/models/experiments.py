"""Experiments and samples as ``/v1`` shows them."""

from __future__ import annotations

from typing import Any

from pydantic import RootModel

from refinebio_assets.api.models.problems import Shape
from refinebio_assets.api.models.references import OrganismInSample, Processor, TranscriptomeIndex


class Annotation(Shape):
    """What a submitter said, untouched."""

    data: dict[str, Any]
    is_ccdl: bool
    created_at: str | None
    last_modified: str | None


class SampleInExperiment(Shape):
    """A sample, in short."""

    accession_code: str
    platform_name: str
    pretty_platform: str
    technology: str
    is_processed: bool
    is_unable_to_be_processed: bool


class FileOfSample(Shape):
    """The newest file of a kind that was made of a sample."""

    id: int
    filename: str
    size_in_bytes: int | None
    is_smashable: bool
    is_qc: bool
    sha1: str
    s3_bucket: str | None
    s3_key: str | None
    created_at: str | None
    last_modified: str | None


class ResultOfSample(Shape):
    """What processed a sample, with which index."""

    id: int
    processor: Processor | None
    organism_index: TranscriptomeIndex | None


class Sample(Shape):
    """A sample."""

    id: int
    title: str
    accession_code: str
    source_database: str
    organism: OrganismInSample | None
    platform_accession_code: str
    platform_name: str
    pretty_platform: str
    technology: str
    manufacturer: str
    protocol_info: list[dict[str, Any]] | dict[str, Any]
    annotations: list[Annotation]
    results: list[ResultOfSample]
    source_archive_url: str
    has_raw: bool
    sex: str
    age: str | None
    specimen_part: str
    genetic_information: str
    developmental_stage: str
    disease: str
    disease_stage: str
    cell_line: str
    treatment: str
    race: str
    subject: str
    compound: str
    time: str
    is_processed: bool
    is_unable_to_be_processed: bool
    created_at: str | None
    last_modified: str | None
    original_files: list[int]
    computed_files: list[int]
    last_processor_job: dict[str, Any] | None
    last_downloader_job: dict[str, Any] | None
    most_recent_smashable_file: FileOfSample | None
    most_recent_quant_file: FileOfSample | None
    contributed_metadata: dict[str, Any]
    contributed_keywords: dict[str, Any]
    experiment_accession_codes: list[str]


class SamplePage(Shape):
    """One page of samples."""

    count: int
    next: str | None
    previous: str | None
    results: list[Sample]


class Experiment(Shape):
    """An experiment with its samples."""

    id: int
    title: str
    description: str
    annotations: list[Annotation]
    samples: list[SampleInExperiment]
    protocol_description: list[dict[str, Any]] | dict[str, Any]
    accession_code: str
    alternate_accession_code: str | None
    source_database: str
    source_url: str
    has_publication: bool
    publication_title: str
    publication_doi: str
    publication_authors: list[str]
    pubmed_id: str
    source_first_published: str | None
    source_last_modified: str | None
    submitter_institution: str
    last_modified: str | None
    created_at: str | None
    organism_names: list[str]
    sample_metadata: list[str]
    num_total_samples: int
    num_processed_samples: int
    num_downloadable_samples: int


class ExperimentRow(Shape):
    """An experiment in a list."""

    id: int
    title: str
    description: str
    accession_code: str
    alternate_accession_code: str | None
    source_database: str
    source_url: str
    platforms: list[str]
    pretty_platforms: list[str]
    processed_samples: list[str]
    has_publication: bool
    publication_title: str
    publication_doi: str
    publication_authors: list[str]
    pubmed_id: str
    organism_names: list[str]
    submitter_institution: str
    created_at: str | None
    last_modified: str | None
    source_first_published: str | None
    source_last_modified: str | None
    sample_metadata: list[str]
    technologies: list[str]


class ExperimentPage(Shape):
    """One page of experiments."""

    count: int
    next: str | None
    previous: str | None
    results: list[ExperimentRow]


class SearchRow(Shape):
    """An experiment that a search found."""

    id: int
    title: str
    publication_title: str
    description: str
    technology: str
    accession_code: str
    alternate_accession_code: str | None
    submitter_institution: str
    has_publication: bool
    publication_doi: str
    publication_authors: list[str]
    sample_metadata_fields: list[str]
    platform_names: list[str]
    platform_accession_codes: list[str]
    organism_names: list[str]
    downloadable_organism_names: list[str]
    pubmed_id: str
    num_total_samples: int
    num_processed_samples: int
    num_downloadable_samples: int
    source_first_published: str | None


class SearchPage(Shape):
    """One page of what a search found; facets count the distinct downloadable samples of all of it."""

    count: int
    next: str | None
    previous: str | None
    facets: dict[str, dict[str, int]]
    results: list[SearchRow]


_Value = str | int | bool


class SearchBody(RootModel[dict[str, _Value | list[_Value]]]):
    """Filters as in the query, by name: a value, or a list of values."""
