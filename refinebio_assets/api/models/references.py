"""Organisms, platforms, processors, indices and targets as ``/v1`` shows them."""

from __future__ import annotations

from typing import Any

from refinebio_assets.api.models.problems import Shape


class OrganismInSample(Shape):
    """An organism, in short; ``taxonomy_id`` is NCBI's, null when it is not known."""

    name: str
    taxonomy_id: int | None


class Organism(OrganismInSample):
    """An organism, and which compendia it has."""

    has_compendia: bool | None
    has_quantfile_compendia: bool | None


class OrganismPage(Shape):
    """One page of organisms."""

    count: int
    next: str | None
    previous: str | None
    results: list[Organism]


class Platform(Shape):
    """A microarray or sequencer."""

    platform_accession_code: str
    platform_name: str


class Institution(Shape):
    """Who submitted experiments."""

    submitter_institution: str


class Processor(Shape):
    """What processed samples; ``environment`` says with which versions."""

    id: int
    name: str
    version: str
    docker_image: str
    environment: dict[str, Any]


class ProcessorPage(Shape):
    """One page of processors."""

    count: int
    next: str | None
    previous: str | None
    results: list[Processor]


class TranscriptomeIndex(Shape):
    """A Salmon index; ``download_url`` gives it and its gene map as a tar, without a token."""

    id: int
    assembly_name: str
    organism_name: str
    database_name: str
    release_version: str
    index_type: str
    salmon_version: str
    download_url: str
    result_id: int
    last_modified: str | None


class TranscriptomeIndexPage(Shape):
    """One page of indices."""

    count: int
    next: str | None
    previous: str | None
    results: list[TranscriptomeIndex]
