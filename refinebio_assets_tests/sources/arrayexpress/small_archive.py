"""A small ArrayExpress made by hand: a mirror with the few answers that a test is about, and its tables."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from refinebio_assets.domain import Sample
from refinebio_assets.sources.arrayexpress import addresses
from refinebio_assets.sources.arrayexpress.survey import survey_arrayexpress
from refinebio_assets.sources.web.client import Web
from refinebio_assets.sources.web.mirror import MirrorTransport
from refinebio_assets.sources.web.settings import open_mirror

EXPERIMENT = "E-MTAB-123"
ZIP = "ftp://ftp.ebi.ac.uk/pub/databases/microarray/data/experiment/MTAB/E-MTAB-123/E-MTAB-123"

IDF: Mapping[str, Sequence[str]] = {
    "Comment[ArrayExpressAccession]": [EXPERIMENT],
    "Investigation Title": ["Livers of mice"],
    "Experiment Description": ["What they express."],
    "Person Last Name": ["Doe"],
    "Person Email": ["doe@example.org"],
    "Person Affiliation": ["A university", "Another", "A university"],
    "Public Release Date": ["2014-10-31"],
    "Protocol Name": ["P-1", "P-2", "P-3"],
    "Protocol Type": ["growth", "", "labeling"],
    "Protocol Description": ["They grew.", "", "They were labeled."],
    "SDRF File": [f"{EXPERIMENT}.sdrf.txt"],
}

ARRAY: Mapping[str, str] = {
    "Source Name": "liver 1",
    "Characteristics[organism]": "Mus musculus",
    "Characteristics [age]": "5",
    "Extract Name": "RNA 1",
    "Label": "biotin",
    "Assay Name": "array-1",
    "Technology Type": "array assay",
    "Array Design REF": "A-AFFY-45",
    "Array Data File": "array-1.CEL",
    "Comment [ArrayExpress FTP file]": f"{ZIP}.raw.1.zip",
    "Derived Array Data File": "array-1.txt",
    "Comment [Derived ArrayExpress FTP file]": f"{ZIP}.processed.1.zip",
}
"""A row about one Affymetrix array, as ArrayExpress writes it."""

RUN: Mapping[str, str] = {
    "Source Name": "liver 1",
    "Characteristics[organism]": "Mus musculus",
    "Extract Name": "RNA 1",
    "Comment[LIBRARY_STRATEGY]": "RNA-Seq",
    "Comment [INSTRUMENT_MODEL]": "Illumina HiSeq 2000",
    "Assay Name": "library 1",
    "Technology Type": "sequencing assay",
    "Scan Name": "1_R1.fastq.gz",
    "Comment[ENA_RUN]": "ERR100001",
}
"""A row about one sequencing run."""


def an_array(number: int, **changes: str) -> dict[str, str]:
    """The row of the n-th array; changes by header, with blanks as underscores."""
    row = {header: cell.replace("array-1", f"array-{number}") for header, cell in ARRAY.items()}
    row["Source Name"] = f"liver {number}"
    return row | {header.replace("_", " "): cell for header, cell in changes.items()}


def idf_text(**changes: Sequence[str]) -> str:
    rows = dict(IDF) | {key.replace("_", " "): values for key, values in changes.items()}
    return "".join("\t".join([key, *values]) + "\n" for key, values in rows.items())


def sdrf_text(*rows: Mapping[str, str]) -> str:
    header = list(dict.fromkeys(name for row in rows for name in row))
    lines = ["\t".join(header), *("\t".join(row.get(name, "") for name in header) for row in rows)]
    return "\n".join(lines) + "\n"


class SmallArchive:
    """Answers by URL; what has none is not found."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._answers: list[dict[str, Any]] = []
        (folder / "bodies").mkdir(parents=True)

    def answer(self, url: str, body: str | bytes, *, status: int = 200, kind: str = "text/plain") -> None:
        name = f"bodies/{len(self._answers):03}.gz"
        content = body if isinstance(body, bytes) else body.encode()
        (self._folder / name).write_bytes(gzip.compress(content, 1))
        self._answers.append(
            {"method": "GET", "url": url, "status": status, "content_type": kind, "body": name}
        )

    def file(self, name: str, body: str | bytes) -> None:
        self.answer(addresses.file(EXPERIMENT, name), body)

    def tables(self, *rows: Mapping[str, str], idf: str | bytes | None = None) -> None:
        """Put an experiment's IDF, and its SDRF with these rows, where BioStudies has them."""
        self.file(f"{EXPERIMENT}.idf.txt", idf_text() if idf is None else idf)
        self.file(f"{EXPERIMENT}.sdrf.txt", sdrf_text(*rows))

    def json(self, url: str, document: object, *, status: int = 200) -> None:
        self.answer(url, json.dumps(document), status=status, kind="application/json")

    def web(self) -> Web:
        """The real client on these answers; what it tries again, it tries again at once."""
        lines = "".join(json.dumps(entry) + "\n" for entry in self._answers)
        (self._folder / "index.jsonl").write_text(lines, encoding="utf-8")
        return Web(MirrorTransport([open_mirror(self._folder)]), sleep=lambda seconds: None)


def a_study(*files: Mapping[str, Any], raw_list: str = "") -> dict[str, Any]:
    """A study as BioStudies' interface gives it, its files nested as they are there."""
    raw: dict[str, Any] = {"type": "Raw Data", "files": [list(files)]}
    if raw_list:
        raw["attributes"] = [{"name": "File List", "value": raw_list}]
    mage_tab = [
        {"path": f"{EXPERIMENT}.{kind}.txt", "size": 100, "type": "file", "attributes": []}
        for kind in ("idf", "sdrf")
    ]
    return {
        "accno": EXPERIMENT,
        "attributes": [
            {"name": "Title", "value": "Livers, as curated"},
            {"name": "ReleaseDate", "value": "2014-11-02"},
            {"name": "AttachTo", "value": "ArrayExpress"},
        ],
        "section": {
            "accno": f"s-{EXPERIMENT}",
            "type": "Study",
            "attributes": [{"name": "Description", "value": "As curated."}],
            "links": [[{"url": "ERP000123", "attributes": [{"name": "Type", "value": "ENA"}]}]],
            "subsections": [
                {
                    "type": "Assays and Data",
                    "subsections": [
                        {"type": "Array Designs", "links": [[{"url": "A-AFFY-45"}]]},
                        {"type": "MAGE-TAB Files", "files": [mage_tab]},
                        raw,
                    ],
                }
            ],
        },
        "type": "submission",
    }


RAW_ZIP = f"{ZIP}.raw.1.zip".replace("ftp://", "https://")
PROCESSED_ZIP = f"{ZIP}.processed.1.zip".replace("ftp://", "https://")
FTP = "Comment [ArrayExpress FTP file]"
DERIVED_FTP = "Comment [Derived ArrayExpress FTP file]"


def samples_of(archive: SmallArchive, *rows: dict[str, str]) -> tuple[Sample, ...]:
    archive.tables(*rows)
    return survey_arrayexpress(archive.web(), EXPERIMENT).samples
