"""Fetches the records of GEO: a whole series with its samples, or one record alone.

What the records say is read elsewhere; only what GEO answers instead of a record is understood here.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable
from dataclasses import dataclass

from refinebio_assets.errors import FormatError, NotFoundError
from refinebio_assets.formats.compressed import read_chunks
from refinebio_assets.sources.geo import addresses
from refinebio_assets.sources.geo.soft import SoftEntity, read_soft
from refinebio_assets.sources.web.client import Web
from refinebio_assets.sources.web.mirror import NotMirroredError

_REFUSAL = re.compile(
    r"(?:Accession \S+ )?(?:is currently private|has been deleted|was deleted by|is not yet approved"
    r"|could not find)[^.]*",
    re.IGNORECASE,
)
"""How GEO says, on a page with status 200, that a record is not for everyone, or not any more."""
_TAG = re.compile(r"<(script|style|head)\b.*?</\1\s*>|<[^>]*>", re.IGNORECASE | re.DOTALL)
_BEFORE_TEXT = b"\xef\xbb\xbf \r\n"


@dataclass(frozen=True, slots=True)
class Family:
    """The records of a series: its own, its samples' in the file's order, its platforms' titles."""

    series: SoftEntity
    samples: tuple[SoftEntity, ...]
    platform_titles: dict[str, str]


def fetch_family(web: Web, accession: str) -> Family:
    """Fetch the records of a series: its family file, or, where GEO has not made one, record by record.

    The file may have gigabytes, nearly all of them tables, so it goes through a file in the web's scratch
    folder and is read as a stream. Raises NotFoundError with GEO's own words for a series that is unknown,
    withdrawn or private, NotMirroredError when only a mirror was asked and lacks it, FormatError for what is
    no SOFT, and what ``Web`` raises.
    """
    url = addresses.family_soft(accession)
    with web.scratch_folder("refinebio-geo-") as folder:
        target = folder / "family.soft.gz"
        try:
            web.download(url, target)
        except NotFoundError as error:
            return _fetch_records(web, accession, error)
        return _gather(read_soft(read_chunks(target), url), url, accession)


def fetch_record(web: Web, accession: str) -> SoftEntity:
    """Fetch the attributes of one record (GSE, GSM or GPL), without its table.

    Raises NotFoundError with GEO's own words for one that is unknown, withdrawn or private, FormatError for
    what is no SOFT, and what ``Web`` raises.
    """
    url = addresses.record(accession)
    for entity in _fetch_soft(web, url, accession):
        if entity.name == accession:
            return entity
    raise FormatError(url, expected=f"the record of {accession}", found="other records")


def _fetch_records(web: Web, accession: str, no_file: NotFoundError) -> Family:
    """Fetch a series record by record, as there is ``no_file`` of it."""
    url = addresses.family_records(accession)
    try:
        return _gather(_fetch_soft(web, url, accession), url, accession)
    except NotMirroredError as error:
        raise NotMirroredError(f"{error}; of its family file: {no_file}", error.url) from error


def _gather(entities: Iterable[SoftEntity], url: str, accession: str) -> Family:
    series: SoftEntity | None = None
    samples: dict[str, SoftEntity] = {}
    titles: dict[str, str] = {}
    for entity in entities:
        if entity.kind == "SERIES" and entity.name == accession:
            series = entity
        elif entity.kind == "SAMPLE":
            samples.setdefault(entity.name, entity)
        elif entity.kind == "PLATFORM":
            titles[entity.name] = entity.first("title")
    if series is None:
        raise FormatError(url, expected=f"the record '^SERIES = {accession}'", found="no such record")
    return Family(series, tuple(samples.values()), titles)


def _fetch_soft(web: Web, url: str, accession: str) -> Iterable[SoftEntity]:
    """Fetch a SOFT text from GEO's record service, which answers with a page when it has none to give."""
    try:
        content = web.get(url, html=True).content
    except NotMirroredError as error:
        raise NotMirroredError(f"whether GEO has {accession} is not known: {error}", error.url) from error
    except NotFoundError as error:
        raise NotFoundError(f"GEO has no record of {accession}: {error}") from error
    if not content.lstrip(_BEFORE_TEXT).startswith(b"^"):
        refusal = _REFUSAL.search(_words(content))
        if refusal:
            raise NotFoundError(f"GEO gives no record of {accession}: {refusal[0].strip()}")
        # Any other page is a failure of the server: the web's own rules say whether it may pass.
        content = web.get(url).content
    return read_soft([content], url)


def _words(page: bytes) -> str:
    return " ".join(html.unescape(_TAG.sub(" ", page.decode("utf-8", errors="replace"))).split())
