"""ENA's browser service: the XML records of a study and all that belongs to it.

They say nearly all that the portal's JSON says, one record a request, so that they are asked only when the
portal's search has no answer. What a record means is known in ``xml_records``.
"""

from __future__ import annotations

from collections.abc import Iterable
from xml.etree.ElementTree import Element

from refinebio_assets.domain import DropKind, Dropped
from refinebio_assets.errors import NotFoundError, PermanentError
from refinebio_assets.sources.accessions import Kind, is_accession
from refinebio_assets.sources.sra import portal, xml_records
from refinebio_assets.sources.sra.parallel import fetch_each
from refinebio_assets.sources.sra.records import Run, StudyRecords
from refinebio_assets.sources.sra.xml_records import Record, overlay
from refinebio_assets.sources.web.client import Web

BROWSER = "https://www.ebi.ac.uk/ena/browser/api/xml"


def find_study_of(web: Web, accession: str) -> str:
    """Return the study that a run, experiment, sample or project belongs to; empty when none is named.

    Raises NotFoundError when ENA has no such record.
    """
    return xml_records.study_of(_fetch(web, accession))


def read_study(web: Web, accession: str) -> StudyRecords:
    """Return a study with all its runs, from XML records and one report of files a run.

    Runs that the study names and ENA does not have are left out, with the reason. Raises NotFoundError when
    there is no such study, PermanentError when there is none of its runs.
    """
    study = _fetch(web, accession, "STUDY")
    named = sorted(xml_records.linked_accessions(study, "ENA-RUN"), key=portal.accession_order)
    found = _known(fetch_each(named, lambda run: _fetch_known(web, run, "RUN")))
    if not found:
        missing = f"; ENA has none of the {len(named):,} runs it names" if named else ""
        raise PermanentError(f"{accession} has no runs (private or withdrawn?){missing}")
    record = xml_records.study_record(study)
    runs = _combine(web, record, [xml_records.run_record(run) for run in found.values()])
    return StudyRecords(
        accession=accession,
        study=_study_facts(study, record, runs[0]),
        runs=tuple(Run(facts=run, metadata=tuple(sorted(run.items()))) for run in runs),
        metadata=tuple(sorted(record.items())),
        pubmed_id=record.get("pubmed_id", ""),
        left_out=tuple(_unknown_run(run, accession) for run in named if run not in found),
    )


def _combine(web: Web, study: Record, runs: list[Record]) -> list[Record]:
    """Lay over each run its experiment, sample, study, submission and files, as refine.bio did."""
    experiments = _read_all(web, runs, "experiment_accession", "EXPERIMENT")
    samples = _read_all(web, runs, "sample_accession", "SAMPLE")
    submissions = _read_all(web, runs, "submission_accession", "SUBMISSION")
    files = fetch_each((run["run_accession"] for run in runs), lambda run: portal.find_file_report(web, run))
    return [
        overlay(
            run,
            experiments.get(run.get("experiment_accession", ""), {}),
            samples.get(run.get("sample_accession", ""), {}),
            study,
            submissions.get(run.get("submission_accession", ""), {}),
            files[run["run_accession"]],
        )
        for run in runs
    ]


_READERS = {
    "EXPERIMENT": xml_records.experiment_record,
    "SAMPLE": xml_records.sample_record,
    "SUBMISSION": xml_records.submission_record,
}


def _read_all(web: Web, runs: Iterable[Record], key: str, tag: str) -> dict[str, Record]:
    wanted = [run[key] for run in runs if run.get(key)]
    found = _known(fetch_each(wanted, lambda accession: _fetch_known(web, accession, tag)))
    return {accession: _READERS[tag](element) for accession, element in found.items()}


def _known(records: dict[str, Element | None]) -> dict[str, Element]:
    return {accession: record for accession, record in records.items() if record is not None}


def _fetch_known(web: Web, accession: str, tag: str) -> Element | None:
    try:
        return _fetch(web, accession, tag)
    except NotFoundError:
        return None


def _fetch(web: Web, accession: str, tag: str | None = None) -> Element:
    url = f"{BROWSER}/{accession}"
    return web.parsed(url, lambda content: xml_records.parse_record(content, tag, url))


def _study_facts(study: Element, record: Record, run: Record) -> Record:
    """Return a study's facts under the portal's names; ``run`` has what its submission says."""
    other_archive = record.get("external_id", "")
    identifiers = [(element.text or "").strip() for element in study.iterfind("IDENTIFIERS/*")]
    return {
        "study_title": record.get("study_title", ""),
        "study_description": record.get("study_abstract") or record.get("study_description", ""),
        "lab_name": run.get("lab_name", ""),
        "center_name": study.get("center_name", ""),
        "first_public": record.get("study_ena_first_public", ""),
        "last_updated": record.get("study_ena_last_update", ""),
        "study_accession": next((text for text in identifiers if text.startswith("PRJ")), ""),
        "geo_accession": other_archive if is_accession(other_archive, Kind.GEO_SERIES) else "",
        "study_alias": other_archive,
    }


def _unknown_run(run: str, study: str) -> Dropped:
    reason = f"{study} names it, but ENA has no record of it (suppressed or private)"
    return Dropped(DropKind.SAMPLE, run, "survey", reason)
