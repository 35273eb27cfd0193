"""Experiments of public archives: surveyed, harmonized, downloaded, and surveyed again."""

from __future__ import annotations

import gzip
import hashlib
import io
import threading
import time
import zipfile
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from refinebio_assets.domain import (
    Experiment,
    FileRole,
    Manufacturer,
    Platform,
    Sample,
    SourceFile,
    Technology,
)
from refinebio_assets.errors import AllFailedError, NotFoundError, RequestError, TransientError
from refinebio_assets.lake.catalog import Catalog
from refinebio_assets.lake.rows import read_rows
from refinebio_assets.lake.store import Lake
from refinebio_assets.pipelines import raw_files
from refinebio_assets.pipelines.due import due_step
from refinebio_assets.pipelines.experiment_record import record_experiment, recorded_experiment
from refinebio_assets.pipelines.fetch_file import no_web, promised, within_reach
from refinebio_assets.pipelines.gathering import Gathering
from refinebio_assets.pipelines.harmonized_metadata import harmonize_experiment
from refinebio_assets.pipelines.metadata_overlays import import_corrections
from refinebio_assets.pipelines.overview import survey_summary
from refinebio_assets.pipelines.progress import SILENT
from refinebio_assets.pipelines.raw_file import read_raw_files
from refinebio_assets.pipelines.raw_files import collect_raw_files
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


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_an_archives_experiment_is_surveyed_once(world: World) -> None:
    due = due_step(world.lake, "SRP000001")
    assert due == ("experiment_record", ("not surveyed before",))
    world.record()
    world.record()
    assert world.asked == 1
    head = world.lake.head("experiment_record", "SRP000001")
    assert head is not None
    assert recorded_experiment(world.lake, head) == world.experiment


def test_the_same_answers_give_the_same_version_and_no_new_commit(world: World) -> None:
    world.record()
    before = [entry.id for entry in world.lake.log()]
    world.record(again=True)
    assert world.asked == 2
    assert [entry.id for entry in world.lake.log()] == before


def test_a_new_survey_says_what_has_changed(world: World) -> None:
    world.record()
    first, second = world.experiment.samples
    changed = replace(first, metadata=(("characteristics_age_0_text", "7"), *first.metadata[1:]))
    world.experiment = replace(world.experiment, title="Another title", samples=(changed,))
    outcome = record_experiment(world.lake, "SRP000001", survey=world.survey, survey_again=True)
    assert outcome.changed
    text = "\n".join(outcome.reasons)
    assert "title changed: A study -> Another title" in text
    assert f"sample {second.accession} removed" in text
    assert "sample SRR000001: characteristics_age_0_text changed: 0 -> 7" in text


def test_a_failed_survey_leaves_nothing_behind(world: World) -> None:
    def broken(accession: str) -> Experiment:
        raise TransientError("the archive answers 500")

    with pytest.raises(TransientError, match="500"):
        record_experiment(world.lake, "SRP000001", survey=broken)
    assert list(world.lake.log()) == []


def test_a_name_that_is_no_accession_is_not_surveyed(world: World) -> None:
    with pytest.raises(NotFoundError, match="not registered"):
        record_experiment(world.lake, "mystudy", survey=world.survey)
    assert world.asked == 0


def test_a_runs_accession_is_no_experiment(world: World) -> None:
    with pytest.raises(NotFoundError, match="SRR000001 belongs to SRP000001"):
        record_experiment(world.lake, "SRR000001", survey=world.survey)


def test_a_series_is_not_recorded_under_two_names(world: World) -> None:
    world.experiment = replace(world.experiment, accession="GSE1", source="GEO")
    world.record()
    with pytest.raises(RequestError, match="E-GEOD-1 is GSE1 under another name"):
        record_experiment(world.lake, "E-GEOD-1", survey=world.survey)


def test_metadata_are_harmonized_with_what_they_are_from(world: World) -> None:
    world.record()
    outcome = harmonize_experiment(world.lake, "SRP000001")
    rows = read_rows(world.lake, outcome.commit, "harmonized_metadata")
    assert [(row["age"], row["title"]) for row in rows] == [
        (0.0, "title of SRR000001"),
        (5.0, "title of SRR000002"),
    ]
    sources = read_rows(world.lake, outcome.commit, "harmonized_sources")
    (age,) = [row for row in sources if row["sample"] == "SRR000002" and row["field"] == "age"]
    assert (age["key"], age["text"]) == ("characteristics_age_0_text", "5 weeks")
    assert not harmonize_experiment(world.lake, "SRP000001").changed


def test_corrections_lie_over_the_submitters_words_and_survive_a_new_survey(world: World) -> None:
    world.record()
    harmonize_experiment(world.lake, "SRP000001")
    table = world.folder / "fixes.tsv"
    table.write_text("sample\tfield\tvalue\tsource\tnote\nSRR000001\tsex\tfemale\tlab book\tmisread\n")
    import_corrections(world.lake, table, "fixes")
    due = due_step(world.lake, "SRP000001")
    assert due is not None and due[0] == "harmonized_metadata"
    world.experiment = replace(world.experiment, title="Another title")
    world.record(again=True)
    rows = read_rows(world.lake, harmonize_experiment(world.lake, "SRP000001").commit, "harmonized_metadata")
    assert [row["sex"] for row in rows] == ["female", ""]


def test_reads_are_downloaded_checked_and_counted(world: World) -> None:
    world.record()
    outcome = collect_raw_files(world.lake, "SRP000001", web=world.web)
    assert not outcome.dropped
    assert [(row["sample"], row["role"], row["reads"]) for row in world.files()] == [
        (name, role, 3) for name in ("SRR000001", "SRR000002") for role in ("fastq_1", "fastq_2")
    ]
    assert all(world.lake.has_object(str(row["sha256"])) for row in world.files())
    downloads = world.lake.cache / "downloads"
    assert not [path for path in downloads.rglob("*") if path.is_file()]


def test_files_that_are_in_the_lake_are_not_asked_for_again(world: World) -> None:
    world.record()
    collect_raw_files(world.lake, "SRP000001", web=world.web)
    for path in world.mirror.rglob("*.gz"):
        path.unlink()
    assert not collect_raw_files(world.lake, "SRP000001", web=world.web).changed
    first, second = world.experiment.samples
    world.experiment = replace(world.experiment, samples=(second, first))
    world.record(again=True)
    assert not collect_raw_files(world.lake, "SRP000001", web=world.web).dropped


def test_a_wrong_checksum_fails_its_sample_only_and_names_both_values(world: World) -> None:
    first, second = world.experiment.samples
    wrong = replace(first.files[0], md5="0" * 32)
    broken = replace(first, files=(wrong, first.files[1]))
    world.experiment = replace(world.experiment, samples=(broken, second))
    world.record()
    outcome = collect_raw_files(world.lake, "SRP000001", web=world.web)
    (dropped,) = outcome.dropped
    assert dropped.item == "SRR000001"
    assert "0" * 32 in dropped.reason
    assert first.files[0].md5 in dropped.reason


def arrays_in(url: str, *names: str) -> tuple[Sample, ...]:
    """Return a sample for each name, whose file is a member of one archive."""
    return tuple(
        Sample(
            f"E-MTAB-1-{name}",
            "HOMO_SAPIENS",
            Technology.MICROARRAY,
            ARRAY,
            (SourceFile(FileRole.BEADARRAY, url, member=f"{name}.txt"),),
        )
        for name in names
    )


def test_members_of_one_archive_reach_their_samples_with_one_download(world: World) -> None:
    members = {"folder/a.txt": "cells of a", "folder/b.txt": "cells of b"}
    url = world.put_zip("E-MTAB-1.raw.1.zip", members)
    samples = arrays_in(url, "a", "b")
    world.experiment = Experiment("E-MTAB-1", "ARRAY_EXPRESS", samples)
    world.record()
    collect_raw_files(world.lake, "E-MTAB-1", web=world.web)
    rows = world.files()
    assert [(row["sample"], row["role"], row["member"], row["size"]) for row in rows] == [
        ("E-MTAB-1-a", "beadarray", "a.txt", 10),
        ("E-MTAB-1-b", "beadarray", "b.txt", 10),
    ]
    assert rows[0]["sha256"] == hashlib.sha256(b"cells of a").hexdigest()


def test_a_missing_member_names_the_archive_and_what_is_in_it(world: World) -> None:
    url = world.put_zip("E-MTAB-1.raw.1.zip", {"other.txt": "cells"})
    file = SourceFile(FileRole.BEADARRAY, url, member="a.txt")
    sample = Sample("E-MTAB-1-a", "HOMO_SAPIENS", Technology.MICROARRAY, ARRAY, (file,))
    world.experiment = Experiment("E-MTAB-1", "ARRAY_EXPRESS", (sample,))
    world.record()
    with pytest.raises(AllFailedError, match=r"a\.txt"):
        collect_raw_files(world.lake, "E-MTAB-1", web=world.web)
    assert "a.txt" in str(world.files()[0]["reason"])


def test_a_sample_that_no_pipeline_serves_is_not_downloaded_and_says_why(world: World) -> None:
    first, second = world.experiment.samples
    kept_out = replace(first, excluded="its library strategy is WGS, not RNA-Seq")
    world.experiment = replace(world.experiment, samples=(kept_out, second))
    world.record()
    collect_raw_files(world.lake, "SRP000001", web=world.web)
    assert {row["sample"] for row in world.files()} == {"SRR000002"}
    harmonize_experiment(world.lake, "SRP000001")
    catalog = Catalog(world.lake)
    catalog.sync()
    reasons = {row["pipeline"]: row["reason"] for row in survey_summary(catalog, "SRP000001").pipelines}
    assert reasons["none"] == "its library strategy is WGS, not RNA-Seq"
    assert "Salmon" in reasons


def test_an_archive_without_one_members_file_still_serves_the_others(world: World) -> None:
    url = world.put_zip("E-MTAB-1.raw.1.zip", {"a.txt": "cells of a"})
    samples = arrays_in(url, "a", "b")
    world.experiment = Experiment("E-MTAB-1", "ARRAY_EXPRESS", samples)
    world.record()
    outcome = collect_raw_files(world.lake, "E-MTAB-1", web=world.web)
    assert [item.item for item in outcome.dropped] == ["E-MTAB-1-b"]
    assert "b.txt" in outcome.dropped[0].reason


def with_run_at_ncbi(world: World) -> Sample:
    """Make the first sample's reads disappear from ENA, and name its run at NCBI."""
    first, second = world.experiment.samples
    run = SourceFile(FileRole.SRA, f"{HOST}/sra/{first.accession}")
    changed = replace(first, files=(*first.files, run))
    world.experiment = replace(world.experiment, samples=(changed, second))
    return changed


def test_when_neither_ena_nor_ncbi_has_the_reads_both_reasons_are_told(world: World) -> None:
    sample = with_run_at_ncbi(world)
    (world.mirror / "ftp.example.org/SRR000001/SRR000001_1.fastq.gz").unlink()
    world.record()
    (dropped,) = collect_raw_files(world.lake, "SRP000001", web=world.web).dropped
    assert dropped.item == sample.accession
    assert "SRR000001_1.fastq.gz" in dropped.reason
    assert "and from NCBI" in dropped.reason and "/sra/SRR000001" in dropped.reason


def test_reads_that_came_from_ncbi_are_not_asked_for_again(world: World) -> None:
    sample = with_run_at_ncbi(world)
    world.record()
    collect_raw_files(world.lake, "SRP000001", web=world.web)
    head = world.lake.head("raw_files", "SRP000001")
    assert head is not None
    run = sample.file(FileRole.SRA)
    assert run is not None
    known = [
        replace(raw, origin=promised(run)) if raw.sample == sample.accession else raw
        for raw in read_raw_files(world.lake, head)
    ]
    gathered = Gathering(world.lake, no_web, SILENT).gather(world.experiment, known)
    assert gathered == known


def test_new_checks_are_made_on_the_copies_in_the_lake(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.record()
    collect_raw_files(world.lake, "SRP000001", web=world.web)
    before = world.files()
    for path in world.mirror.rglob("*.gz"):
        path.unlink()
    monkeypatch.setattr(raw_files, "CODE_VERSION", "another")
    outcome = collect_raw_files(world.lake, "SRP000001", web=world.web)
    assert outcome.changed and not outcome.dropped
    drop = ("commit_id",)
    assert [{k: v for k, v in row.items() if k not in drop} for row in world.files()] == [
        {k: v for k, v in row.items() if k not in drop} for row in before
    ]


def test_one_download_at_a_time_of_one_location(world: World) -> None:
    file = world.experiment.samples[0].files[0]
    inside, most, lock = [0], [0], threading.Lock()

    def visit() -> None:
        with within_reach(world.lake, file, world.web) as path:
            with lock:
                inside[0] += 1
                most[0] = max(most[0], inside[0])
            time.sleep(0.05)
            assert path.read_bytes()
            with lock:
                inside[0] -= 1

    with ThreadPoolExecutor(4) as pool:
        for visitor in [pool.submit(visit) for _ in range(4)]:
            visitor.result()
    assert most == [1]


def test_of_two_corrections_of_one_field_the_one_imported_last_counts(world: World) -> None:
    world.record()
    for name, value in [("b-first", "male"), ("a-second", "female")]:
        table = world.folder / f"{name}.tsv"
        table.write_text(f"sample\tfield\tvalue\tsource\tnote\nSRR000001\tsex\t{value}\tlab\t\n")
        import_corrections(world.lake, table, name)
    outcome = harmonize_experiment(world.lake, "SRP000001")
    rows = read_rows(world.lake, outcome.commit, "harmonized_metadata")
    assert rows[0]["sex"] == "female"
    assert ("metadata_corrections", "a-second") in [
        (ref.asset, ref.partition) for ref in outcome.commit.inputs
    ]


def test_changed_rules_for_runs_ask_the_archive_again(world: World) -> None:
    world.record()
    assert due_step(world.lake, "SRP000001", rules="") != due_step(world.lake, "SRP000001", rules="other")
    record_experiment(world.lake, "SRP000001", survey=world.survey, rules="other")
    assert world.asked == 2
    record_experiment(world.lake, "SRP000001", survey=world.survey, rules="other")
    assert world.asked == 2


def test_another_spelling_of_an_accession_is_no_partition(world: World) -> None:
    with pytest.raises(RequestError, match="'srp000001' is written SRP000001"):
        record_experiment(world.lake, "srp000001", survey=world.survey)
    assert world.asked == 0


def test_a_survey_with_an_impossible_name_registers_nothing(world: World) -> None:
    first, second = world.experiment.samples
    world.experiment = replace(world.experiment, samples=(replace(first, accession="a/b"), second))
    with pytest.raises(RequestError, match="'a/b' contains /"):
        world.record()
    assert list(world.lake.log()) == []


def shared_archive(world: World, names: list[str], titles: list[str]) -> None:
    """Make an experiment whose samples all point to one archive of unknown members."""
    url = world.put_zip("E-MTAB-1.raw.1.zip", {name: f"values of {name}" for name in names})
    samples = tuple(
        Sample(
            f"E-MTAB-1-s{number}",
            "HOMO_SAPIENS",
            Technology.MICROARRAY,
            ARRAY,
            (SourceFile(FileRole.ARCHIVE, url),),
            title=title,
        )
        for number, title in enumerate(titles)
    )
    world.experiment = Experiment("E-MTAB-1", "ARRAY_EXPRESS", samples)
    world.record()


def test_of_a_shared_archive_each_sample_gets_the_file_that_is_named_after_it(world: World) -> None:
    shared_archive(world, ["s0_non-normalized.txt", "liver.non-normalized.txt", "other.txt"], ["a", "liver"])
    collect_raw_files(world.lake, "E-MTAB-1", web=world.web)
    assert [(row["sample"], row["member"]) for row in world.files()] == [
        ("E-MTAB-1-s0", "s0_non-normalized.txt"),
        ("E-MTAB-1-s1", "liver.non-normalized.txt"),
    ]


def test_no_sample_gets_anothers_file_from_a_shared_archive(world: World) -> None:
    shared_archive(world, ["x.txt", "y.txt"], ["a", "b"])
    with pytest.raises(
        AllFailedError, match=r"does not tell which file is this sample's: it holds x\.txt, y\.txt"
    ):
        collect_raw_files(world.lake, "E-MTAB-1", web=world.web)


def test_one_bad_member_of_an_archive_loses_only_its_sample(world: World) -> None:
    reads = {"good.fastq.gz": fastq(2, "g"), "bad.fastq.gz": fastq(2, "b")[:-9]}
    url = world.put_zip("reads.zip", reads)
    samples = tuple(
        Sample(
            f"SRR{name}",
            "DANIO_RERIO",
            Technology.RNA_SEQ,
            SEQUENCER,
            (SourceFile(FileRole.FASTQ_1, url, member=f"{name}.fastq.gz"),),
        )
        for name in ("good", "bad")
    )
    world.experiment = replace(world.experiment, samples=samples)
    world.record()
    outcome = collect_raw_files(world.lake, "SRP000001", web=world.web)
    assert [item.item for item in outcome.dropped] == ["SRRbad"]


def test_a_damaged_copy_is_fetched_anew_when_it_is_checked_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.record()
    collect_raw_files(world.lake, "SRP000001", web=world.web)
    (world.folder / "lake" / str(world.files()[0]["path"])).write_bytes(b"")
    monkeypatch.setattr(raw_files, "CODE_VERSION", "another")
    assert not collect_raw_files(world.lake, "SRP000001", web=world.web).dropped
    assert world.files()[0]["reads"] == 3
