"""Which files ArrayExpress offers for a sample, and whether there are raw data among them.

What a file is for by its name is known in ``platforms/file_roles``; ArrayExpress's own rules are here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from refinebio_assets.domain import FileRole, Manufacturer, SourceFile, distinct
from refinebio_assets.platforms.file_roles import is_archive, role_of_file
from refinebio_assets.sources.arrayexpress import addresses
from refinebio_assets.sources.arrayexpress.biostudies import Study
from refinebio_assets.sources.arrayexpress.mage_tab import SdrfRow

_RAW_COLUMNS = ("arraydatafile", "arraydatamatrixfile")
_DERIVED_COLUMNS = ("derivedarraydatafile", "derivedarraydatamatrixfile")
_URL = re.compile(r"(ftp|https?)://", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class NamedFile:
    """A file that a row names.

    ``archive`` is the address that the row gives with it: of a zip that holds it, or its own; empty when the
    row has a column for it that is empty, None when it has no such column.
    """

    name: str
    derived: bool
    archive: str | None


@dataclass(frozen=True, slots=True)
class OfferedFiles:
    """A sample's files that a pipeline may read, best first, and whether raw data are offered.

    ``named`` are the names that its rows give, ``offered`` those of them that ArrayExpress offers, best
    first, whatever they are.
    """

    files: tuple[SourceFile, ...]
    has_raw: bool
    named: tuple[str, ...]
    offered: tuple[str, ...]


def named_files(row: SdrfRow) -> list[NamedFile]:
    """Return the files that a row names, in the order of its columns."""
    found = []
    for column, name in enumerate(row.names):
        cell = row.cells[column].strip()
        if cell and name in _RAW_COLUMNS + _DERIVED_COLUMNS:
            found.append(NamedFile(cell, name in _DERIVED_COLUMNS, _archive(row, column)))
    return found


def raw_stems(row: SdrfRow) -> frozenset[str]:
    """Return the names of a row's raw files without suffix; what one array leaves behind has one stem."""
    return frozenset(
        file.name.rpartition(".")[0] or file.name for file in named_files(row) if not file.derived
    )


def files_of_sample(
    rows: Sequence[SdrfRow], accession: str, study: Study | None, manufacturer: Manufacturer
) -> OfferedFiles:
    """Return what ArrayExpress offers for the sample of these rows, raw files first.

    A file that BioStudies lists is taken from there alone, any other from the zip that its row gives; one
    that has neither is not offered. There are raw data when a raw file is offered, or a zip of raw data is
    named, but not for a sample that mentions Cy3 and not Cy5: refine.bio does not take raw data of such
    samples. Files that no pipeline reads are left out. A raw table of an Illumina array holds intensities.
    """
    named = _distinct(file for row in rows for file in named_files(row))
    located = [(file, place) for file in named if (place := _locate(file, accession, study)) is not None]
    has_raw = any(not file.derived or "raw" in (file.archive or "") for file, _ in located)
    judged = [(file, place, _role(file, manufacturer, has_raw=has_raw)) for file, place in located]
    judged.sort(key=lambda entry: (entry[2] is None, entry[0].derived, entry[2] != FileRole.CEL))
    return OfferedFiles(
        files=tuple(replace(place, role=role) for _, place, role in judged if role is not None),
        has_raw=has_raw and not _is_one_color(rows),
        named=tuple(distinct(file.name for file in named)),
        offered=tuple(distinct(file.name for file, _, _ in judged)),
    )


def _distinct(files: Iterable[NamedFile]) -> list[NamedFile]:
    found: dict[tuple[str, bool], NamedFile] = {}
    for file in files:
        found.setdefault((file.name, file.derived), file)
    return list(found.values())


def _archive(row: SdrfRow, column: int) -> str | None:
    """Return the address that the comments right of a file's column give."""
    for name, cell in zip(row.names[column + 1 :], row.cells[column + 1 :], strict=True):
        if not name.startswith("comment["):
            return None
        if "ftpfile" in name:
            return cell.strip()
    return None


def _locate(file: NamedFile, accession: str, study: Study | None) -> SourceFile | None:
    """Return where a file is, its role still to be told; None when it is not offered."""
    role = FileRole.PROCESSED
    if _URL.match(file.name):
        return SourceFile(role, addresses.secure(file.name))
    archive = (file.archive or "").rsplit("/", 1)[-1]
    member = file.name if is_archive(archive) else ""
    listed = study.files if study else {}
    name = file.name.rsplit("/", 1)[-1]
    if name in listed:
        known = listed[name]
        return SourceFile(role, addresses.file(accession, known.path), size=known.size)
    if archive in listed:
        known = listed[archive]
        return SourceFile(role, addresses.file(accession, known.path), member, known.size)
    if file.archive:
        return SourceFile(role, addresses.secure(file.archive), member)
    if file.archive is None and study is None:
        return SourceFile(role, addresses.file(accession, file.name))
    return None


def _role(file: NamedFile, manufacturer: Manufacturer, *, has_raw: bool) -> FileRole | None:
    role = role_of_file(file.name)
    if file.derived:
        # A CEL file that was made from another one is a second choice, never beside raw data.
        return role if role == FileRole.PROCESSED or not has_raw else None
    if role == FileRole.PROCESSED and manufacturer == Manufacturer.ILLUMINA:
        return FileRole.BEADARRAY
    return role


def _is_one_color(rows: Sequence[SdrfRow]) -> bool:
    text = "\t".join(cell for row in rows for cell in row.cells).lower()
    return "cy3" in text and "cy5" not in text
