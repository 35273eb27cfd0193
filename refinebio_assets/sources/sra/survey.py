"""Surveys a study of SRA: its runs become samples, with their files, platform, protocols and metadata.

What ENA says is read by ``studies``. Which fields of the metadata mean what is the metadata room's
work, and whether a sample is processed that of ``platforms.pipeline_choice``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from refinebio_assets.domain import (
    DropKind,
    Dropped,
    Experiment,
    Protocol,
    Sample,
    Technology,
    organism_name,
)
from refinebio_assets.errors import PermanentError
from refinebio_assets.platforms.sequencers import sequencer_of_run
from refinebio_assets.platforms.sra_rules import SraRules, exclusion
from refinebio_assets.sources.accessions import Archive, Kind, accessions_in
from refinebio_assets.sources.pubmed import find_publication
from refinebio_assets.sources.sra.records import Run, StudyRecords
from refinebio_assets.sources.sra.run_files import files_of_run
from refinebio_assets.sources.sra.studies import find_study, read_study
from refinebio_assets.sources.web.client import Web

__all__ = ["find_study", "survey_sra"]

STUDY_PAGES = "https://www.ebi.ac.uk/ena/browser/view"
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_ARCHIVE_NAMES = {"GEO", "NCBI", "BIOPROJECT", "ARRAYEXPRESS"}
"""Archives that handed a study on, and then stand where the institution's name should be."""
_DEFAULT_RULES = SraRules()


def survey_sra(web: Web, accession: str, rules: SraRules = _DEFAULT_RULES) -> Experiment:
    """Return the study that an accession of SRA is or belongs to, each run a sample, sorted by accession.

    A run, experiment, sample or project accession surveys its whole study, which is what is processed. When
    ENA cannot list that study, the runs it finds for the accession are the experiment, and ``left_out``
    says so. Runs that the rules refuse are samples with the reason in ``excluded``.

    Raises NotFoundError for an accession ENA does not know, PermanentError for a study without runs (private
    or withdrawn), RequestError for an accession of several studies, TransientError when ENA, BioSamples or
    PubMed cannot be reached.
    """
    records = read_study(web, accession)
    page = f"{STUDY_PAGES}/{records.accession}"
    samples = tuple(_sample(run.facts, run, page, rules) for run in records.runs if _organism(run.facts))
    nameless = tuple(_without_organism(run) for run in records.runs if not _organism(run.facts))
    if not samples:
        raise PermanentError(
            f"{records.accession}: {nameless[0].reason}, and so for all its {len(nameless):,} runs"
        )
    study = records.study
    return Experiment(
        accession=records.accession,
        source=Archive.SRA.value,
        samples=samples,
        title=_title(records),
        description=study.get("study_description", ""),
        url=page,
        alternates=_alternates(records),
        published=_date(study.get("first_public", "")),
        updated=_date(study.get("last_updated", "")),
        institution=_institution(study),
        publication=find_publication(web, records.pubmed_id),
        protocols=tuple(dict.fromkeys(protocol for sample in samples for protocol in sample.protocols)),
        metadata=records.metadata,
        left_out=(*records.left_out, *nameless),
    )


def _sample(facts: Mapping[str, str], run: Run, page: str, rules: SraRules) -> Sample:
    accession = facts["run_accession"]
    taxon = facts.get("tax_id", "")
    strategy, source = facts.get("library_strategy", ""), facts.get("library_source", "")
    return Sample(
        accession=accession,
        organism=_organism(facts),
        technology=Technology.RNA_SEQ,
        platform=sequencer_of_run(facts.get("instrument_platform", ""), facts.get("instrument_model", "")),
        files=files_of_run(facts),
        metadata=run.metadata,
        title=facts.get("sample_title") or facts.get("experiment_title", ""),
        taxonomy_id=int(taxon) if taxon.isdecimal() else None,
        protocols=_protocols(facts, page),
        excluded=exclusion(accession, strategy, source, rules),
    )


def _organism(facts: Mapping[str, str]) -> str:
    return organism_name(facts.get("scientific_name", ""))


def _without_organism(run: Run) -> Dropped:
    return Dropped(DropKind.SAMPLE, run.facts["run_accession"], "survey", "ENA names no organism for it")


def _protocols(facts: Mapping[str, str], page: str) -> tuple[Protocol, ...]:
    """Take every field that is a protocol, and the design that the older records have in its place."""
    kinds = [key for key in facts if key.endswith("protocol") or key == "experiment_design_description"]
    texts = {kind.replace("_", " "): facts[kind] for kind in kinds if facts[kind]}
    return tuple(Protocol(kind=kind, text=text, reference=page) for kind, text in texts.items())


def _shares_project(records: StudyRecords) -> bool:
    """Tell whether the record that ENA gives for the study is of a project that holds others as well."""
    return ";" in records.study.get("secondary_study_accession", "")


def _title(records: StudyRecords) -> str:
    """Return the study's title. In a shared project the runs alone know that of their own study."""
    of_record, of_run = records.study.get("study_title", ""), records.runs[0].facts.get("study_title", "")
    return of_run or of_record if _shares_project(records) else of_record or of_run


def _alternates(records: StudyRecords) -> tuple[str, ...]:
    """Name the study's accessions at GEO, ArrayExpress and BioProject, in this order, each sorted.

    A project that holds more studies than this one is another thing, and no name for it.
    """
    study = records.study
    names = " ".join(study.get(key, "") for key in ("geo_accession", "study_alias"))
    found = [
        name for kind in (Kind.GEO_SERIES, Kind.ARRAY_EXPRESS) for name in sorted(accessions_in(names, kind))
    ]
    project = "" if _shares_project(records) else study.get("study_accession", "")
    return tuple(dict.fromkeys(name for name in (*found, project) if name not in ("", records.accession)))


def _institution(study: Mapping[str, str]) -> str:
    """Name the laboratory when ENA says which (its XML does), else the center that handed the study in."""
    named = (study.get("lab_name", ""), study.get("center_name", ""))
    return next((name for name in named if name and name.upper() not in _ARCHIVE_NAMES), "")


def _date(text: str) -> str:
    match = _DATE.match(text)
    return match.group() if match else ""
