"""Tables hold to their declared schema: on the way in, on the way out, in DuckDB and in the docs."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from enum import StrEnum
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from refinebio_assets.errors import FormatError, RequestError
from refinebio_assets.lake.parquet import ROWS_AT_ONCE, read_rows, write_rows
from refinebio_assets.lake.schema import COMMITS, PROBLEMS, TABLES, tables_markdown
from refinebio_assets.lake.store import Lake
from refinebio_assets.lake.table import Column, ColumnType, Scope, Table
from refinebio_assets_tests.lake.making import experiment_row, sample_row

EVERY_TYPE = Table(
    "every_type",
    "One column of each type.",
    Scope.CURRENT,
    tuple(Column(kind.name.lower(), kind, "A value.", required=False) for kind in ColumnType),
)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
rows = st.fixed_dictionaries(
    {},
    optional={
        "string": st.none() | texts,
        "int64": st.none() | st.integers(-(2**63), 2**63 - 1),
        "float64": st.none() | st.floats(allow_nan=False),
        "bool": st.none() | st.booleans(),
        "timestamp": st.none() | st.datetimes(timezones=st.just(UTC)),
        "strings": st.none() | st.lists(texts, max_size=3),
    },
)


def written(path: Path, table: Table, content: list[dict[str, Any]]) -> pa.Table:
    write_rows(path, table, content)
    return read_rows(path.read_bytes(), table, str(path))


@given(content=st.lists(rows, max_size=20))
def test_rows_are_read_back_as_written(
    tmp_path_factory: pytest.TempPathFactory, content: list[dict[str, Any]]
) -> None:
    path = tmp_path_factory.mktemp("rows") / "t.parquet"
    names = [column.name for column in EVERY_TYPE.columns]
    found = written(path, EVERY_TYPE, content)
    found.validate(full=True)
    assert found.to_pylist() == [{name: row.get(name) for name in names} for row in content]


def test_more_rows_than_one_batch_are_all_written(tmp_path: Path) -> None:
    table = TABLES["sample_metadata"]
    count = ROWS_AT_ONCE * 2 + 1
    content = ({"experiment": "E", "sample": "S", "key": str(n), "value": None} for n in range(count))
    write_rows(tmp_path / "t.parquet", table, content)
    found = read_rows((tmp_path / "t.parquet").read_bytes(), table, "t")
    assert found.column("key").to_pylist() == [str(n) for n in range(count)]


def test_the_same_rows_give_the_same_bytes(tmp_path: Path) -> None:
    content = [experiment_row(f"E{n}") for n in range(100)]
    for name in ("one", "two"):
        write_rows(tmp_path / name, TABLES["experiments"], content)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_values_of_numpy_and_enums_are_taken_as_what_they_are(tmp_path: Path) -> None:
    class Verdict(StrEnum):
        FINE = "fine"

    row = {
        "string": Verdict.FINE,
        "int64": np.int64(3),
        "float64": np.float32(0.5),
        "bool": np.bool_(True),
        "timestamp": datetime(2026, 1, 1, 12, tzinfo=timezone(timedelta(hours=2))),
        "strings": (Verdict.FINE,),
    }
    (found,) = written(tmp_path / "t", EVERY_TYPE, [row]).to_pylist()
    assert found == {
        "string": "fine",
        "int64": 3,
        "float64": 0.5,
        "bool": True,
        "timestamp": datetime(2026, 1, 1, 10, tzinfo=UTC),
        "strings": ["fine"],
    }


@pytest.mark.parametrize(
    ("column", "value", "found"),
    [
        ("string", 3, "int 3"),
        ("string", b"bytes", "bytes b'bytes'"),
        ("string", "\ud800", r"str '\\ud800'"),
        ("int64", "3", "str '3'"),
        ("int64", 3.0, "float 3.0"),
        ("int64", True, "bool True"),
        ("int64", 2**63, "int 9223372036854775808"),
        ("float64", "0.5", "str '0.5'"),
        ("float64", False, "bool False"),
        ("bool", 1, "int 1"),
        ("bool", "yes", "str 'yes'"),
        ("timestamp", "2026-01-01", "str '2026-01-01'"),
        ("timestamp", datetime(2026, 1, 1), "datetime datetime.datetime"),
        ("strings", "abc", "str 'abc'"),
        ("strings", ["a", 3], r"list \['a', 3\]"),
        ("strings", [None], r"list \[None\]"),
        ("int64", "x" * 500, rf"str '{'x' * 59}\.\.\.$"),
    ],
)
def test_a_value_of_another_type_is_refused_by_table_row_and_column(
    tmp_path: Path, column: str, value: object, found: str
) -> None:
    content: list[dict[str, Any]] = [{}, {column: None}, {column: value}]
    with pytest.raises(FormatError, match=rf"table every_type, row 3, column {column}: .*found {found}"):
        written(tmp_path / "t", EVERY_TYPE, content)


def test_rows_are_counted_across_batches(tmp_path: Path) -> None:
    def content() -> Iterator[dict[str, Any]]:
        for _ in range(ROWS_AT_ONCE + 4):
            yield {"string": "fine"}
        yield {"string": 3}

    with pytest.raises(FormatError, match=r"row 10,005, column string"):
        write_rows(tmp_path / "t", EVERY_TYPE, content())


def test_a_missing_required_value_is_refused(local_lake: Lake) -> None:
    content = [sample_row("E1", "S1"), sample_row("E1", "S2") | {"organism": None}]
    with (
        local_lake.draft("a", "p") as draft,
        pytest.raises(FormatError, match=r"samples, row 2, column organism: .*required, found no value"),
    ):
        draft.write_table("samples", content)


def test_an_undeclared_column_is_refused(local_lake: Lake) -> None:
    with (
        local_lake.draft("a", "p") as draft,
        pytest.raises(
            FormatError, match=r"table samples, row 1, column age, tissue: expected a declared column"
        ),
    ):
        draft.write_table("samples", [sample_row("E1", "S1", tissue="liver", age="3")])


def test_an_undeclared_table_is_refused_with_the_names_there_are(local_lake: Lake) -> None:
    with (
        local_lake.draft("a", "p") as draft,
        pytest.raises(FormatError, match="expected one of annotation_counts, "),
    ):
        draft.write_table("sampels", [])


def test_a_row_that_is_no_mapping_is_refused(local_lake: Lake) -> None:
    with local_lake.draft("a", "p") as draft, pytest.raises(FormatError, match="row 1: expected a mapping"):
        draft.write_table("samples", [("E1", "S1")])  # type: ignore[list-item]


def test_a_table_is_written_once(local_lake: Lake) -> None:
    with local_lake.draft("a", "p") as draft:
        draft.write_table("samples", [])
        with pytest.raises(RequestError, match="written twice"):
            draft.write_table("samples", [])


def test_a_refused_table_is_not_in_the_commit(local_lake: Lake) -> None:
    with local_lake.draft("a", "p") as draft:
        with pytest.raises(FormatError):
            draft.write_table("samples", [sample_row("E1", "S1"), {}])
        commit = draft.commit(version="v", code_version="1")
    assert commit.tables == {}
    assert commit.files == ()


def old_file(path: Path, columns: dict[str, pa.Array]) -> bytes:
    pq.write_table(pa.table(columns), path)
    return path.read_bytes()


def test_columns_declared_later_are_null_in_old_files(tmp_path: Path) -> None:
    names = ("experiment", "sample", "organism")
    data = old_file(tmp_path / "old", {name: pa.array(["x", "y"]) for name in names})
    found = read_rows(data, TABLES["samples"], "old")
    assert found.column_names == [column.name for column in TABLES["samples"].columns]
    assert found.column("technology").to_pylist() == [None, None]
    assert found.column("sample").to_pylist() == ["x", "y"]


def test_columns_of_newer_software_are_left_out(tmp_path: Path) -> None:
    table = TABLES["registered_samples"]
    columns = {column.name: pa.array(["x"]) for column in table.columns}
    data = old_file(tmp_path / "new", {"extra": pa.array([1])} | columns)
    assert read_rows(data, table, "new").column_names == [column.name for column in table.columns]


@pytest.mark.parametrize(
    ("column", "message"),
    [
        (pa.array([1]), "column sample: expected string, found int64"),
        (pa.array([None], pa.string()), "column sample: expected a value in each row, found nulls"),
    ],
)
def test_a_file_that_breaks_the_schema_is_refused(tmp_path: Path, column: pa.Array, message: str) -> None:
    columns = {"experiment": pa.array(["x"]), "sample": column, "definition": pa.array(["x"])}
    data = old_file(tmp_path / "t", columns)
    with pytest.raises(FormatError, match=f"some/path, table registered_samples, {message}"):
        read_rows(data, TABLES["registered_samples"], "some/path")


@pytest.mark.parametrize("data", [b"", b"PAR1", b"PAR1" + b"\x00" * 100 + b"PAR1", b"gene,sample\n"])
def test_a_file_that_is_no_parquet_is_refused(data: bytes) -> None:
    with pytest.raises(FormatError, match="some/path: expected table samples as Parquet"):
        read_rows(data, TABLES["samples"], "some/path")


@pytest.mark.parametrize("table", [*TABLES.values(), COMMITS, PROBLEMS], ids=lambda table: table.name)
def test_each_table_exists_in_duckdb_as_declared(table: Table) -> None:
    with duckdb.connect() as connection:
        connection.execute(table.sql())
        found = connection.execute(
            "SELECT column_name, comment FROM duckdb_columns() WHERE table_name = ?", [table.name]
        ).fetchall()
    columns = (*table.columns, *table.added_columns)
    assert found == [(column.name, column.description) for column in columns]
    assert len({column.name for column in columns}) == len(columns)


def test_the_docs_describe_every_column() -> None:
    text = tables_markdown()
    for table in (*TABLES.values(), COMMITS, PROBLEMS):
        section = text.split(f"### {table.name}\n")[1].split("###")[0]
        assert table.description in section
        for column in (*table.columns, *table.added_columns):
            assert f"| `{column.name}` | {column.type} |" in section
            assert column.description.endswith(".")
