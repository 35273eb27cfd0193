"""Rows with wide cells, beside readers that take an endless cell for a fault."""

import csv

import pytest

from refinebio_assets.formats.wide_rows import WideRows

WIDE = "x" * 200_000


def test_wide_cells_are_read_and_other_readers_keep_their_limit() -> None:
    rows = WideRows(["a\tb\n", f"1\t{WIDE}\n", '2\t"two\n', 'lines"\n'], "excel-tab", widest=300_000)
    assert next(rows) == ["a", "b"]
    assert next(rows) == ["1", WIDE]
    with pytest.raises(csv.Error, match="field limit"):
        next(csv.reader([WIDE]))
    assert next(rows) == ["2", "two\nlines"]
    assert rows.line_num == 4
    assert list(rows) == []


def test_what_is_wider_still_is_refused_and_leaves_the_limit() -> None:
    before = csv.field_size_limit()
    with pytest.raises(csv.Error, match="field limit"):
        next(WideRows([WIDE], widest=150_000))
    assert csv.field_size_limit() == before
