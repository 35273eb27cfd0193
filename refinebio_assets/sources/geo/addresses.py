"""Where GEO keeps things. Everything is asked over https; nothing is fetched here."""

from __future__ import annotations

import re

_FILES = "https://ftp.ncbi.nlm.nih.gov/geo"
_FTP_SERVER = re.compile(r"^ftp://ftp\.ncbi\.(?:nlm\.)?nih\.gov/", re.IGNORECASE)
"""GEO's server, under its name or the one that old records give it."""
_RECORDS = "https://www.ncbi.nlm.nih.gov/geo/query/acc.cgi"


def folder_of(accession: str) -> str:
    """Return the folder that GEO keeps it in: ``GSE12955`` -> ``GSE12nnn``, ``GSE7`` -> ``GSEnnn``."""
    return re.sub(r"\d{1,3}$", "nnn", accession)


def family_soft(series: str) -> str:
    """Return the address of a series' family file: its record, its platforms' and its samples', in SOFT."""
    return f"{_FILES}/series/{folder_of(series)}/{series}/soft/{series}_family.soft.gz"


def family_miniml(series: str) -> str:
    """Return the address of the same in MINiML: XML, and each sample's table as a member of its own."""
    return f"{_FILES}/series/{folder_of(series)}/{series}/miniml/{series}_family.xml.tgz"


def miniml_table(sample: str) -> str:
    """Return the name of the member of the MINiML archive that holds a sample's values."""
    return f"{sample}-tbl-1.txt"


def record(accession: str) -> str:
    """Return the address of the attributes of one record (GSE, GSM or GPL) in SOFT."""
    return f"{_RECORDS}?targ=self&acc={accession}&form=text&view=brief"


def family_records(series: str) -> str:
    """Return the address of the attributes of a series, its platforms and its samples in SOFT."""
    return f"{_RECORDS}?targ=all&acc={series}&form=text&view=brief"


def page(accession: str) -> str:
    """Return the address of the page that people read."""
    return f"{_RECORDS}?acc={accession}"


def secure(url: str) -> str:
    """Return the https address of what is on GEO's FTP server, and any other address as it is."""
    return _FTP_SERVER.sub("https://ftp.ncbi.nlm.nih.gov/", url)
