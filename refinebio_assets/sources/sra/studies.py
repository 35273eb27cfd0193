"""Finds the study behind any accession of SRA, and reads it from the service of ENA that has it.

The portal's search is asked first, the XML records when it has no answer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from refinebio_assets.domain import DropKind, Dropped, distinct
from refinebio_assets.errors import NotFoundError, PermanentError, RequestError
from refinebio_assets.metadata.flatten import flatten_json
from refinebio_assets.sources.accessions import Kind, is_accession
from refinebio_assets.sources.sra import browser, portal
from refinebio_assets.sources.sra.biosamples import find_biosamples, what_is_said
from refinebio_assets.sources.sra.portal import Document
from refinebio_assets.sources.sra.records import Run, StudyRecords
from refinebio_assets.sources.web.client import Web


def find_study(web: Web, accession: str) -> str:
    """Return the study (``SRP...``) that an accession of SRA is or belongs to.

    A study's own accession is returned as it is, without asking. Raises NotFoundError when ENA does not
    know the accession, and RequestError when it belongs to several studies, which are then named.
    """
    if is_accession(accession, Kind.SRA_STUDY):
        return accession
    return _study_among(accession, portal.find_runs(web, accession)) or _study_by_browser(web, accession)


def read_study(web: Web, accession: str) -> StudyRecords:
    """Return the study that an accession of SRA is or belongs to, with all its runs.

    When ENA finds the runs of the accession but none for their study, those runs are the study, and
    ``left_out`` says so. Raises NotFoundError for what ENA does not know, PermanentError for a study without
    runs, RequestError for an accession that belongs to several studies.
    """
    asked = portal.find_runs(web, accession)
    study = accession if is_accession(accession, Kind.SRA_STUDY) else _study_among(accession, asked)
    runs = asked if study in ("", accession) else portal.find_runs(web, study)
    if runs:
        return _from_portal(web, study, runs)
    if asked:
        records = _from_portal(web, study, asked)
        return replace(records, left_out=(*records.left_out, _unlisted(study, accession)))
    return _from_browser(web, study or _study_by_browser(web, accession))


def studies_of(run: Document) -> list[str]:
    """Return the studies that a run's record names, of which ENA may write several into one text."""
    named = str(run.get("secondary_study_accession") or run.get("study_accession") or "")
    return [part.strip() for part in named.split(";") if part.strip()]


def _study_among(accession: str, runs: Sequence[Document]) -> str:
    """Return the one study of the runs; empty when there are none. A run's first study is its own."""
    studies = distinct(study for run in runs for study in studies_of(run)[:1])
    if len(studies) > 1:
        raise RequestError(
            f"{accession} belongs to {len(studies)} studies; ask for one: {', '.join(studies)}"
        )
    return studies[0] if studies else ""


def _study_by_browser(web: Web, accession: str) -> str:
    try:
        study = browser.find_study_of(web, accession)
    except NotFoundError as error:
        raise NotFoundError(f"ENA knows no {accession} (unknown, withdrawn or private)") from error
    if not study:
        raise NotFoundError(f"ENA names no study that {accession} belongs to")
    return study


def _from_browser(web: Web, study: str) -> StudyRecords:
    try:
        return browser.read_study(web, study)
    except NotFoundError as error:
        if portal.find_study_record(web, study):
            raise PermanentError(f"{study} has no runs (private or withdrawn?)") from error
        raise NotFoundError(f"ENA knows no study {study} (unknown, withdrawn or private)") from error


def _from_portal(web: Web, study: str, runs: Sequence[Document]) -> StudyRecords:
    own = [run for run in runs if study in studies_of(run)] or list(runs)
    others = [run for run in runs if study not in studies_of(run)] if len(own) < len(runs) else []
    record = portal.find_study_record(web, study)
    project = str(record.get("accession") or "")
    samples = find_biosamples(web, filter(None, map(_biosample_of, own)))
    return StudyRecords(
        accession=study,
        study=_facts(record),
        runs=tuple(_run(run, samples, record) for run in own),
        metadata=flatten_json(record),
        pubmed_id=portal.find_pubmed_id(web, project) if project else "",
        left_out=tuple(_of_another_study(run, study) for run in others),
    )


def _run(run: Document, samples: Mapping[str, Document], study: Document) -> Run:
    """Lay the sample's document over the run's record, and add the study's under its own prefix."""
    pairs = dict(flatten_json(run))
    sample = samples.get(_biosample_of(run), {})
    pairs |= flatten_json(what_is_said(sample))
    return Run(_facts(run), (*pairs.items(), *flatten_json(study, "study_ena")))


def _biosample_of(run: Document) -> str:
    """Return the run's sample at BioSamples, of a pool the first; empty when none is named."""
    named = str(run.get("sample_accession") or "").split(";")
    return next((sample.strip() for sample in named if sample.strip().startswith("SAM")), "")


def _facts(record: Document) -> dict[str, str]:
    return {key: value.strip() for key, value in flatten_json(record)}


def _unlisted(study: str, accession: str) -> Dropped:
    reason = f"ENA lists no runs of it; taken were only those that it found for {accession}"
    return Dropped(DropKind.SAMPLE, study, "survey", reason)


def _of_another_study(run: Document, study: str) -> Dropped:
    reason = f"ENA found it for {study}, but says that it belongs to {', '.join(studies_of(run))}"
    return Dropped(DropKind.SAMPLE, str(run["run_accession"]), "survey", reason)
