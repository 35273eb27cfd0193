"""Where ArrayExpress keeps things: at BioStudies today, at addresses of its own before.

Nothing is fetched here.
"""

from __future__ import annotations

from urllib.parse import quote

from refinebio_assets.errors import PermanentError
from refinebio_assets.sources.web.urls import https_url

_BIOSTUDIES = "https://www.ebi.ac.uk/biostudies"
_ARRAYEXPRESS = "https://www.ebi.ac.uk/arrayexpress"


def study(accession: str) -> str:
    """Return the address of BioStudies' record of an experiment, in JSON; it lists the files."""
    return f"{_BIOSTUDIES}/api/v1/studies/{accession}"


def study_info(accession: str) -> str:
    """Return the address of what BioStudies knows about a record itself: its dates, its place."""
    return f"{study(accession)}/info"


def file(accession: str, path: str) -> str:
    """Return the address of one file of an experiment; it outlives moves of BioStudies' storage."""
    return f"{_BIOSTUDIES}/files/{accession}/{quote(path)}"


def former_file(accession: str, name: str) -> str:
    """Return the address that an IDF or SDRF had at ArrayExpress, which leads to BioStudies today."""
    return f"{_ARRAYEXPRESS}/files/{accession}/{quote(name)}"


def retired_record(accession: str, part: str = "") -> str:
    """Return the address of the retired JSON interface (version 3), of which only records are left."""
    record = f"{_ARRAYEXPRESS}/json/v3/experiments/{accession}"
    return f"{record}/{part}" if part else record


def page(accession: str) -> str:
    """Return the address of the page that people read."""
    return f"{_BIOSTUDIES}/arrayexpress/studies/{accession}"


def secure(url: str) -> str:
    """Return the https address of what is on EBI's FTP server, and any other address as it is."""
    try:
        return https_url(url)
    except PermanentError:
        return url
