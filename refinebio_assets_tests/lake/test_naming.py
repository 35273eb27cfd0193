"""Names become path parts that are safe, different for different names, and readable back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from refinebio_assets.errors import RequestError
from refinebio_assets.lake.naming import (
    MAX_PART_BYTES,
    commit_id_of,
    commit_moment,
    decode_name,
    encode_name,
    is_commit_id,
    is_shortened,
    new_commit_id,
)

names = st.text(st.characters(exclude_categories=["Cs"]), max_size=120)
moments = st.datetimes(datetime(1970, 1, 1), datetime(9998, 1, 1), timezones=st.just(UTC))


@given(names)
@example("")
@example(".")
@example("..")
@example("../../etc/passwd")
@example("~")
@example("%41")
@example("a" * 200)
@example("a" * 201)
@example("é" * 67)
def test_every_name_becomes_one_safe_path_part(name: str) -> None:
    part = encode_name(name)
    assert part.isascii()
    assert "/" not in part
    assert "\x00" not in part
    assert not part.startswith(".")
    assert 1 <= len(part) <= MAX_PART_BYTES
    assert decode_name(part) == (None if is_shortened(part) else name)


@given(st.lists(names, unique=True, min_size=2, max_size=2))
@example(["a", "A"])
@example(["a b", "a%20b"])
@example(["", "%"])
@example(["x" * 300, "x" * 301])
@example(["x" * 300, encode_name("x" * 300)])
def test_different_names_become_different_parts(pair: list[str]) -> None:
    assert encode_name(pair[0]) != encode_name(pair[1])


def test_plain_names_stay_readable() -> None:
    assert encode_name("GSE123-x_1.2") == "GSE123-x_1.2"
    assert encode_name("Homo sapiens") == "Homo%20sapiens"


def test_parts_that_nobody_encoded_have_no_name() -> None:
    for part in ("a b", "%zz", "%ff", "a/b", "%41"):
        assert decode_name(part) is None


def test_a_lone_surrogate_is_no_name() -> None:
    with pytest.raises(RequestError, match="not valid Unicode text"):
        encode_name("\ud800")


@given(moments, moments, st.sampled_from(["00000000", "ffffffff"]))
def test_a_new_commit_sorts_after_the_newest_and_by_time(
    earlier: datetime, later: datetime, token: str
) -> None:
    first = new_commit_id(earlier, token)
    assert commit_moment(first) == earlier
    second = new_commit_id(later, "80000000", after=first)
    assert is_commit_id(first)
    assert is_commit_id(second)
    assert second > first
    assert commit_moment(second) == max(later, earlier + timedelta(microseconds=1))


def test_only_records_have_a_commit_id() -> None:
    commit_id = "20261123T174501.123456Z-0123abcd"
    assert commit_id_of(f"{commit_id}.json") == commit_id
    for name in (commit_id, f"{commit_id}.json.tmp", ".json", "x.json", f"{commit_id[:-1]}.json"):
        assert commit_id_of(name) is None
