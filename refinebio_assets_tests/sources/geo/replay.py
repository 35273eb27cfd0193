"""Answers of GEO for tests: a folder in the form of recorded responses, and SOFT texts to put in."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from refinebio_assets.sources.geo import addresses

Record = Mapping[str, Iterable[str]]


class Replay:
    """A folder of answers that a real ``Web`` replays; whatever is not in it is not found."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "bodies").mkdir(parents=True)
        (folder / "index.jsonl").touch()

    def add(self, url: str, body: bytes, *, content_type: str = "geo/text", status: int = 200) -> None:
        name = f"bodies/{hashlib.sha1(url.encode(), usedforsecurity=False).hexdigest()}.gz"
        (self.folder / name).write_bytes(gzip.compress(body, 1))
        entry = {
            "method": "GET",
            "url": url,
            "status": status,
            "content_type": content_type,
            "content_length": None,
            "location": None,
            "body": name,
            "bytes": len(body),
        }
        with (self.folder / "index.jsonl").open("a") as index:
            index.write(json.dumps(entry) + "\n")

    def add_family(self, series: str, text: str | bytes) -> None:
        body = text if isinstance(text, bytes) else text.encode()
        url = addresses.family_soft(series)
        self.add(url, gzip.compress(body, 1), content_type="application/x-gzip")


def soft_record(kind: str, name: str, record: Record) -> str:
    """Return one entity of SOFT, with a small data table where GEO has one."""
    lines = [f"^{kind} = {name}"]
    for key, values in record.items():
        lines += [f"!{kind.capitalize()}_{key} = {value}" for value in values]
    if kind != "SERIES":
        word = kind.lower()
        lines += [
            "#ID_REF = ",
            f"!{word}_table_begin",
            "ID_REF\tVALUE",
            "1007_s_at\t7.1",
            f"!{word}_table_end",
        ]
    return "\n".join(lines) + "\n"


def family_text(
    series: str, facts: Record, samples: Mapping[str, Record], titles: Mapping[str, str | None]
) -> str:
    """Return a family file: the series, the platforms that have a title, the samples."""
    records = [soft_record("DATABASE", "GeoMiame", {"name": ["Gene Expression Omnibus (GEO)"]})]
    records.append(soft_record("SERIES", series, facts))
    records += [soft_record("PLATFORM", gpl, {"title": [title]}) for gpl, title in titles.items() if title]
    records += [soft_record("SAMPLE", gsm, record) for gsm, record in samples.items()]
    return "".join(records)


def page(sentence: str) -> bytes:
    """Return the web page with which GEO says why it gives no record; the status is 200."""
    return (
        "<!DOCTYPE html>\n<html><head><title>GEO Accession viewer</title><script>var a = 1;</script></head>"
        f'<body><p>NCBI > GEO > Accession Display</p>\n<font color="red">{sentence}</font></body></html>'
    ).encode()
