"""fasterq-dump, on runs that the toolkit's own loader makes here from a few reads."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
from pathlib import Path

import pytest

from refinebio_assets.errors import NotFoundError, RequestError, ToolError, ToolMissingError
from refinebio_assets.tools.sra_tools import fasterq_dump_version, sra_to_fastq

READS = 60
READ_LENGTH = 75

needs_toolkit = pytest.mark.skipif(
    shutil.which("fasterq-dump") is None,
    reason="fasterq-dump is not installed (apt-get install sra-toolkit)",
)
needs_loader = pytest.mark.skipif(
    any(shutil.which(tool) is None for tool in ("fasterq-dump", "latf-load", "kar")),
    reason="fasterq-dump, latf-load or kar is not installed (apt-get install sra-toolkit)",
)


def sequences(seed: int, count: int = READS) -> list[str]:
    rng = random.Random(seed)
    return ["".join(rng.choices("ACGT", k=READ_LENGTH)) for _ in range(count)]


def write_fastq(path: Path, reads: list[str], mate: int) -> Path:
    records = []
    for number, read in enumerate(reads, start=1000):
        name = f"@M00001:1:000000000-A1B2C:1:1101:{number}:{number} {mate}:N:0:1"
        records.append(f"{name}\n{read}\n+\n{'I' * READ_LENGTH}\n")
    path.write_text("".join(records), encoding="ascii")
    return path


def load(folder: Path, inputs: list[str]) -> Path:
    """Make a run in NCBI's format, under a name like that of content-addressed storage."""
    settings = folder / "loader.mkfg"
    settings.write_text(
        '/LIBS/GUID = "00000000-0000-4000-8000-000000000000"\n/libs/cloud/provider = "none"\n'
    )
    environment = {**os.environ, "HOME": str(folder), "NCBI_SETTINGS": str(settings)}
    database, sra = folder / "database", folder / "0a1b2c3d"
    loader = ["latf-load", "-p", "ILLUMINA", "--quality", "PHRED_33", "-o", str(database), *inputs]
    for command in (loader, ["kar", "-c", str(sra), "-d", str(database)]):
        subprocess.run(command, env=environment, check=True, capture_output=True)
    return sra


def reads_in(fastq: Path) -> list[str]:
    return fastq.read_text(encoding="ascii").splitlines()[1::4]


@pytest.fixture(scope="module")
def paired_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A paired run of 60 spots, of which the last 10 have no second read."""
    folder = tmp_path_factory.mktemp("paired")
    first = write_fastq(folder / "a.fastq", sequences(1), 1)
    second = write_fastq(folder / "b.fastq", sequences(2, READS - 10), 2)
    return load(folder, ["-1", str(first), "-2", str(second)])


@needs_loader
def test_a_paired_run_becomes_two_files_of_equally_many_mates(paired_run: Path, tmp_path: Path) -> None:
    made = sra_to_fastq(paired_run, tmp_path / "out", cores=1, run="SRR1")
    assert [fastq.name for fastq in made.fastqs] == ["SRR1_1.fastq", "SRR1_2.fastq"]
    assert reads_in(made.fastqs[0]) == sequences(1)[: READS - 10]
    assert reads_in(made.fastqs[1]) == sequences(2, READS - 10)
    assert made.spots == READS


@needs_loader
def test_reads_without_a_mate_are_counted_and_left_out(paired_run: Path, tmp_path: Path) -> None:
    made = sra_to_fastq(paired_run, tmp_path / "out", cores=1, run="SRR1")
    assert made.unmated_reads == 10
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["SRR1_1.fastq", "SRR1_2.fastq"]


@needs_loader
def test_a_single_end_run_becomes_one_file_named_after_its_source(tmp_path: Path) -> None:
    sra = load(tmp_path, [str(write_fastq(tmp_path / "a.fastq", sequences(3), 1))])
    made = sra_to_fastq(sra, tmp_path / "out", cores=2)
    assert [fastq.name for fastq in made.fastqs] == ["0a1b2c3d.fastq"]
    assert reads_in(made.fastqs[0]) == sequences(3)
    assert made.unmated_reads == 0


@needs_loader
def test_a_cut_run_is_refused_by_name_and_leaves_nothing(paired_run: Path, tmp_path: Path) -> None:
    cut = tmp_path / "cut"
    cut.write_bytes(paired_run.read_bytes()[:4000])
    with pytest.raises(ToolError, match=r"cut is not a run in NCBI's SRA format, or is cut short"):
        sra_to_fastq(cut, tmp_path / "out", cores=1)
    assert list((tmp_path / "out").iterdir()) == []


@needs_toolkit
def test_an_error_page_stored_as_a_run_is_refused(tmp_path: Path) -> None:
    page = tmp_path / "SRR1603661"  # an accession that exists: it must not be looked up either
    page.write_text("<html>service unavailable</html>")
    with pytest.raises(ToolError, match="is not a run in NCBI's SRA format"):
        sra_to_fastq(page, tmp_path / "out", cores=1)


@needs_loader
@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
def test_nothing_is_asked_of_the_network(paired_run: Path, tmp_path: Path) -> None:
    traced = tmp_path / "fasterq-dump"
    trace = tmp_path / "trace"
    real = shutil.which("fasterq-dump")
    traced.write_text(f'#!/bin/sh\nexec strace -f -e trace=connect,sendto -A -o {trace} {real} "$@"\n')
    traced.chmod(0o755)
    sra_to_fastq(paired_run, tmp_path / "out", cores=1, executable=str(traced))
    calls = trace.read_text().splitlines()
    assert any("+++ exited with 0 +++" in call for call in calls)
    assert [call for call in calls if "AF_INET" in call] == []


@needs_toolkit
def test_the_version_is_a_number() -> None:
    assert fasterq_dump_version()[0].isdigit()


def test_a_missing_toolkit_says_how_to_install_it(tmp_path: Path) -> None:
    (tmp_path / "run").write_bytes(b"x")
    with pytest.raises(ToolMissingError, match="apt-get install sra-toolkit"):
        sra_to_fastq(tmp_path / "run", tmp_path / "out", cores=1, executable="no-such-fasterq-dump")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match=r"there is no file .*absent"):
        sra_to_fastq(tmp_path / "absent", tmp_path / "out", cores=1)


@pytest.mark.parametrize("run", ["../SRR1", "-o", "a b"])
def test_a_name_that_could_lead_elsewhere_is_refused(run: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x")
    with pytest.raises(RequestError, match="cannot name FASTQ files"):
        sra_to_fastq(tmp_path / "file", tmp_path / "out", cores=1, run=run)
