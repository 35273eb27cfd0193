"""Which files a run of SRA can be downloaded as, and where they are. Nothing is looked up here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from refinebio_assets.domain import FileRole, SourceFile

NCBI_RUNS = "https://sra-pub-run-odp.s3.amazonaws.com/sra"


@dataclass(frozen=True, slots=True)
class _ReportedFile:
    """One FASTQ file as ENA reports it."""

    url: str
    size: int | None
    md5: str

    def is_mate(self, run: str, mate: int) -> bool:
        return self.url.endswith(f"/{run}_{mate}.fastq.gz")

    def as_source(self, role: FileRole) -> SourceFile:
        return SourceFile(role, self.url, size=self.size, md5=self.md5)


def files_of_run(run: Mapping[str, str]) -> tuple[SourceFile, ...]:
    """Return the files of a run: ENA's FASTQ, one or two with size and md5, then NCBI's own format.

    ``run`` has ENA's fields ``run_accession``, ``fastq_ftp``, ``fastq_bytes`` and ``fastq_md5``. What
    ENA reports decides, not the declared layout: with both mates those two are taken, and a third file
    (reads that lost their mate) is not; a single file is taken alone, whatever its mate number. Several
    files that are not two mates hold technical reads, or cannot be told apart: then only NCBI's file is
    named, from which sra-tools takes the biological reads. Of NCBI's file nothing is promised:
    ``sra_bytes`` and ``sra_md5`` are of the copy that ENA made.
    """
    accession = run["run_accession"]
    ncbi = SourceFile(FileRole.SRA, f"{NCBI_RUNS}/{accession}/{accession}")
    return (*_reads(accession, _reported(run)), ncbi)


def _reads(run: str, files: list[_ReportedFile]) -> list[SourceFile]:
    first = [file for file in files if file.is_mate(run, 1)]
    second = [file for file in files if file.is_mate(run, 2)]
    others = [file for file in files if file not in first + second]
    if len(first) == len(second) == 1 and all(file.url.endswith(f"/{run}.fastq.gz") for file in others):
        return [first[0].as_source(FileRole.FASTQ_1), second[0].as_source(FileRole.FASTQ_2)]
    if len(files) == 1:
        return [files[0].as_source(FileRole.FASTQ_1)]
    return []


def _reported(run: Mapping[str, str]) -> list[_ReportedFile]:
    """Read the columns with one value a file; sizes or checksums of another number are not trusted."""
    paths = _values(run, "fastq_ftp")
    sizes = _values(run, "fastq_bytes", len(paths))
    checksums = _values(run, "fastq_md5", len(paths))
    return [
        _ReportedFile(https_url(path), int(size) if size.isdecimal() else None, md5.lower())
        for path, size, md5 in zip(paths, sizes, checksums, strict=True)
        if path
    ]


def _values(run: Mapping[str, str], field: str, expected: int | None = None) -> list[str]:
    values = [value.strip() for value in run.get(field, "").split(";")]
    return values if expected in (None, len(values)) else [""] * (expected or 0)


def https_url(path: str) -> str:
    """Return the URL of one of ENA's files, which it names without scheme: ``ftp.sra.ebi.ac.uk/vol1/...``."""
    bare = path.split("://", 1)[-1]
    return f"https://{bare}"
