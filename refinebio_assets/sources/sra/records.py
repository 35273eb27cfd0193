"""A study as one of ENA's services describes it, in the form that the survey reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from refinebio_assets.domain import Dropped, Metadata


@dataclass(frozen=True, slots=True)
class Run:
    """One run: facts under the portal's names (a missing one is absent or empty), and all that is said."""

    facts: Mapping[str, str]
    metadata: Metadata


@dataclass(frozen=True, slots=True)
class StudyRecords:
    """One study with its runs, sorted by accession.

    ``study`` has facts under the portal's names, ``metadata`` the study's record untouched. ``pubmed_id`` is
    empty when ENA links no paper. ``left_out`` are runs that could not be had, with the reason.
    """

    accession: str
    study: Mapping[str, str]
    runs: tuple[Run, ...]
    metadata: Metadata
    pubmed_id: str = ""
    left_out: tuple[Dropped, ...] = ()
