"""An experiment's files are downloaded once, checked, counted, and lost with the reason."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import httpx
import pytest

from refinebio_assets.domain import (
    DropKind,
    FileRole,
    Sample,
    SourceFile,
)
from refinebio_assets.lake.catalog import Catalog
from refinebio_assets.lake.store import Lake
from refinebio_assets.pipelines import raw_files
from refinebio_assets.pipelines.fetch_file import WebSource, no_web, promised, within_reach
from refinebio_assets.pipelines.gathering import Gathering
from refinebio_assets.pipelines.harmonized_metadata import harmonize_experiment
from refinebio_assets.pipelines.overview import survey_summary
from refinebio_assets.pipelines.progress import SILENT
from refinebio_assets.pipelines.raw_file import read_raw_files
from refinebio_assets.pipelines.raw_files import assess_raw_files, collect_raw_files
from refinebio_assets.pipelines.staleness import passing_failures
from refinebio_assets.sources.web.client import Web
from refinebio_assets_tests.pipelines.surveyed import HOST, World


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


def failing(world: World) -> list[dict[str, Any]]:
    catalog = Catalog(world.lake)
    catalog.sync()
    return passing_failures(catalog)


def lose(world: World, file: Mapping[str, object]) -> None:
    """Remove a stored file; who saw it before does not look again."""
    world.lake.storage.remove(str(file["path"]))
    world.lake = Lake(world.lake.url)


def test_a_lost_file_is_tried_again_until_its_source_says_that_there_is_none(world: World) -> None:
    world.record()
    collect_raw_files(world.lake, "SRP000001", web=world.web)
    lost = world.files()[2]
    assert lost["sha256"] == world.files()[3]["sha256"], "mates that are equal"
    lose(world, lost)

    def answering(status: int) -> WebSource:
        transport = httpx.MockTransport(lambda request: httpx.Response(status))
        return lambda: Web(transport, sleep=lambda seconds: None)

    for _ in range(2):
        away = collect_raw_files(world.lake, "SRP000001", web=answering(503)).dropped
        assert [(each.kind, each.permanent) for each in away] == [(DropKind.FILE, False)] * 2
        assert away[0].item == lost["origin"]
        assert away[0].reason.startswith("lost from the lake, and cannot be had now: ")
        assert "503" in away[0].reason
        assert world.files()[2]["verdict"] == "processed", "what was made of it stands"
        due = assess_raw_files(world.lake, "SRP000001", web=world.web).situation.reasons
        assert due[0] == "fastq_1 of SRR000002 was lost, failed before and is tried again"
        assert [row["failures"] for row in failing(world)] == [2]
    assert collect_raw_files(world.lake, "SRP000001", web=world.web).dropped == ()
    assert world.lake.has_object(str(lost["sha256"]))
    assert assess_raw_files(world.lake, "SRP000001", web=world.web).situation.reasons == ()
    lose(world, lost)
    gone = collect_raw_files(world.lake, "SRP000001", web=answering(404)).dropped
    assert [each.permanent for each in gone] == [True] * 2
    assert assess_raw_files(world.lake, "SRP000001", web=world.web).situation.reasons == ()
    assert failing(world) == []


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


def test_a_damaged_copy_is_fetched_anew_when_it_is_checked_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.record()
    collect_raw_files(world.lake, "SRP000001", web=world.web)
    (world.folder / "lake" / str(world.files()[0]["path"])).write_bytes(b"")
    monkeypatch.setattr(raw_files, "CODE_VERSION", "another")
    assert not collect_raw_files(world.lake, "SRP000001", web=world.web).dropped
    assert world.files()[0]["reads"] == 3
