"""Which byte ranges that a client asks for can be served (RFC 9110, section 14)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from refinebio_assets.api.ranges import satisfiable_ranges


@pytest.mark.parametrize(
    ("header", "found"),
    [
        ("bytes=0-4", "bytes=0-4"),
        ("Bytes=0-4, 8-", "bytes=0-4,8-"),
        ("bytes=-3", "bytes=-3"),
        ("bytes=0-0,,99-100", "bytes=0-0"),
        ("bytes=10-", ""),
        ("bytes=-0", ""),
        ("bytes=4-2", None),
        ("bytes=0-4,x", None),
        ("bytes=", None),
        ("bytes=-", None),
        ("bytes 0-4", None),
        ("items=0-4", None),
        ("", None),
    ],
)
def test_what_is_well_formed_and_in_ten_bytes_is_served(header: str, found: str | None) -> None:
    assert satisfiable_ranges(header, 10) == found


def test_an_empty_file_has_no_range() -> None:
    assert satisfiable_ranges("bytes=0-", 0) == satisfiable_ranges("bytes=-5", 0) == ""


@given(st.text(st.sampled_from("bytes=0123456789-, "), max_size=20), st.integers(0, 200))
def test_what_is_left_is_served_as_it_is(header: str, size: int) -> None:
    found = satisfiable_ranges(header, size)
    assert not found or satisfiable_ranges(found, size) == found
