"""A small archive made by hand: a mirror folder with the few answers that a test is about."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from refinebio_assets.sources.web.client import Web
from refinebio_assets.sources.web.mirror import MirrorTransport
from refinebio_assets.sources.web.settings import open_mirror

PORTAL = "https://www.ebi.ac.uk/ena/portal/api"
XML = "https://www.ebi.ac.uk/ena/browser/api/xml"
BIOSAMPLES = "https://www.ebi.ac.uk/biosamples/samples"
STUDY = "SRP000123"
PROJECT = "PRJNA123"


def a_run(number: int = 1, **changes: str) -> dict[str, str]:
    """A run as ENA's portal describes it, single-end, with every field a survey looks at."""
    run = f"SRR100000{number}"
    return {
        "run_accession": run,
        "secondary_study_accession": STUDY,
        "study_accession": PROJECT,
        "sample_accession": f"SAMN0000000{number}",
        "scientific_name": "Danio rerio",
        "tax_id": "7955",
        "library_strategy": "RNA-Seq",
        "library_source": "TRANSCRIPTOMIC",
        "library_layout": "SINGLE",
        "library_construction_protocol": "",
        "instrument_platform": "ILLUMINA",
        "instrument_model": "Illumina HiSeq 2000",
        "sample_title": f"liver {number}",
        "experiment_title": "Illumina HiSeq 2000 sequencing",
        "fastq_ftp": f"ftp.sra.ebi.ac.uk/vol1/fastq/SRR100/00{number}/{run}/{run}.fastq.gz",
        "fastq_bytes": "1000",
        "fastq_md5": "0123456789abcdef0123456789abcdef",
        "sra_bytes": "900",
        "sra_md5": "fedcba9876543210fedcba9876543210",
    } | changes


def a_study(**changes: str) -> dict[str, str]:
    """A study as ENA's portal describes it."""
    return {
        "accession": PROJECT,
        "study_accession": PROJECT,
        "secondary_study_accession": STUDY,
        "study_title": "Livers of zebrafish",
        "study_description": "What they express.",
        "study_alias": "GSE4567",
        "geo_accession": "GSE4567",
        "center_name": "A university",
        "first_public": "2017-09-25",
        "last_updated": "2018-01-02",
    } | changes


def search_url(result: str, accession: str) -> str:
    return f"{PORTAL}/search/?result={result}&fields=all&format=json&includeAccessions={accession}"


def pubmed_links_url(project: str = PROJECT) -> str:
    return f"https://www.ebi.ac.uk/ena/xref/rest/json/search?accession={project}&expanded=true&source=PubMed"


class SmallArchive:
    """Answers by URL; what has none is not found."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._answers: list[dict[str, Any]] = []
        (folder / "bodies").mkdir()

    def answer(self, url: str, body: str, *, status: int = 200, kind: str = "application/json") -> None:
        """Answer a URL with a body; of several answers to one URL a mirror gives one."""
        name = f"bodies/{len(self._answers):03}.gz"
        (self._folder / name).write_bytes(gzip.compress(body.encode()))
        entry = {"method": "GET", "url": url, "status": status, "content_type": kind, "body": name}
        self._answers.append(entry)

    def runs(self, accession: str, runs: Iterable[Mapping[str, Any]]) -> None:
        self.answer(search_url("read_run", accession), json.dumps(list(runs)))

    def study(self, study: Mapping[str, Any], accession: str = STUDY) -> None:
        self.answer(search_url("study", accession), json.dumps([study]))

    def xml(self, accession: str, body: str) -> None:
        self.answer(f"{XML}/{accession}", f'<?xml version="1.0"?>\n{body}', kind="application/xml")

    def web(self) -> Web:
        """The real client on these answers; what it tries again, it tries again at once."""
        lines = "".join(json.dumps(entry) + "\n" for entry in self._answers)
        (self._folder / "index.jsonl").write_text(lines, encoding="utf-8")
        return Web(MirrorTransport([open_mirror(self._folder)]), sleep=lambda seconds: None)
