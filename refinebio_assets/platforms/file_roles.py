"""What a file of an archive is for, judged by its name alone.

What is inside the file is judged by whoever opens it (``formats/``); which file a sample's pipeline
reads, by ``pipeline_choice``.
"""

from __future__ import annotations

import re

from refinebio_assets.domain import FileRole

ARCHIVE_SUFFIXES = (".tar", ".tgz", ".tar.gz", ".zip")
_WRAPPING = (*ARCHIVE_SUFFIXES, ".gz")
_NON_NORMALIZED = re.compile(r"[-_]non[-_]normalized\.txt")
_MINIML = re.compile(r"_family\.xml$")
_TABLES = (".txt", ".tsv", ".csv", ".tab")
_FASTQ = (".fastq", ".fq")
_SECOND_MATE = re.compile(r"_(?:R?2|R2_\d{3})$", re.IGNORECASE)
# NCBI serves a run under its bare accession; a version or ".lite" may follow.
_BARE_RUN = re.compile(r"[sed]rr\d{5,}(?:\.lite)?(?:\.\d+)?$")


def is_archive(name: str) -> bool:
    """Tell whether the name is that of a tar or zip; a plain ``.gz`` is compression, not an archive."""
    return name.lower().endswith(ARCHIVE_SUFFIXES)


def role_of_file(name: str) -> FileRole | None:
    """Return what a file of this name is for, or None when no pipeline reads its kind.

    ``name`` may be a path or URL. Case, ``.gz`` and archive suffixes do not count: ``a.CEL.gz`` is a CEL
    file. An archive whose name does not tell what is in it is ``ARCHIVE``; so is GEO's MINiML family.
    Tables are ``PROCESSED`` unless they are called non-normalized in one of the four spellings that
    Illumina's submitters use. Images, scanner reports, idat, CHP, XML and the like have no role.
    """
    lowered = name.split("?", 1)[0].rstrip("/").rsplit("/", 1)[-1].lower()
    bare = _unwrapped(lowered)
    role = _role_of_bare_name(bare)
    opaque = "." not in bare or bare.endswith(("raw", "processed")) or _is_numbered(bare)
    if role is None and is_archive(lowered) and (opaque or _MINIML.search(bare)):
        return FileRole.ARCHIVE
    return role


def _unwrapped(name: str) -> str:
    while name.endswith(_WRAPPING):
        name = name.rsplit(".", 1)[0]
    return name


def _is_numbered(bare: str) -> bool:
    """ArrayExpress numbers its archives: ``E-MTAB-3050.raw.1.zip``."""
    return bare.rsplit(".", 1)[-1].isdigit()


def _role_of_bare_name(bare: str) -> FileRole | None:
    stem, _, suffix = bare.rpartition(".")
    suffix = f".{suffix}"
    if stem and suffix == ".cel":
        return FileRole.CEL
    if stem and suffix in _FASTQ:
        return FileRole.FASTQ_2 if _SECOND_MATE.search(stem) else FileRole.FASTQ_1
    if suffix == ".sra" or _BARE_RUN.match(bare):
        return FileRole.SRA
    if _NON_NORMALIZED.search(bare):
        return FileRole.BEADARRAY
    return FileRole.PROCESSED if stem and suffix in _TABLES else None
