"""Files and what made them, as ``/v1`` shows them."""

from __future__ import annotations

from typing import Any

from refinebio_assets.api.models.experiments import SampleInExperiment
from refinebio_assets.api.models.problems import Shape
from refinebio_assets.api.models.references import Processor, TranscriptomeIndex


class ResultAnnotation(Shape):
    """Facts about a result."""

    id: int
    data: dict[str, Any]
    is_ccdl: bool
    created_at: str | None
    last_modified: str | None


class FileOfResult(Shape):
    """A file that a result consists of; ``download_url`` is there with an active token only."""

    id: int
    filename: str
    size_in_bytes: int | None
    is_smashable: bool
    is_qc: bool
    sha1: str
    s3_bucket: str | None
    s3_key: str | None
    download_url: str | None = None
    created_at: str | None
    last_modified: str | None


class _Run(Shape):
    id: int
    commands: list[str]
    processor: Processor | None
    is_ccdl: bool
    annotations: list[ResultAnnotation]


class ResultWithoutFiles(_Run):
    """What was run, when, and by which processor."""

    organism_index: TranscriptomeIndex | None
    time_start: str | None
    time_end: str | None
    created_at: str | None
    last_modified: str | None


class ComputationalResult(_Run):
    """What was run, and the files that it made."""

    files: list[FileOfResult]
    organism_index: TranscriptomeIndex | None
    time_start: str | None
    time_end: str | None
    created_at: str | None
    last_modified: str | None


class ComputationalResultPage(Shape):
    """One page of results."""

    count: int
    next: str | None
    previous: str | None
    results: list[ComputationalResult]


class _ComputedFile(Shape):
    id: int
    filename: str
    samples: list[SampleInExperiment]
    size_in_bytes: int | None
    is_qn_target: bool
    is_smashable: bool
    is_qc: bool
    is_compendia: bool
    quant_sf_only: bool
    compendium_version: int | None
    sha1: str
    s3_bucket: str | None
    s3_key: str | None
    s3_url: str | None
    download_url: str | None = None
    created_at: str | None
    last_modified: str | None


class ComputedFileRow(_ComputedFile):
    """A file that was made here, in a list; ``download_url`` is there with an active token only."""

    result: ResultWithoutFiles | None


class ComputedFile(_ComputedFile):
    """A file that was made here, with all files of its result."""

    result: ComputationalResult | None


class ComputedFilePage(Shape):
    """One page of computed files."""

    count: int
    next: str | None
    previous: str | None
    results: list[ComputedFileRow]


class QNTarget(Shape):
    """The reference distribution of an organism."""

    id: int
    filename: str
    size_in_bytes: int
    is_qn_target: bool
    sha1: str
    s3_bucket: str
    s3_key: str
    s3_url: str
    created_at: str
    last_modified: str
    result: ResultWithoutFiles


class OriginalFileRow(Shape):
    """A source file in a list."""

    id: int
    filename: str | None
    size_in_bytes: int | None
    sha1: str | None
    samples: list[int]
    processor_jobs: list[int]
    downloader_jobs: list[int]
    source_url: str
    source_filename: str | None
    is_archive: bool
    has_raw: bool
    created_at: str | None
    last_modified: str | None


class OriginalFile(Shape):
    """A source file."""

    id: int
    filename: str | None
    size_in_bytes: int | None
    sha1: str | None
    samples: list[SampleInExperiment]
    processor_jobs: list[dict[str, Any]]
    downloader_jobs: list[dict[str, Any]]
    source_url: str
    source_filename: str | None
    is_downloaded: bool
    is_archive: bool
    has_raw: bool
    created_at: str | None
    last_modified: str | None


class OriginalFilePage(Shape):
    """One page of source files."""

    count: int
    next: str | None
    previous: str | None
    results: list[OriginalFileRow]


class Compendium(Shape):
    """A compendium."""

    id: int
    primary_organism_name: str
    organism_names: list[str]
    svd_algorithm: str
    quant_sf_only: bool
    compendium_version: int | None
    computed_file: FileOfResult | None


class CompendiumPage(Shape):
    """One page of compendia."""

    count: int
    next: str | None
    previous: str | None
    results: list[Compendium]
