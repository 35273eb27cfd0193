"""Which files GEO offers for a sample, and whether there is raw data among them.

What a file is for by its name is known in ``platforms/file_roles``; GEO's own rules are here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from refinebio_assets.domain import FileRole, Manufacturer, SourceFile, distinct
from refinebio_assets.platforms.file_roles import role_of_file
from refinebio_assets.sources.geo import addresses
from refinebio_assets.sources.geo.soft import SoftEntity

_KEY = re.compile(r"supplementary_file(_\d+)?")
_URL = re.compile(r"(ftp|https?)://", re.IGNORECASE)
_IGNORED = (
    *("idat.gz", ".chp", "chp.gz", "ndf.gz", "pos.gz", "pair.gz", "gff.gz", "sdf.gz", "tif.gz"),
    *("locs.gz", "grn.xml.gz", "red.xml.gz"),
)
"""Files that refine.bio never fetched: what scanners and other makers' arrays leave behind."""
_IGNORED_OF_ILLUMINA = "csv.gz"
_NON_NORMALIZED = re.compile(r"[-_]non[-_]normalized\.txt")
_CEL = re.compile(r"\.cel(?![a-z])")
_BEST_FIRST = (FileRole.CEL, FileRole.BEADARRAY, FileRole.ARCHIVE, FileRole.PROCESSED)


@dataclass(frozen=True, slots=True)
class OfferedFiles:
    """A sample's files, best first, and whether GEO offers raw data for it."""

    files: tuple[SourceFile, ...]
    has_raw: bool

    @property
    def has_cel(self) -> bool:
        """Tell whether there is a CEL file among them."""
        return any(file.role == FileRole.CEL for file in self.files)


def raw_tables_of_series(series: SoftEntity) -> tuple[str, ...]:
    """Return the addresses of the tables of non-normalized intensities that a series has for its samples.

    Everything else that a series offers (``GSE..._RAW.tar``) is what its samples offer one by one.
    """
    return tuple(url for url in supplementary_urls(series) if _NON_NORMALIZED.search(url.lower()))


def supplementary_urls(record: SoftEntity) -> list[str]:
    """Return the addresses of a record's supplementary files, in order, each once, over https.

    What is no address (``NONE``, a bare file name) is left out; an FTP server other than GEO's keeps its
    address, and only the samples that need the file hear of it.
    """
    values = (value for key, value in record.pairs if _KEY.fullmatch(key))
    return distinct(addresses.secure(value) for value in values if _URL.match(value))


def files_of_sample(
    sample: SoftEntity, manufacturer: Manufacturer, *, series: str, raw_tables: Iterable[str]
) -> OfferedFiles:
    """Return what GEO offers for a sample that was not sequenced.

    Its data count as raw when no processing of them is described, when it has a CEL file or a table
    called non-normalized, and when its series has such a table (``raw_tables``), which then belongs to
    each of its samples. A sample without raw data has its values in the MINiML archive of ``series``,
    unless its record says that it has no rows. Files that no pipeline reads are left out.
    """
    kept = [url for url in supplementary_urls(sample) if not _is_ignored(url, manufacturer)]
    urls = distinct([*kept, *raw_tables])
    has_raw = not sample.first("data_processing") or any(map(_is_raw, urls))
    files = [SourceFile(role, url) for url in urls if (role := role_of_file(url)) is not None]
    if not has_raw and sample.first("data_row_count") != "0":
        table = addresses.miniml_table(sample.name)
        archive = addresses.family_miniml(series)
        files.append(SourceFile(FileRole.PROCESSED, archive, table, columns=sample.columns))
    return OfferedFiles(tuple(sorted(files, key=_rank)), has_raw)


def _is_ignored(url: str, manufacturer: Manufacturer) -> bool:
    lowered = url.lower()
    if manufacturer == Manufacturer.ILLUMINA and _IGNORED_OF_ILLUMINA in lowered:
        return True
    return any(part in lowered for part in _IGNORED)


def _is_raw(url: str) -> bool:
    name = url.lower().rsplit("/", 1)[-1]
    return bool(_CEL.search(name) or _NON_NORMALIZED.search(name))


def _rank(file: SourceFile) -> int:
    return _BEST_FIRST.index(file.role) if file.role in _BEST_FIRST else len(_BEST_FIRST)
