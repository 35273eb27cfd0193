"""ENA's portal and cross-reference services: JSON records of runs and studies, and reports of files.

A record keeps ENA's field names and is otherwise untouched. The order in which ENA gives records means
nothing and may change: nothing here depends on it. What the fields mean to a survey is not known here; the
older XML records are in ``browser``.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from typing import Any

from refinebio_assets.errors import NotFoundError, PermanentError
from refinebio_assets.sources.web.client import Web

Document = Mapping[str, Any]
"""One JSON object as ENA sends it."""

PORTAL = "https://www.ebi.ac.uk/ena/portal/api"
CROSS_REFERENCES = "https://www.ebi.ac.uk/ena/xref/rest/json/search"


def find_runs(web: Web, accession: str) -> list[Document]:
    """Return the records of all runs of a study, project, sample, experiment or run, sorted by accession."""
    runs = _search(web, "read_run", accession)
    for run in runs:
        if not run.get("run_accession"):
            raise PermanentError(
                f"ENA's search for the runs of {accession} gave a record without run_accession"
            )
    return sorted(runs, key=lambda run: (accession_order(str(run["run_accession"])), _spelled(run)))


def accession_order(accession: str) -> tuple[int, str]:
    """Return what accessions are sorted by: ``SRR999999`` comes before ``SRR1000000``."""
    return len(accession), accession


def find_study_record(web: Web, accession: str) -> Document:
    """Return ENA's record of a study; empty when it has none. Of several, one of this study alone is best."""
    records = _search(web, "study", accession)
    return min(
        records,
        key=lambda record: (record.get("secondary_study_accession") != accession, _spelled(record)),
        default={},
    )


def find_pubmed_id(web: Web, project: str) -> str:
    """Return the PubMed id of the oldest paper that ENA links to a project (``PRJ...``), or an empty text."""
    parameters = {"accession": project, "expanded": "true", "source": "PubMed"}
    hits = _objects(web, CROSS_REFERENCES, parameters)
    ids = (str(hit.get("Source Primary Accession") or "").strip() for hit in hits)
    return min(filter(None, ids), key=accession_order, default="")


def find_file_report(web: Web, run: str) -> dict[str, str]:
    """Return what ENA reports of a run's files (``fastq_ftp``, ``fastq_md5`` ...); empty when nothing."""
    url = f"{PORTAL}/filereport"
    try:
        text = web.text(url, params={"accession": run, "result": "read_run"})
    except NotFoundError:
        return {}
    rows = csv.DictReader(text.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE, restkey="", restval="")
    report = next((row for row in rows if row.get("run_accession") == run), {})
    return {key: value for key, value in report.items() if key}


def _spelled(record: Document) -> str:
    return json.dumps(record, sort_keys=True)


def _search(web: Web, result: str, accession: str) -> list[Document]:
    parameters = {"result": result, "fields": "all", "format": "json", "includeAccessions": accession}
    return _objects(web, f"{PORTAL}/search/", parameters)


def _objects(web: Web, url: str, parameters: Mapping[str, str]) -> list[Document]:
    """Ask for a JSON list of objects; an answer of 404 or 204 is an empty one."""
    try:
        answer = web.json(url, params=parameters)
    except NotFoundError:
        return []
    if answer is None:
        return []
    if not isinstance(answer, list) or not all(isinstance(item, Mapping) for item in answer):
        raise PermanentError(
            f"{url} answered {str(answer)[:200]!r} for {dict(parameters)}, not a list of records"
        )
    return answer
