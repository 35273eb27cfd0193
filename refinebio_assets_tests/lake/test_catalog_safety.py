"""Who asks the catalog can read it, and nothing else: no files, no writing, no settings."""

from __future__ import annotations

import re
from pathlib import Path

import duckdb
import pytest

from refinebio_assets.errors import RequestError
from refinebio_assets.lake.catalog import Catalog
from refinebio_assets.lake.schema import COMMITS, PROBLEMS, TABLES, VIEWS
from refinebio_assets.lake.store import Lake
from refinebio_assets_tests.lake.making import commit_record


@pytest.fixture(scope="module")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    """One catalog for all tests here, as none of them may change it."""
    lake = Lake(str(tmp_path_factory.mktemp("safe") / "lake"))
    commit_record(lake, "E1")
    catalog = Catalog(lake)
    catalog.sync()
    return catalog


def everything_in(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


WRITING = [
    "COPY samples TO '{file}' (USE_TMP_FILE false)",
    "COPY samples TO '{file}'",
    "COPY samples TO '{file}.wal'",
    "COPY samples TO '{linked}' (USE_TMP_FILE false)",
    "COPY samples TO '{linked}.wal'",
    "COPY samples TO '{folder}/x.csv'",
    "COPY samples TO 'x.csv'",
    "EXPLAIN ANALYZE COPY samples TO '{linked}' (USE_TMP_FILE false)",
    "EXPORT DATABASE '{folder}/x'",
    "CREATE TABLE x AS SELECT 1",
    "CREATE TABLE catalog.x AS SELECT 1",
    "INSERT INTO samples SELECT * FROM samples",
    "DELETE FROM samples",
    "UPDATE commits SET is_current = false",
    "DROP TABLE samples",
    "ATTACH '{folder}/x.duckdb'",
    "INSTALL httpfs",
    "LOAD httpfs",
    "SET enable_external_access = true",
    "SET lock_configuration = false",
    "SET temp_directory = '{folder}'",
]
READING = [
    "SELECT * FROM read_text('/etc/passwd')",
    "SELECT * FROM read_blob('{pointer}')",
    "SELECT * FROM read_csv('/etc/passwd')",
    "SELECT * FROM '/etc/passwd'",
    "SELECT * FROM glob('/*')",
    "SELECT * FROM read_parquet('{root}/assets/**/*.parquet')",
    "SELECT * FROM sniff_csv('/etc/passwd')",
]


@pytest.mark.parametrize("statement", WRITING + READING)
def test_sql_can_neither_write_nor_read_other_files(catalog: Catalog, statement: str) -> None:
    before = everything_in(Path(catalog.lake.url))
    with catalog.connect() as connection:
        (linked,) = connection.execute(
            "SELECT path FROM duckdb_databases() WHERE path IS NOT NULL"
        ).fetchall()
        sql = statement.format(
            file=next(catalog.folder.glob("catalog-*")),
            linked=linked[0],
            folder=catalog.folder,
            pointer=catalog.folder / "CURRENT",
            root=catalog.lake.url,
        )
        with pytest.raises(duckdb.Error):
            connection.execute(sql).fetchall()
        assert connection.execute("SELECT count(*) FROM samples").fetchall() == [(2,)]
    with pytest.raises(RequestError):
        catalog.query(sql)
    assert everything_in(Path(catalog.lake.url)) == before
    assert not Path("x.csv").exists()


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("SELECT 1; SELECT 2", "one SELECT at a time; found SELECT, SELECT"),
        ("", "found nothing"),
        ("CREATE TEMP TABLE x AS SELECT 1", "found CREATE"),
        ("CALL pragma_version()", "found CALL"),
        ("SET threads = 1", "found SET"),
        ("SELECT * FROM enable_logging(storage = 'file', storage_path = 'logs')", "enable_logging is not"),
        ("SELECT * FROM query('SELECT 1')", "query is not available"),
        ("SELEC 1", "Parser Error"),
        ("SELECT tissue FROM samples", "tissue"),
        ("SELECT * FROM sampels", "sampels"),
        ("SELECT 1 / 'x'", "Conver"),
    ],
)
def test_a_query_that_does_not_only_read_is_refused(catalog: Catalog, sql: str, message: str) -> None:
    with pytest.raises(RequestError, match=re.escape(message)):
        catalog.query(sql)


@pytest.mark.parametrize(
    ("sql", "parameters"),
    [
        ("SELECT sample FROM samples WHERE sample = ?", ["S1"]),
        ("SELECT sample FROM samples WHERE sample = $sample", {"sample": "S1"}),
        ("WITH x AS (SELECT 'S1' AS sample) FROM x", ()),
        ("SELECT unnest($samples) AS sample", {"samples": ["S1"]}),
    ],
)
def test_parameters_and_all_forms_of_select_work(catalog: Catalog, sql: str, parameters: object) -> None:
    assert catalog.query(sql, parameters).to_pylist() == [{"sample": "S1"}]  # type: ignore[arg-type]


def test_tables_describe_themselves(catalog: Catalog) -> None:
    shown = {row["name"] for row in catalog.query("SHOW TABLES").to_pylist()}
    assert shown == {*TABLES, *VIEWS, COMMITS.name, PROBLEMS.name}
    described = [row["column_name"] for row in catalog.query("DESCRIBE samples").to_pylist()]
    assert described == [*(column.name for column in TABLES["samples"].columns), *described[-3:]]
    assert described[-3:] == ["commit_id", "asset", "partition"]
    comments = "SELECT comment FROM duckdb_columns() WHERE table_name = 'results' AND comment IS NULL"
    assert catalog.query(comments).num_rows == 0
    assert catalog.query("EXPLAIN SELECT * FROM samples").num_rows > 0


def test_times_are_utc(catalog: Catalog) -> None:
    (row,) = catalog.query("SELECT created_at, current_setting('TimeZone') AS zone FROM commits").to_pylist()
    (entry,) = catalog.lake.log()
    assert row["created_at"] == catalog.lake.read(entry).created_at
    assert row["zone"] == "UTC"


def test_connections_leave_nothing_behind(catalog: Catalog) -> None:
    before = set(catalog.folder.iterdir())
    for _ in range(3):
        with catalog.connect() as connection:
            assert set(catalog.folder.iterdir()) == before
            connection.execute("SELECT * FROM samples ORDER BY sample").fetchall()
    catalog.query("SELECT 1")
    catalog.close()
    assert set(catalog.folder.iterdir()) == before
