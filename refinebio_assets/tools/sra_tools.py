"""SRA Toolkit: turning a downloaded run in NCBI's own format into FASTQ files, without any network.

Written for and tested with fasterq-dump 3.0.3; what it does with odd input is described where it matters.
Where runs are downloaded from is known in ``sources.sra``.
"""

from __future__ import annotations

import re
import tempfile
import threading
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from refinebio_assets.errors import NotFoundError, RequestError, ToolError
from refinebio_assets.tools.process import ProgramRun, find_program, run_program

INSTALL_HINT = "install it with: apt-get install sra-toolkit, or: conda install -c bioconda sra-tools"

# Without ``provider`` every start asks the addresses at which clouds describe themselves (measured with
# strace); without ``disabled`` a file that is not understood is looked up at NCBI as if it were an accession.
# Version 3 refuses to run without an installation's identifier, which serves NCBI's statistics of downloads.
_OFFLINE_SETTINGS = """\
/LIBS/GUID = "00000000-0000-4000-8000-000000000000"
/libs/cloud/provider = "none"
/libs/cloud/report_instance_identity = "false"
/repository/remote/disabled = "true"
"""

_BLOCK_BYTES = 1 << 20
_LINES_A_READ = 4
_RUN_NAME = re.compile(r"\w[\w.-]*")


@dataclass(frozen=True, slots=True)
class SraConversion:
    """The reads of one run as plain FASTQ, and what fasterq-dump said about them.

    ``fastqs`` is one file, or the two mates, which are equally many and in the same order. ``spots`` are the
    run's fragments. ``unmated_reads`` counts those of a paired run that have no mate: they are left out.
    """

    fastqs: tuple[Path, ...]
    spots: int
    unmated_reads: int
    version: str
    command: str
    duration_seconds: float
    started_at: datetime


def fasterq_dump_version(executable: str = "fasterq-dump") -> str:
    """Return the version of the installed fasterq-dump, as in ``3.0.3``."""
    with tempfile.TemporaryDirectory(prefix="sra-") as folder:
        printed = _run_offline(Path(folder), executable, ["--version"], None).stdout_tail
    match = re.search(r"fasterq-dump\s*:\s*(\d[\w.]*)", printed)
    if match is None:
        raise ToolError(f"{executable} --version printed {printed.strip()!r}, which has no version")
    return match.group(1)


def sra_to_fastq(
    sra: Path,
    folder: Path,
    *,
    cores: int,
    run: str = "",
    executable: str = "fasterq-dump",
    cancelled: threading.Event | None = None,
) -> SraConversion:
    """Write the reads of a run in NCBI's format as plain FASTQ files into a folder, which is made.

    The files are named after ``run``, or after ``sra`` when it is empty: ``SRR1_1.fastq`` and
    ``SRR1_2.fastq``, or ``SRR1.fastq``; existing ones are replaced. Technical reads are left out, and so
    are reads of a paired run without a mate (``--split-3``, as refine.bio has it). While it works it needs
    space in the folder for the FASTQ files twice over. The user's own settings of the toolkit are neither
    read nor changed.

    Runs stored as differences to a reference genome that is not in the file cannot be converted without
    a network. Raises ToolError for those, and for files that are damaged or of another format.
    """
    name = run or sra.name
    _check_request(sra, name, cores)
    version = fasterq_dump_version(executable)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="sra-", dir=folder) as scratch:
        place = Path(scratch)
        (place / name).symlink_to(sra.absolute())
        arguments = ["--split-3", "--threads", str(cores), "--temp", "work", "--outdir", "fastq", f"./{name}"]
        try:
            ended = _run_offline(place, executable, arguments, cancelled)
        except ToolError as error:
            raise ToolError(_explain(sra, error)) from error
        reads = _reads_in(place / "fastq", name, sra)
        unmated = place / "fastq" / f"{name}.fastq"
        return SraConversion(
            fastqs=tuple(fastq.replace(folder / fastq.name) for fastq in reads),
            spots=_spots_read(ended, sra),
            unmated_reads=_count_reads(unmated) if len(reads) == 2 and unmated.exists() else 0,
            version=version,
            command=ended.command,
            duration_seconds=ended.duration_seconds,
            started_at=ended.started_at,
        )


def _check_request(sra: Path, name: str, cores: int) -> None:
    if not sra.is_file():
        raise NotFoundError(f"there is no file {sra}")
    if cores < 1:
        raise RequestError(f"cores must be at least 1, not {cores}")
    if not _RUN_NAME.fullmatch(name):
        raise RequestError(f"{name!r} cannot name FASTQ files: letters, digits, _, - and . can")


def _run_offline(
    place: Path, executable: str, arguments: list[str], cancelled: threading.Event | None
) -> ProgramRun:
    """Run the program in ``place`` with settings of its own, kept there, which keep it off the network."""
    program = find_program(executable, INSTALL_HINT)
    settings = place / "settings.mkfg"
    settings.write_text(_OFFLINE_SETTINGS, encoding="utf-8")
    environment = ["env", f"HOME={place.absolute()}", f"NCBI_SETTINGS={settings.absolute()}"]
    return run_program([*environment, program, *arguments], cwd=place, cancelled=cancelled)


def _reads_in(folder: Path, name: str, sra: Path) -> list[Path]:
    """Return the one file of reads, or the two of mates, that fasterq-dump left in a folder."""
    mates = [folder / f"{name}_1.fastq", folder / f"{name}_2.fastq"]
    alone = folder / f"{name}.fastq"
    if all(mate.exists() for mate in mates):
        return mates
    if alone.exists() and not any(mate.exists() for mate in mates):
        return [alone]
    found = ", ".join(sorted(path.name for path in folder.glob("*"))) or "no file"
    raise ToolError(f"fasterq-dump made {found} of {sra}, not one file of reads or two of mates")


def _spots_read(ended: ProgramRun, sra: Path) -> int:
    match = re.search(r"spots read\s*:\s*([\d,]+)", ended.stderr_tail + ended.stdout_tail)
    if match is None:
        raise ToolError(
            f"fasterq-dump did not say how many spots of {sra} it read\n  command: {ended.command}"
        )
    return int(match.group(1).replace(",", ""))


def _count_reads(fastq: Path) -> int:
    with fastq.open("rb") as handle:
        lines = sum(block.count(b"\n") for block in iter(lambda: handle.read(_BLOCK_BYTES), b""))
    return lines // _LINES_A_READ


def _explain(sra: Path, error: ToolError) -> str:
    if "invalid accession" in str(error):
        return f"{sra} is not a run in NCBI's SRA format, or is cut short or damaged\n{error}"
    return f"no reads of {sra}: {error}"
