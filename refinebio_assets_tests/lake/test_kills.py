"""Writers that are killed at any point leave whole commits, or nothing that anyone sees."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from refinebio_assets.lake.catalog import Catalog
from refinebio_assets.lake.store import Lake, utc_now
from refinebio_assets.lake.upkeep import OrphanKind
from refinebio_assets_tests.lake.making import commit_results
from refinebio_assets_tests.lake.nursery import Nursery

KILLS = 40
ROUNDS = 4
"""The kills are spread evenly over this many rounds of a writer."""


@pytest.fixture(scope="module")
def nursery() -> Iterator[Nursery]:
    with Nursery() as nursery:
        yield nursery


def require_only_whole_commits(lake: Lake, verified: set[str]) -> int:
    """Check everything that can be seen, files once; return how many commits there are."""
    entries = list(lake.log())
    for entry in entries:
        if entry.id not in verified:
            lake.verify(lake.read(entry))
            verified.add(entry.id)
    for asset in lake.assets():
        for partition in lake.partitions(asset):
            newest = max(entry.id for entry in entries if entry.path.startswith(f"log/{asset}/{partition}/"))
            head = lake.head(asset, partition)
            assert head is not None
            assert head.id == newest
    return len(entries)


def require_swept_clean(lake: Lake) -> None:
    """Sweep as if days had passed; exactly what is committed stays."""
    before = list(lake.log())
    later = Lake(lake.url, now=lambda: utc_now() + timedelta(days=2))
    later.sweep()
    assert later.orphans() == []
    assert list(later.storage.scratch.iterdir()) == []
    assert list(lake.log()) == before
    assert lake.verify_all().problems == ()
    outputs = {Path(path).parts[:3] for path in lake.storage.tree("assets")}
    folders = {Path(entry.folder).parts[1:] for entry in before}
    assert outputs <= folders


def _seconds_of_a_round(nursery: Nursery, lake: Lake) -> float:
    """Measure how long a new writer takes to its first two commits on this machine as busy as it is."""
    started = time.monotonic()
    writer = nursery.fork("write_until_killed", root=lake.url, partition="GSE0")
    while len(list(lake.log())) < 2:
        time.sleep(0.001)
    nursery.kill(writer)
    return time.monotonic() - started


def test_writers_killed_at_any_time_leave_only_whole_commits(nursery: Nursery, tmp_path: Path) -> None:
    lake = Lake(str(tmp_path / "lake"))
    round_seconds = _seconds_of_a_round(nursery, lake)
    seen, verified = 0, set[str]()
    for kill in range(KILLS):
        writer = nursery.fork("write_until_killed", root=lake.url, partition=f"GSE{kill % 3}")
        time.sleep(ROUNDS * round_seconds * kill / KILLS)
        nursery.kill(writer)
        commits = require_only_whole_commits(lake, verified)
        assert commits >= seen
        seen = commits
    assert seen > ROUNDS
    assert lake.orphans() == [], "nothing this young is an orphan"
    later = Lake(lake.url, now=lambda: utc_now() + timedelta(days=2))
    assert later.orphans(), "some kill left something behind"
    report = Catalog(lake).sync()
    assert (report.commits, report.problems) == (seen, ())
    require_swept_clean(lake)


def test_a_writer_killed_before_any_one_of_its_file_operations(nursery: Nursery, tmp_path: Path) -> None:
    lake = Lake(str(tmp_path / "lake"))
    commit_results(lake, "GSE1", "before")
    later = Lake(lake.url, now=lambda: utc_now() + timedelta(days=2))
    exit_code, event, commits = -9, 0, 1
    between_files_and_record, verified = set(), set[str]()
    while exit_code != 0:
        event += 1
        child = nursery.fork("write_and_die_at", root=lake.url, partition="GSE1", event=event)
        exit_code = nursery.wait(child)
        assert exit_code in (-9, 0)
        now = require_only_whole_commits(lake, verified)
        assert 0 <= now - commits <= 2
        commits = now
        if any(orphan.kind == OrphanKind.OUTPUT for orphan in later.orphans()):
            between_files_and_record.add(event)
            assert Catalog(lake).sync().problems == ()
        later.sweep()
    assert event > 40, "the writer's operations were not counted"
    assert len(between_files_and_record) >= 2, "no kill hit between an output's files and its record"
    assert Catalog(lake).sync().commits == commits
    require_swept_clean(lake)


def test_a_sync_killed_at_any_time_is_finished_by_the_next(nursery: Nursery, tmp_path: Path) -> None:
    lake = Lake(str(tmp_path / "lake"))
    catalog = Catalog(lake)
    for kill in range(12):
        commit_results(lake, f"GSE{kill % 4}", f"v{kill}")
        child = nursery.fork("sync_until", root=lake.url, stop=str(tmp_path / "never"))
        time.sleep(0.01 + kill * 0.015)
        nursery.kill(child)
        if (catalog.folder / "CURRENT").exists():
            assert catalog.query("SELECT count(*) AS n FROM commits").to_pylist()[0]["n"] <= kill + 1
    assert catalog.sync().commits == 12
    digest = catalog.digest()
    catalog.rebuild()
    assert catalog.digest() == digest
    kept = [path.name for path in catalog.folder.iterdir() if not path.name.startswith("reader-")]
    assert len(kept) == 4, f"CURRENT, lock and two catalogs, found {kept}"
