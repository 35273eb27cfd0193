"""Salmon: building a transcriptome index and quantifying the reads of one sample.

Written for and tested with Salmon 1.10.1; what it does with odd input is described where it matters.
Reading ``quant.sf`` is the work of ``formats``; preparing transcripts that of ``pipelines``.
"""

from __future__ import annotations

import json
import re
import struct
import tempfile
import threading
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from refinebio_assets.errors import FormatError, NotFoundError, RequestError, ToolError
from refinebio_assets.tools.process import ProgramRun, run_program

INSTALL_HINT = "install it with: apt-get install salmon, or: conda install -c bioconda salmon"

LONG_KMER = 31
SHORT_KMER = 23
LONGEST_MEAN_OF_SHORT_READS = 75.0
"""Reads up to this mean length use the index of k = 23; the rule and both k are refine.bio's."""

MIN_ASSIGNED_READS = 10
"""Salmon's default of ``--minAssignedFrags``: with fewer it refuses to estimate."""

_CLIPPED_TOO_SHORT = re.compile(r"Entry with header \[(.*)\], had length less than equal to the k-mer length")
_CLIPPED_AWAY = re.compile(r"Discarding entry with header \[(.*)\], since it had length 0")


@dataclass(frozen=True, slots=True)
class SalmonIndex:
    """An index on disk and what Salmon said about it.

    ``transcripts`` counts the rows that every ``quant.sf`` made with this index has. ``duplicates`` are pairs
    (removed, kept) of transcripts with one sequence. ``too_short`` names those not longer than k once
    their poly-A tail is clipped: they stay in ``quant.sf``, with a count that is always zero.
    ``clipped_away`` names those without any base left, which are not in ``quant.sf``.
    """

    folder: Path
    version: str
    command: str
    duration_seconds: float
    kmer: int
    sequence_hash: str
    name_hash: str
    transcripts: int
    duplicates: tuple[tuple[str, str], ...]
    too_short: tuple[str, ...]
    clipped_away: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SalmonRun:
    """The quantification of one sample on disk and what Salmon said about it.

    Reads are fragments: a pair counts once. ``mapping_rate`` is 0 to 1. ``library_type`` is what Salmon
    detected (``IU``, ``SR`` ...). ``mean_fragment_length`` is in bases, and None for single-end reads,
    where Salmon assumes a length instead of measuring it.
    """

    version: str
    command: str
    quant_sf: Path
    library_type: str
    mapping_rate: float
    reads_processed: int
    reads_mapped: int
    mean_fragment_length: float | None
    duration_seconds: float
    started_at: datetime
    cpu_seconds: float
    peak_memory_bytes: int


def salmon_version(executable: str = "salmon") -> str:
    """Return the version of the installed Salmon, as in ``1.10.1``."""
    printed = run_program([executable, "--version"], install_hint=INSTALL_HINT).stdout_tail
    match = re.fullmatch(r"salmon (\S+)", printed.strip())
    if match is None:
        raise ToolError(f"{executable} --version printed {printed.strip()!r}, not 'salmon' and a version")
    return match.group(1)


def index_kmer(mean_read_length: float) -> int:
    """Return the k of the index for reads of this mean length in bases: 31 above 75, else 23.

    Source: refine.bio's ``salmon.py``, which picks its TRANSCRIPTOME_LONG or _SHORT index this way.
    """
    return LONG_KMER if mean_read_length > LONGEST_MEAN_OF_SHORT_READS else SHORT_KMER


def build_index(
    transcripts: Path,
    folder: Path,
    *,
    kmer: int,
    threads: int,
    executable: str = "salmon",
    cancelled: threading.Event | None = None,
) -> SalmonIndex:
    """Index a FASTA file of transcripts (plain or gzip, any file name) into a new folder.

    Salmon takes k odd and at most 31. A gzip file that is cut short is indexed without complaint as far
    as it goes: compare ``transcripts`` with what you expect. The index files differ in bytes from run to
    run, even with one thread, but hold the same sequences (``sequence_hash``).

    Raises ToolError when no transcript is longer than k, when two transcripts share a name, and when the
    file is not FASTA.
    """
    _require_file(transcripts)
    arguments = ["--no-version-check", "index", "-t", str(transcripts.absolute()), "-i", folder.name]
    arguments += ["-k", str(kmer), "-p", str(threads)]
    folder.parent.mkdir(parents=True, exist_ok=True)
    try:  # started beside the folder, whose path Salmon writes into info.json as it is given
        run = run_program(
            [executable, *arguments],
            cwd=folder.parent,
            install_hint=INSTALL_HINT,
            cancelled=cancelled,
        )
    except ToolError as error:
        raise ToolError(_explain_index(transcripts, kmer, error)) from error
    return _read_index(folder, run)


def quantify(
    index: Path,
    folder: Path,
    *,
    fastq_1: Path,
    fastq_2: Path | None,
    threads: int,
    executable: str = "salmon",
    expected_reads: int | None = None,
    cancelled: threading.Event | None = None,
) -> SalmonRun:
    """Quantify one sample's reads (FASTQ, plain or gzip, any file name) against an index.

    Library type and sequence bias are always estimated, GC bias for paired reads only, as refine.bio does.
    Salmon ends without complaint at the first end of two unequal mate files, and at the end of a gzip
    file that is cut short: give ``expected_reads`` (pairs count once) to have that refused.
    Its estimates differ in the last digits from run to run, even with one thread.

    Raises ToolError when fewer than 10 reads map, when the files are not FASTQ, or when the number of reads
    is not the expected one; the folder is then not to be used.
    """
    fastqs = [fastq_1] if fastq_2 is None else [fastq_1, fastq_2]
    for fastq in fastqs:
        _require_file(fastq)
    if len({fastq.resolve() for fastq in fastqs}) < len(fastqs):
        raise RequestError(f"both mates are the same file: {fastq_1}")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="reads-", dir=folder.parent) as links:
        arguments = _quant_arguments(index, folder, _link_reads(Path(links), fastqs), threads)
        try:
            run = run_program(
                [executable, *arguments], cwd=Path(links), install_hint=INSTALL_HINT, cancelled=cancelled
            )
        except ToolError as error:
            names = " and ".join(fastq.name for fastq in fastqs)
            raise ToolError(_explain_quantification(index, folder, names, error)) from error
    result = _read_quantification(folder, run, paired=fastq_2 is not None)
    if expected_reads not in (None, result.reads_processed):
        raise ToolError(
            f"Salmon read {result.reads_processed:,} of {expected_reads:,} reads of {fastq_1.name}: "
            "a file is cut short, or the mates are not equally many"
        )
    return result


def _link_reads(folder: Path, fastqs: list[Path]) -> list[str]:
    """Link the files under names that Salmon accepts; return the arguments that name the links.

    Salmon refuses a file without one of the usual extensions, as content-addressed files are, but then
    decides by content whether it is compressed.
    """
    options = ["-r"] if len(fastqs) == 1 else ["-1", "-2"]
    names = ["reads.fastq.gz"] if len(fastqs) == 1 else ["reads_1.fastq.gz", "reads_2.fastq.gz"]
    for name, fastq in zip(names, fastqs, strict=True):
        (folder / name).symlink_to(fastq.absolute())
    return [word for pair in zip(options, names, strict=True) for word in pair]


def _quant_arguments(index: Path, folder: Path, reads: list[str], threads: int) -> list[str]:
    """Refine.bio's arguments; ``--no-version-check`` keeps Salmon from asking a server for its version."""
    models = ["-l", "A", "--seqBias", "--dumpEq", "--writeUnmappedNames"]
    models += ["--gcBias"] if "-2" in reads else []
    places = ["-i", str(index.absolute()), *reads, "-p", str(threads), "-o", str(folder.absolute())]
    return ["--no-version-check", "quant", *models, *places]


def _read_index(folder: Path, run: ProgramRun) -> SalmonIndex:
    kmer, sequence_hash, name_hash = _read_facts(folder / "info.json", "k", "SeqHash", "NameHash")
    (version,) = _read_facts(folder / "versionInfo.json", "salmonVersion")
    log = _read_text(folder / "ref_indexing.log")
    return SalmonIndex(
        folder=folder,
        version=version,
        command=run.command,
        duration_seconds=run.duration_seconds,
        kmer=int(kmer),
        sequence_hash=sequence_hash,
        name_hash=name_hash,
        transcripts=_vector_length(folder / "complete_ref_lens.bin"),
        duplicates=_read_duplicates(folder / "duplicate_clusters.tsv"),
        too_short=tuple(_CLIPPED_TOO_SHORT.findall(log)),
        clipped_away=tuple(_CLIPPED_AWAY.findall(log)),
    )


def _read_duplicates(file: Path) -> tuple[tuple[str, str], ...]:
    """Read pairs (removed, kept); the file has the columns RetainedRef and DuplicateRef."""
    rows = [tuple(line.split("\t")) for line in _read_text(file).splitlines()]
    if rows[:1] != [("RetainedRef", "DuplicateRef")]:
        raise FormatError(file, line=1, expected="RetainedRef, DuplicateRef", found=f"{rows[:1]}")
    return tuple((removed, kept) for kept, removed in rows[1:])


def _vector_length(file: Path) -> int:
    """Read how many 32-bit numbers a vector that Salmon wrote holds: its first 8 bytes say so."""
    _require_file(file)
    with file.open("rb") as handle:
        (length,) = struct.unpack("<Q", handle.read(8).ljust(8, b"\0"))
    size = file.stat().st_size
    if size != 8 + 4 * length:
        raise FormatError(file, expected=f"{8 + 4 * length:,} bytes", found=f"{size:,}")
    return int(length)


def _read_quantification(folder: Path, run: ProgramRun, *, paired: bool) -> SalmonRun:
    _require_file(folder / "quant.sf")
    meta = folder / "aux_info" / "meta_info.json"
    processed, mapped, mean_length = _read_facts(meta, "num_processed", "num_mapped", "frag_length_mean")
    (version,) = _read_facts(folder / "cmd_info.json", "salmon_version")
    (library_type,) = _read_facts(folder / "lib_format_counts.json", "expected_format")
    return SalmonRun(
        version=version,
        command=run.command,
        quant_sf=folder / "quant.sf",
        library_type=library_type,
        mapping_rate=mapped / processed if processed else 0.0,
        reads_processed=int(processed),
        reads_mapped=int(mapped),
        mean_fragment_length=float(mean_length) if paired else None,
        duration_seconds=run.duration_seconds,
        cpu_seconds=run.cpu_seconds,
        peak_memory_bytes=run.peak_memory_bytes,
        started_at=run.started_at,
    )


def _explain_index(transcripts: Path, kmer: int, error: ToolError) -> str:
    if "wrote 0 cleaned references" in str(error):
        return (
            f"no index of {transcripts}: it holds no transcript longer than k = {kmer} bases, "
            f"or is not a FASTA file\n{error}"
        )
    return f"no index of {transcripts}: {error}"


def _explain_quantification(index: Path, folder: Path, reads: str, error: ToolError) -> str:
    meta = folder / "aux_info" / "meta_info.json"
    if meta.is_file():
        problems, processed, mapped = _read_facts(meta, "quant_errors", "num_processed", "num_mapped")
        if "insufficient_assigned_fragments" in problems:
            return (
                f"{mapped:,} of {processed:,} reads of {reads} mapped to the index {index}, and Salmon "
                f"needs at least {MIN_ASSIGNED_READS}: is it the right organism?"
            )
    if "Error reading from the FASTA/Q stream" in str(error):
        return f"{reads}: not a FASTQ file, or mates that do not belong together\n{error}"
    return f"{reads}: {error}"


def _require_file(file: Path) -> None:
    if not file.is_file():
        raise NotFoundError(f"there is no file {file}")


def _read_text(file: Path) -> str:
    _require_file(file)
    return file.read_text(encoding="utf-8", errors="replace")


def _read_facts(file: Path, *keys: str) -> tuple[Any, ...]:
    """Read values of a JSON file that Salmon wrote, in the order of the keys."""
    try:
        facts = json.loads(_read_text(file))
        return tuple(facts[key] for key in keys)
    except (ValueError, KeyError, TypeError) as error:
        raise FormatError(file, expected=f"JSON with {', '.join(keys)}", found=repr(error)) from error
