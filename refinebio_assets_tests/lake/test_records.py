"""Commit records: what is written is read back, old and newer formats are told apart."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from refinebio_assets.errors import FormatError
from refinebio_assets.lake.naming import new_commit_id
from refinebio_assets.lake.records import Commit, InputRef, StoredFile, read_record, record_bytes

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
checksums = st.text("0123456789abcdef", min_size=64, max_size=64)
file_names = st.from_regex(r"[\w ]{1,8}(/[\w*?#]{1,8}){0,2}", fullmatch=True)
files = st.builds(StoredFile, file_names, file_names, st.integers(0, 2**50), checksums)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3),
    max_leaves=5,
)
moments = st.datetimes(datetime(2000, 1, 1), datetime(3000, 1, 1), timezones=st.just(UTC))


@st.composite
def commits(draw: st.DrawFn) -> Commit:
    moment = draw(moments)
    return Commit(
        id=new_commit_id(moment, "0123abcd"),
        created_at=moment,
        asset=draw(text),
        partition=draw(text),
        version=draw(text),
        code_version=draw(text),
        run_id=draw(text),
        files=tuple(draw(st.lists(files, max_size=3))),
        inputs=tuple(draw(st.lists(st.builds(InputRef, text, text, text), max_size=3))),
        tables=draw(st.dictionaries(text, text, max_size=2)),
        info=draw(st.dictionaries(text, json_values, max_size=3)),
    )


@settings(max_examples=50)
@given(commits())
def test_every_commit_is_read_back_as_written(commit: Commit) -> None:
    assert read_record(record_bytes(commit), commit.entry.path) == commit


# Written by the first release; it stays readable for good.
RECORD_OF_FORMAT_1 = {
    "format": 1,
    "id": "20261123T174501.123456Z-0123abcd",
    "asset": "gene_expression",
    "partition": "GSE1",
    "version": "v1",
    "code_version": "1",
    "run_id": "",
    "created_at": "2026-11-23T17:45:01.123456+00:00",
    "files": [{"name": "a", "path": "objects/ab/abc", "size": 3, "sha256": "abc"}],
    "inputs": [{"asset": "raw_files", "partition": "GSE1", "version": "v0"}],
    "tables": {"matrices": "a"},
    "info": {"why": "new"},
}
PATH = "log/gene_expression/GSE1/20261123T174501.123456Z-0123abcd.json"


def test_a_record_of_format_1_stays_readable() -> None:
    commit = read_record(json.dumps(RECORD_OF_FORMAT_1).encode(), PATH)
    assert commit == Commit(
        id="20261123T174501.123456Z-0123abcd",
        asset="gene_expression",
        partition="GSE1",
        version="v1",
        code_version="1",
        created_at=datetime(2026, 11, 23, 17, 45, 1, 123456, tzinfo=UTC),
        files=(StoredFile("a", "objects/ab/abc", 3, "abc"),),
        inputs=(InputRef("raw_files", "GSE1", "v0"),),
        tables={"matrices": "a"},
        info={"why": "new"},
    )


def test_a_record_of_a_newer_format_says_to_upgrade() -> None:
    with pytest.raises(
        FormatError, match=r"expected a commit record of format <= 1, found format 2 .*upgrade"
    ):
        read_record(json.dumps(RECORD_OF_FORMAT_1 | {"format": 2}).encode(), PATH)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": None}, "format None"),
        ({"format": "1"}, "format '1'"),
        ({"format": 0}, "format 0"),
        ({"files": None}, "TypeError"),
        ({"files": [{"name": "a"}]}, "TypeError"),
        ({"created_at": "yesterday"}, "ValueError"),
        ({"version": 3}, "text expected"),
        ({"partition": "GSE2"}, r"commit .* of gene_expression\[GSE2\]"),
        ({"files": [{"name": "a", "path": "../../etc/passwd", "size": 1, "sha256": "x"}]}, "inside the lake"),
        ({"files": [{"name": "a", "path": "/etc/passwd", "size": 1, "sha256": "x"}]}, "inside the lake"),
        ({"files": [{"name": "../a", "path": "objects/x", "size": 1, "sha256": "x"}]}, "inside the lake"),
    ],
)
def test_a_record_that_is_not_whole_is_refused_by_name(change: dict[str, Any], message: str) -> None:
    with pytest.raises(FormatError, match=message) as caught:
        read_record(json.dumps(RECORD_OF_FORMAT_1 | change).encode(), PATH)
    assert caught.value.file == PATH


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b"\xff\xfe", b"\x00" * 100])
def test_what_is_no_record_is_refused_by_name(content: bytes) -> None:
    with pytest.raises(FormatError, match="log/gene_expression/GSE1"):
        read_record(content, PATH)


def test_a_missing_key_is_named() -> None:
    record = {key: value for key, value in RECORD_OF_FORMAT_1.items() if key != "inputs"}
    with pytest.raises(FormatError, match="'inputs'"):
        read_record(json.dumps(record).encode(), PATH)
