"""An archive as a mirror folder, and the experiment that a survey makes of it."""

from __future__ import annotations

import gzip
import hashlib
import io
import zipfile
from collections.abc import Mapping
from pathlib import Path

from refinebio_assets.domain import (
    Experiment,
    FileRole,
    Manufacturer,
    Platform,
    Sample,
    SourceFile,
    Technology,
)
from refinebio_assets.lake.rows import read_rows
from refinebio_assets.lake.store import Lake
from refinebio_assets.pipelines.experiment_record import record_experiment
from refinebio_assets.sources.web.client import Web
from refinebio_assets.sources.web.settings import open_web

HOST = "https://ftp.example.org"
SEQUENCER = Platform("IlluminaHiSeq2000", "Illumina HiSeq 2000", Manufacturer.ILLUMINA)
ARRAY = Platform("Illumina_HumanHT-12_V4.0", "HumanHT-12 V4.0", Manufacturer.ILLUMINA, "GPL10558")


def fastq(reads: int, seed: str) -> bytes:
    return gzip.compress("".join(f"@{seed}{n}\nACGT\n+\nIIII\n" for n in range(reads)).encode(), mtime=0)


class World:
    """A mirror folder with an archive's files, and the experiment that a survey makes of them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.mirror = folder / "mirror"
        self.lake = Lake(str(folder / "lake"))
        self.asked = 0
        self.experiment = Experiment(
            "SRP000001",
            "SRA",
            tuple(self.run(name, age) for name, age in [("SRR000001", "0"), ("SRR000002", "5 weeks")]),
            title="A study",
        )

    def put(self, path: str, content: bytes) -> str:
        target = self.mirror / "ftp.example.org" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
        return f"{HOST}/{path}"

    def put_zip(self, path: str, members: Mapping[str, str | bytes]) -> str:
        content = io.BytesIO()
        with zipfile.ZipFile(content, "w") as archive:
            for name, text in members.items():
                archive.writestr(name, text)
        return self.put(path, content.getvalue())

    def reads(self, name: str, role: FileRole, count: int = 3) -> SourceFile:
        content = fastq(count, name)
        number = "1" if role is FileRole.FASTQ_1 else "2"
        url = self.put(f"{name}/{name}_{number}.fastq.gz", content)
        return SourceFile(role, url, size=len(content), md5=hashlib.md5(content).hexdigest())

    def run(self, name: str, age: str) -> Sample:
        files = (self.reads(name, FileRole.FASTQ_1), self.reads(name, FileRole.FASTQ_2))
        metadata = (("characteristics_age_0_text", age), ("sample_title", f"title of {name}"))
        return Sample(name, "DANIO_RERIO", Technology.RNA_SEQ, SEQUENCER, files, metadata, f"title of {name}")

    def survey(self, accession: str) -> Experiment:
        self.asked += 1
        return self.experiment

    def web(self) -> Web:
        return open_web({"REFINEBIO_MIRROR": str(self.mirror)})

    def record(self, *, again: bool = False) -> None:
        record_experiment(self.lake, self.experiment.accession, survey=self.survey, survey_again=again)

    def files(self) -> list[dict[str, object]]:
        commit = self.lake.head("raw_files", self.experiment.accession)
        assert commit is not None
        return read_rows(self.lake, commit, "files")
