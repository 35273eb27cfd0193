"""Jobs and statistics as ``/v1`` shows them."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict

from refinebio_assets.api.models.problems import Shape


class _Job(Shape):
    id: int
    success: bool | None
    batch_job_id: str | None
    batch_job_queue: str | None
    ram_amount: int
    start_time: str | None
    end_time: str | None
    created_at: str | None
    last_modified: str | None
    is_queued: bool


class SurveyJob(_Job):
    """A run that asked an archive about an experiment."""

    source_type: str


class _WorkJob(_Job):
    num_retries: int
    retried: bool
    worker_id: str | None
    worker_version: str | None
    failure_reason: str | None
    original_files: list[int]


class DownloaderJob(_WorkJob):
    """A run that fetched an experiment's files."""

    downloader_task: str
    was_recreated: bool


class ProcessorJob(_WorkJob):
    """A run that made something."""

    pipeline_applied: str
    volume_index: str | None
    datasets: list[Any]


class SurveyJobPage(Shape):
    """One page of survey jobs."""

    count: int
    next: str | None
    previous: str | None
    results: list[SurveyJob]


class DownloaderJobPage(Shape):
    """One page of downloader jobs."""

    count: int
    next: str | None
    previous: str | None
    results: list[DownloaderJob]


class ProcessorJobPage(Shape):
    """One page of processor jobs."""

    count: int
    next: str | None
    previous: str | None
    results: list[ProcessorJob]


class StatsAbout(Shape):
    """How much there is."""

    samples_available: int
    total_size_in_bytes: int
    supported_organisms: int
    experiments_processed: int


class Stats(BaseModel):
    """How runs went, and what was made; each with a timeline."""

    model_config = ConfigDict(extra="allow")

    generated_on: str
    survey_jobs: dict[str, Any]
    downloader_jobs: dict[str, Any]
    processor_jobs: dict[str, Any]
    experiments: dict[str, Any]
    processed_samples: dict[str, Any]
    unprocessed_samples: dict[str, Any]
    dataset: dict[str, Any]
