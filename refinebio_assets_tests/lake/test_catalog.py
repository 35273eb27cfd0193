"""The catalog holds what is committed, however it came to be up to date, and serves several at once."""

from __future__ import annotations

import fcntl
import shutil
import threading
from pathlib import Path

import pytest

from refinebio_assets.errors import NotFoundError, StorageError
from refinebio_assets.lake.catalog import UNLISTED_ASSETS, Catalog
from refinebio_assets.lake.store import InputRef, Lake
from refinebio_assets_tests.lake.making import (
    commit_files,
    commit_record,
    commit_results,
    require_same_when_rebuilt,
    rows,
    sample_row,
)


def test_an_empty_lake_has_an_empty_catalog(lake: Lake, tmp_path: Path) -> None:
    catalog = Catalog(lake, tmp_path / "catalog")
    assert catalog.stale()
    report = catalog.sync()
    assert (report.published, report.commits, report.problems) == (True, 0, ())
    assert not catalog.stale()
    assert catalog.query("SELECT * FROM samples").num_rows == 0


def test_without_a_sync_there_is_no_catalog(catalog: Catalog) -> None:
    for ask in (lambda: catalog.query("SELECT 1"), catalog.connect, catalog.digest):
        with pytest.raises(NotFoundError, match="no catalog in"):
            ask()


def test_every_kind_of_lake_has_a_catalog(lake: Lake, tmp_path: Path) -> None:
    catalog = Catalog(lake)
    commit_record(lake, "E1")
    commit_results(lake, "E1")
    assert catalog.sync().commits == 2
    commit_results(lake, "E1", "v2")
    assert catalog.stale()
    assert catalog.sync().commits == 3
    assert rows(catalog, "SELECT version, is_current FROM results ORDER BY ALL") == [
        ("v1", False),
        ("v1", False),
        ("v2", True),
        ("v2", True),
    ]
    require_same_when_rebuilt(catalog)
    assert catalog.folder.is_relative_to(tmp_path)


def test_current_tables_show_the_newest_commit_of_each_partition_only(
    local_lake: Lake, catalog: Catalog
) -> None:
    commit_record(local_lake, "E1", "v1", ["S1", "S2", "S3"])
    commit_record(local_lake, "E2", "v1", ["S9"])
    catalog.sync()
    commit_record(local_lake, "E1", "v2", ["S1"])
    catalog.sync()
    assert rows(catalog, "SELECT experiment, sample FROM samples ORDER BY ALL") == [
        ("E1", "S1"),
        ("E2", "S9"),
    ]
    assert rows(catalog, "SELECT title FROM experiments ORDER BY ALL") == [("E1 v2",), ("E2 v1",)]
    assert rows(catalog, "SELECT version, is_current FROM commits ORDER BY id") == [
        ("v1", False),
        ("v1", True),
        ("v2", True),
    ]
    require_same_when_rebuilt(catalog)


def test_a_newer_commit_without_a_table_takes_its_rows_away(local_lake: Lake, catalog: Catalog) -> None:
    commit_record(local_lake, "E1")
    catalog.sync()
    commit_files(local_lake, "experiment_record", "E1", {"note": b"withdrawn"})
    catalog.sync()
    assert rows(catalog, "SELECT * FROM samples") == []
    require_same_when_rebuilt(catalog)


def test_each_row_says_which_commit_it_is_from(local_lake: Lake, catalog: Catalog) -> None:
    name = "GSE " + "♥" * 100
    commit = commit_record(local_lake, name, samples=["S1"])
    catalog.sync()
    assert rows(catalog, 'SELECT commit_id, asset, "partition" FROM samples') == [
        (commit.id, "experiment_record", name)
    ]


def test_lineage_has_the_inputs_of_commits_and_what_commits_say_themselves(
    local_lake: Lake, catalog: Catalog
) -> None:
    own = {
        "output_asset": "gene_expression",
        "output_partition": "E1",
        "output_version": "v1",
        "input_asset": "sample_quantifications",
        "input_partition": "E1",
        "input_version": "v1",
    }
    other = own | {"output_asset": "sample_quantification", "output_partition": "S1"}
    with local_lake.draft("gene_expression", "E1") as draft:
        draft.write_table("lineage", [own, other])
        inputs = [
            InputRef("sample_quantifications", "E1", "v1"),
            InputRef("transcriptome_index", "HUMAN", "v3"),
        ]
        draft.commit(version="v1", code_version="1", inputs=inputs)
    catalog.sync()
    names = ", ".join(own)
    assert rows(catalog, f"SELECT {names} FROM lineage ORDER BY ALL") == sorted(
        [
            tuple(own.values()),
            tuple(other.values()),
            ("gene_expression", "E1", "v1", "transcriptome_index", "HUMAN", "v3"),
        ]
    )
    require_same_when_rebuilt(catalog)


def test_views_count_processors_and_organisms(local_lake: Lake, catalog: Catalog) -> None:
    commit_record(local_lake, "E1", samples=["S1", "S2"])
    commit_record(local_lake, "E2", samples=["S2", "S3"])
    commit_results(local_lake, "E1", "old", samples=["S1", "S2", "S4"])
    commit_results(local_lake, "E1", "new", samples=["S1", "S2"])
    commit_results(local_lake, "E2", "new", samples=["S2", "S3"])
    with local_lake.draft("transcriptome_index", "DANIO_RERIO") as draft:
        draft.write_table("transcriptomes", [{"organism": "DANIO_RERIO", "version": "v1"}])
        draft.commit(version="v1", code_version="1")
    catalog.sync()
    assert rows(catalog, "SELECT processor, version, samples FROM processors") == [("salmon", "1.10.1", 3)]
    query = "SELECT organism, experiments, samples, has_transcriptome FROM organisms ORDER BY ALL"
    assert rows(catalog, query) == [("DANIO_RERIO", 0, 0, True), ("HOMO_SAPIENS", 2, 3, False)]


def test_assets_with_a_partition_for_each_sample_are_not_listed(local_lake: Lake, catalog: Catalog) -> None:
    (unlisted,) = UNLISTED_ASSETS
    commit_files(local_lake, unlisted, "S1", {"quant.sf": b"x"})
    commit_record(local_lake, "E1")
    assert catalog.sync().commits == 1
    commit_files(local_lake, unlisted, "S2", {"quant.sf": b"x"})
    assert not catalog.stale()


def test_a_sync_with_nothing_new_writes_nothing(local_lake: Lake, catalog: Catalog) -> None:
    commit_record(local_lake, "E1")
    first = catalog.sync()
    before = {path.name: path.stat().st_mtime_ns for path in catalog.folder.iterdir() if path.name != "lock"}
    second = catalog.sync()
    assert (second.file, second.published, second.rebuilt, second.added) == (first.file, False, False, 0)
    assert second.commits == 1
    after = {path.name: path.stat().st_mtime_ns for path in catalog.folder.iterdir() if path.name != "lock"}
    assert after == before


def test_commits_that_are_gone_leave_the_catalog_and_older_ones_return(
    local_lake: Lake, catalog: Catalog
) -> None:
    commit_record(local_lake, "E1", "v1", ["S1"])
    commit_results(local_lake, "E1", "v1")
    newest = commit_record(local_lake, "E1", "v2", ["S2"])
    catalog.sync()
    (Path(local_lake.url) / newest.entry.path).unlink()
    assert catalog.stale()
    catalog.sync()
    assert rows(catalog, "SELECT sample FROM samples") == [("S1",)]
    assert rows(catalog, "SELECT version FROM commits WHERE asset = 'experiment_record'") == [("v1",)]
    require_same_when_rebuilt(catalog)


def test_a_copied_lake_keeps_its_catalog(local_lake: Lake, catalog: Catalog, tmp_path: Path) -> None:
    commit_record(local_lake, "E1")
    catalog.sync()
    shutil.copytree(local_lake.url, tmp_path / "copy", copy_function=shutil.copy)
    moved = Catalog(Lake(str(tmp_path / "copy")))
    assert not moved.stale()
    assert not moved.sync().rebuilt
    assert moved.digest() == catalog.digest()


def test_a_sync_is_skipped_or_waited_for_while_another_runs(local_lake: Lake, catalog: Catalog) -> None:
    commit_record(local_lake, "E1")
    catalog.sync()
    commit_record(local_lake, "E2")
    with (catalog.folder / "lock").open("r+") as holder:
        fcntl.flock(holder, fcntl.LOCK_EX)
        assert catalog.sync(wait=False).skipped
        with pytest.raises(StorageError, match=r"waited 0 s for process \d+ on .*, which holds .*lock"):
            catalog.sync(timeout=0.2)
        release = threading.Timer(0.3, lambda: fcntl.flock(holder, fcntl.LOCK_UN))
        release.start()
        assert catalog.sync(timeout=30).commits == 2
        release.join()
    assert catalog.query("SELECT * FROM experiments").num_rows == 2


def test_readers_keep_what_they_opened_and_old_files_go(local_lake: Lake, catalog: Catalog) -> None:
    commit_record(local_lake, "E0")
    catalog.sync()
    with catalog.connect() as connection:
        for number in range(1, 5):
            commit_record(local_lake, f"E{number}")
            catalog.sync()
        assert connection.execute("SELECT count(*) FROM experiments").fetchall() == [(1,)]
    assert catalog.query("SELECT * FROM experiments").num_rows == 5
    files = sorted(path.name for path in catalog.folder.glob("catalog-*"))
    assert files == ["catalog-4.duckdb", "catalog-5.duckdb"]


def test_an_answer_that_is_being_read_is_read_to_its_end_when_a_newer_catalog_comes(
    local_lake: Lake, catalog: Catalog
) -> None:
    commit_record(local_lake, "E0")
    catalog.sync()
    with catalog._cursor() as cursor:
        cursor.execute("SELECT range FROM range(100_000)")
        cursor.fetchmany(1)
        commit_record(local_lake, "E1")
        catalog.sync()
        assert catalog.rows("SELECT count(*) AS n FROM experiments") == [{"n": 2}]
        assert len(cursor.fetchall()) == 99_999


def test_threads_query_while_syncs_go_on(local_lake: Lake, catalog: Catalog) -> None:
    commit_record(local_lake, "E0")
    catalog.sync()
    failures: list[BaseException] = []
    done = threading.Event()

    def ask() -> None:
        last = 0
        while not done.is_set():
            try:
                count = catalog.query("SELECT count(*) AS n FROM experiments").to_pylist()[0]["n"]
                assert count >= last
                last = count
            except BaseException as error:  # noqa: BLE001 -- a thread's failure is the test's
                failures.append(error)
                return

    threads = [threading.Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
    for number in range(1, 5):
        commit_record(local_lake, f"E{number}")
        catalog.sync()
    done.set()
    for thread in threads:
        thread.join()
    assert failures == []


def test_many_commits_are_loaded_in_bulk(local_lake: Lake, catalog: Catalog) -> None:
    for number in range(30):
        with local_lake.draft("experiment_record", f"E{number % 20}") as draft:
            draft.write_table("samples", [sample_row(f"E{number % 20}", f"S{n}") for n in range(3)])
            draft.commit(version=str(number), code_version="1")
    report = catalog.sync()
    assert (report.added, report.commits) == (30, 30)
    assert rows(catalog, "SELECT count(*), count(DISTINCT commit_id) FROM samples") == [(60, 20)]
    require_same_when_rebuilt(catalog)
