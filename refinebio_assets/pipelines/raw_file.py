"""One file of one sample, as ``raw_files`` records it, and its row in the lake's table ``files``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from refinebio_assets.domain import FileRole, Verdict
from refinebio_assets.lake.rows import read_rows
from refinebio_assets.lake.store import Commit, InputRef, Lake, StoredFile
from refinebio_assets.pipelines.arriving_file import FetchedFile, Findings
from refinebio_assets.pipelines.fetch_file import Origin


@dataclass(frozen=True, slots=True)
class RawFile:
    """Where a sample's file came from, and where it is in the lake or why it is not.

    ``reads`` (count) and ``mean_read_length`` (bases) are None except for FASTQ files. ``reason`` is
    empty for a file that is in the lake and passed its checks. ``member`` is the file's path in the
    archive at its origin, empty when it came by itself; ``chip_type`` is what a CEL file
    calls its array. ``lost`` says, when it is gathered, why a file that was in the lake cannot be had.
    ``permanent`` is whether what a failed or lost file was refused for stays so.
    """

    sample: str
    role: FileRole
    origin: Origin
    stored: StoredFile | None = None
    md5: str = ""
    reads: int | None = None
    mean_read_length: float | None = None
    reason: str = ""
    permanent: bool = True
    member: str = ""
    chip_type: str = ""
    lost: str = ""

    @property
    def usable(self) -> bool:
        """Whether the file is in the lake and passed its checks."""
        return self.stored is not None and not self.reason

    @property
    def label(self) -> str:
        """What messages call the file: where it is from, and which member of an archive there."""
        return f"{self.origin.location} ({self.member})" if self.member else self.origin.location

    @property
    def sha256(self) -> str:
        """The hash of the stored file, empty when it is not in the lake."""
        return self.stored.sha256 if self.stored else ""

    def inputs(self) -> list[InputRef]:
        """Return the file as an input of what is made from it: nothing when it is not in the lake."""
        return [InputRef("file", self.sha256, self.sha256)] if self.stored else []

    @classmethod
    def of_fetched(cls, file: FetchedFile, role: FileRole) -> RawFile:
        """Return the record of a file just brought in, not yet given to a sample."""
        found = cls("", role, file.origin, file.stored, file.md5, member=file.member)
        return found.with_findings(file.findings)

    def with_findings(self, findings: Findings) -> RawFile:
        """Return the file with what a look into it found."""
        fastq = findings.fastq
        reads, length = (fastq.reads, fastq.mean_length) if fastq else (None, None)
        return replace(self, reads=reads, mean_read_length=length, chip_type=findings.chip_type)


def read_raw_files(lake: Lake, commit: Commit) -> list[RawFile]:
    """Return the files that a commit of ``raw_files`` lists, in its order."""
    return [_from_row(row) for row in read_rows(lake, commit, "files")]


def file_rows(experiment: str, files: Iterable[RawFile]) -> list[dict[str, Any]]:
    """Return rows for the lake's table ``files``."""
    return [_to_row(experiment, file) for file in files]


def _to_row(experiment: str, file: RawFile) -> dict[str, Any]:
    stored = file.stored
    return {
        "experiment": experiment,
        "sample": file.sample,
        "role": str(file.role),
        "origin": file.origin.location,
        "name": stored.name if stored else "",
        "size": stored.size if stored else file.origin.size,
        "modified": file.origin.modified,
        "md5": file.md5,
        "sha256": file.sha256,
        "path": stored.path if stored else "",
        "reads": file.reads,
        "mean_read_length": file.mean_read_length,
        "verdict": str(Verdict.PROCESSED if file.usable else Verdict.FAILED),
        "reason": file.reason,
        "permanent": file.permanent,
        "member": file.member,
        "origin_size": file.origin.size,
        "chip_type": file.chip_type,
    }


def _from_row(row: Mapping[str, Any]) -> RawFile:
    stored = StoredFile(row["name"], row["path"], row["size"], row["sha256"]) if row["path"] else None
    origin_size = row["size"] if row["origin_size"] is None else row["origin_size"]
    return RawFile(
        sample=row["sample"],
        role=FileRole(row["role"]),
        origin=Origin(row["origin"], origin_size, row["modified"]),
        stored=stored,
        md5=row["md5"],
        reads=row["reads"],
        mean_read_length=row["mean_read_length"],
        reason=row["reason"],
        permanent=row["permanent"],
        member=row["member"] or "",
        chip_type=row["chip_type"] or "",
    )
