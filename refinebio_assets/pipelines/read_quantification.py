"""Quantifies one RNA-seq sample: its reads by Salmon, or a quant.sf taken as it is given."""

from __future__ import annotations

import gzip
import hashlib
import tempfile
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, ClassVar
from urllib.parse import urlsplit

from refinebio_assets.domain import FileRole, Sample
from refinebio_assets.errors import PermanentError
from refinebio_assets.formats.quant_sf import TPM_TOTAL, read_quant_sf
from refinebio_assets.lake.store import Draft, InputRef, Lake
from refinebio_assets.pipelines.freshness import Basis
from refinebio_assets.pipelines.raw_file import RawFile
from refinebio_assets.pipelines.references.transcriptome_index import Transcriptome
from refinebio_assets.pipelines.transcript_summary import TPM_TOLERANCE
from refinebio_assets.tools import salmon

CODE_VERSION = "1"
QUANT_FILE = "quant.sf.gz"
MAX_NAME_LENGTH = 100
SUBMITTED = "submitted"
READ_ROLES = (FileRole.FASTQ_1, FileRole.FASTQ_2)


@dataclass(frozen=True, slots=True)
class QuantificationTask:
    """All that one sample's quantification needs; ``transcriptome`` is None for a submitted quant.sf."""

    code_version: ClassVar[str] = CODE_VERSION
    result_file: ClassVar[str] = QUANT_FILE

    sample: Sample
    files: Mapping[FileRole, RawFile]
    transcriptome: Transcriptome | None = None
    kmer: int = 0
    tool_version: str = ""

    @property
    def processor(self) -> str:
        """The name of what quantifies: ``Salmon``, or ``submitted`` for a quant.sf as given."""
        return "Salmon" if self.transcriptome else SUBMITTED

    def basis(self) -> Basis:
        """Return everything that determines the result; equal bases share one quantification."""
        basis: dict[str, Any] = {"code version": CODE_VERSION, "processor": self.processor}
        for role, file in self.files.items():
            if role != FileRole.GENE_MAP and file.stored:
                basis[str(role)] = file.sha256
        if self.transcriptome:
            basis["transcriptome index"] = self.transcriptome.index_version
            basis["k-mer length"] = self.kmer
            basis["salmon version"] = self.tool_version
        return basis

    @property
    def reference(self) -> str | None:
        """The version of the index, None for a submitted quant.sf."""
        return self.transcriptome.index_version if self.transcriptome else None

    def inputs(self) -> list[InputRef]:
        """Return the files and the index that the quantification is made from."""
        used = (file for role, file in self.files.items() if role != FileRole.GENE_MAP)
        files = [ref for file in used for ref in file.inputs()]
        if self.transcriptome is None:
            return files
        index = self.transcriptome
        return [*files, InputRef("transcriptome_index", index.organism, index.version)]

    def remarks(self) -> list[str]:
        """Say nothing: what is odd about reads is found when they are quantified."""
        return []

    def run(
        self, lake: Lake, draft: Draft, *, threads: int, cancelled: threading.Event | None
    ) -> dict[str, Any]:
        """Write the quant.sf into the draft and return Salmon's facts about it.

        Raises a PermanentError for bad input, a TransientError when Salmon was killed.
        """
        if self.transcriptome is None:
            return _take_submitted(lake, self, draft)
        return _run_salmon(lake, self, self.transcriptome, draft, threads, cancelled)


def index_kmer_for(files: Mapping[FileRole, RawFile]) -> int:
    """Return the k-mer length for a sample's reads: 31 if they are longer than 75 bases on average."""
    reads = [file for role, file in files.items() if role in READ_ROLES]
    total = sum(file.reads or 0 for file in reads)
    bases = sum((file.reads or 0) * (file.mean_read_length or 0.0) for file in reads)
    return salmon.index_kmer(bases / total)


def _local(lake: Lake, task: QuantificationTask, role: FileRole) -> Path:
    file = task.files.get(role)
    if file is None or file.stored is None:
        raise PermanentError(f"sample {task.sample.accession} has no {role}")
    return lake.local(file.stored)


def _run_salmon(
    lake: Lake,
    task: QuantificationTask,
    transcriptome: Transcriptome,
    draft: Draft,
    threads: int,
    cancelled: threading.Event | None,
) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="reads-") as named:
        reads = [_named(lake, task, role, Path(named)) for role in READ_ROLES if role in task.files]
        run = salmon.quantify(
            transcriptome.index_folder(lake, task.kmer),
            draft.folder / "salmon",
            fastq_1=reads[0],
            fastq_2=reads[1] if len(reads) > 1 else None,
            threads=threads,
            expected_reads=task.files[FileRole.FASTQ_1].reads,
            cancelled=cancelled,
        )
    quant = read_quant_sf(run.quant_sf, label=f"Salmon's quant.sf of {task.sample.accession}")
    version = _store_quant(run.quant_sf, draft)
    run.quant_sf.unlink()
    return {
        "version": version,
        "processor_version": run.version,
        "command": run.command,
        "mapping_rate": run.mapping_rate,
        "library_type": run.library_type,
        "reads_processed": run.reads_processed,
        "reads_mapped": run.reads_mapped,
        "mean_fragment_length": run.mean_fragment_length,
        "transcripts": len(quant.tpm),
        "started_at": run.started_at.isoformat(),
        "duration_seconds": run.duration_seconds,
        "cpu_seconds": run.cpu_seconds,
        "peak_memory_bytes": run.peak_memory_bytes,
        "warnings": [],
    }


def _named(lake: Lake, task: QuantificationTask, role: FileRole, folder: Path) -> Path:
    """Link a file of the lake under the name its source gave it, for messages that people read."""
    name = PurePosixPath(urlsplit(task.files[role].origin.location).path).name
    link = folder / str(role) / name[-MAX_NAME_LENGTH:]
    link.parent.mkdir()
    link.symlink_to(_local(lake, task, role).absolute())
    return link


def _take_submitted(lake: Lake, task: QuantificationTask, draft: Draft) -> dict[str, Any]:
    file = task.files[FileRole.QUANT_SF]
    path = _local(lake, task, FileRole.QUANT_SF)
    quant = read_quant_sf(path, label=file.origin.location)
    total = quant.tpm_total
    odd = abs(total - TPM_TOTAL) > TPM_TOLERANCE * TPM_TOTAL
    warning = (
        f"TPM of {file.origin.location} sum to {total:,.0f}, not 1,000,000: the file may be cut or filtered"
    )
    return {
        "version": _store_quant(path, draft),
        "transcripts": len(quant.tpm),
        "warnings": [warning] if odd else [],
    }


def _store_quant(source: Path, draft: Draft) -> str:
    """Write the quant.sf compressed, the same bytes each time, and return the SHA-256 of its text."""
    digest = hashlib.sha256()
    with (
        _text_of(source) as text,
        (draft.folder / QUANT_FILE).open("wb") as raw,
        gzip.GzipFile(filename="", mode="wb", fileobj=raw, compresslevel=6, mtime=0) as target,
    ):
        while chunk := text.read(1 << 20):
            digest.update(chunk)
            target.write(chunk)
    return digest.hexdigest()


def _text_of(path: Path) -> Any:
    with path.open("rb") as stream:
        compressed = stream.read(2) == b"\x1f\x8b"
    return gzip.open(path, "rb") if compressed else path.open("rb")
