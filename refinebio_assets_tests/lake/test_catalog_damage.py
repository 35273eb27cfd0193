"""Damaged commits are reported and the rest goes on; a damaged catalog is made again."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from refinebio_assets.errors import StorageError
from refinebio_assets.lake.catalog import Catalog
from refinebio_assets.lake.store import Lake
from refinebio_assets_tests.lake.making import (
    commit_record,
    commit_results,
    content_of,
    damage,
    require_same_when_rebuilt,
    rows,
)


def cut_record(lake: Lake) -> None:
    commit = lake.history("experiment_record", "E1")[-1]
    lake.storage.put_bytes(b'{"format": 1,', commit.entry.path)


def newer_format(lake: Lake) -> None:
    commit = lake.history("experiment_record", "E1")[-1]
    lake.storage.put_bytes(b'{"format": 99}', commit.entry.path)


def damaged_parquet(lake: Lake) -> None:
    commit = lake.history("experiment_record", "E1")[-1]
    file = commit.file("tables/samples.parquet")
    content = bytearray(content_of(lake, file))
    content[len(content) // 2] ^= 1
    damage(lake, file, bytes(content))


def lost_parquet(lake: Lake) -> None:
    commit = lake.history("experiment_record", "E1")[-1]
    lake.storage.remove(commit.file("tables/samples.parquet").path)


def lost_folder(lake: Lake) -> None:
    lake.storage.remove(lake.history("experiment_record", "E1")[-1].entry.folder)


@pytest.mark.parametrize("hurt", [cut_record, newer_format, damaged_parquet, lost_parquet, lost_folder])
def test_a_damaged_commit_is_reported_and_the_rest_goes_on(
    local_lake: Lake, catalog: Catalog, tmp_path: Path, hurt: Callable[[Lake], None]
) -> None:
    commit_record(local_lake, "E1", "v1", ["S1"])
    bad = commit_record(local_lake, "E1", "v2", ["S2"])
    commit_record(local_lake, "E2", "v1", ["S3"])
    sound = tmp_path / "sound"
    shutil.copytree(local_lake.url, sound)
    hurt(local_lake)

    report = catalog.sync()
    assert [(problem.commit_id, problem.asset, problem.partition) for problem in report.problems] == [
        (bad.id, "experiment_record", "E1")
    ]
    assert rows(catalog, "SELECT commit_id, problem FROM problems") == [(bad.id, report.problems[0].problem)]
    assert rows(catalog, "SELECT sample FROM samples ORDER BY ALL") == [("S1",), ("S3",)]
    assert report.commits == 2
    again = catalog.sync()
    assert (again.published, again.problems) == (False, report.problems)
    require_same_when_rebuilt(catalog)

    for part in ("assets", "log"):
        shutil.rmtree(Path(local_lake.url) / part)
        shutil.copytree(sound / part, Path(local_lake.url) / part)
    repaired = catalog.sync()
    assert (repaired.problems, repaired.commits) == ((), 3)
    assert rows(catalog, "SELECT sample FROM samples ORDER BY ALL") == [("S2",), ("S3",)]


def test_a_lost_file_that_is_no_table_is_a_problem_too(lake: Lake, tmp_path: Path) -> None:
    catalog = Catalog(lake, tmp_path / "catalog")
    commit = commit_results(lake, "E1")
    lake.storage.remove(f"{commit.entry.folder}/quant")
    (problem,) = catalog.sync().problems
    assert problem.problem == "2 files are lost or cut: quant/S1.sf, quant/S2.sf"


def test_rows_of_a_sound_commit_stay_when_its_files_are_damaged_later(
    local_lake: Lake, catalog: Catalog
) -> None:
    commit_record(local_lake, "E1", "v1", ["S1"])
    catalog.sync()
    damaged_parquet(local_lake)
    assert catalog.sync().problems == ()
    assert rows(catalog, "SELECT sample FROM samples") == [("S1",)]


@pytest.fixture(scope="module")
def synced(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A lake with its catalog, to be copied, and the catalog's digest."""
    lake = Lake(str(tmp_path_factory.mktemp("synced") / "lake"))
    commit_record(lake, "E1")
    commit_results(lake, "E1")
    catalog = Catalog(lake)
    catalog.sync()
    return Path(lake.url), catalog.digest()


def current_file(catalog: Catalog) -> Path:
    return catalog.folder / json.loads((catalog.folder / "CURRENT").read_text())["pointer"]["file"]


def remove_file(catalog: Catalog) -> None:
    current_file(catalog).unlink()


def remove_pointer(catalog: Catalog) -> None:
    (catalog.folder / "CURRENT").unlink()


def remove_folder(catalog: Catalog) -> None:
    shutil.rmtree(catalog.folder)


def cut_pointer(catalog: Catalog) -> None:
    (catalog.folder / "CURRENT").write_text('{"format": 1')


def cut_file(catalog: Catalog) -> None:
    os.truncate(current_file(catalog), 5000)


def empty_file(catalog: Catalog) -> None:
    os.truncate(current_file(catalog), 0)


def flip_one_byte(catalog: Catalog) -> None:
    path = current_file(catalog)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 255
    path.chmod(0o644)
    path.write_bytes(content)


def overwrite_with_text(catalog: Catalog) -> None:
    current_file(catalog).chmod(0o644)
    current_file(catalog).write_text("this was a database")


def make_tables_old(catalog: Catalog) -> None:
    path = catalog.folder / "CURRENT"
    pointer = json.loads(path.read_text())
    pointer["pointer"]["schema"] = "made when tables had other columns"
    path.write_text(json.dumps(pointer))


@pytest.mark.parametrize(
    "hurt",
    [
        remove_file,
        remove_pointer,
        remove_folder,
        cut_pointer,
        cut_file,
        empty_file,
        flip_one_byte,
        overwrite_with_text,
        make_tables_old,
    ],
)
def test_a_lost_or_damaged_catalog_is_made_again_by_the_next_sync(
    synced: tuple[Path, str], tmp_path: Path, hurt: Callable[[Catalog], None]
) -> None:
    origin, digest = synced
    shutil.copytree(origin, tmp_path / "lake")
    lake = Lake(str(tmp_path / "lake"))
    reader = Catalog(lake)
    assert reader.query("SELECT * FROM samples").num_rows == 2
    assert not reader.stale()
    hurt(reader)
    catalog = Catalog(lake)
    assert catalog.stale()
    report = catalog.sync()
    assert (report.rebuilt, report.published, report.commits) == (True, True, 2)
    assert catalog.digest() == digest
    assert reader.query("SELECT * FROM samples").num_rows == 2, "who had the old one open goes on"
    commit_record(lake, "E2")
    catalog.sync()
    assert reader.query("SELECT * FROM samples").num_rows == 4


def test_a_new_file_under_an_old_name_is_noticed(local_lake: Lake, catalog: Catalog) -> None:
    commit_record(local_lake, "E1")
    name = catalog.sync().file
    assert catalog.query("SELECT * FROM samples").num_rows == 2
    shutil.rmtree(catalog.folder)
    commit_record(local_lake, "E2")
    assert Catalog(local_lake).sync().file == name
    assert catalog.query("SELECT * FROM samples").num_rows == 4


def test_a_reader_that_meets_a_damaged_catalog_is_told_what_to_do(local_lake: Lake, catalog: Catalog) -> None:
    commit_record(local_lake, "E1")
    catalog.sync()
    overwrite_with_text(catalog)
    with pytest.raises(StorageError, match="will be made again by the next sync"):
        catalog.query("SELECT 1")
    remove_file(catalog)
    with pytest.raises(StorageError, match="will be made again by the next sync"):
        catalog.query("SELECT 1")
