from __future__ import annotations

import gzip
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from refinebio_assets.errors import FormatError
from refinebio_assets.formats.compressed import read_chunks
from refinebio_assets.sources.geo.soft import KINDS, SoftEntity, read_soft

SMALL = b"""^SERIES = GSE1
!Series_title = Kidneys
!Series_summary = First.
!Series_summary =
!Series_summary = Age = 70; Sex = F
^SAMPLE = GSM1
!Sample_title = N035
#ID_REF =
!sample_table_begin
ID_REF\tVALUE
!odd\t1
^odd\t2
!sample_table_end
!Sample_data_row_count = 2
"""


def read(data: bytes, size: int = 7) -> list[SoftEntity]:
    chunks = [data[start : start + size] for start in range(0, len(data), size)]
    return list(read_soft(chunks, "family.soft"))


@pytest.mark.parametrize("size", [1, 5, 40, 10_000])
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_records_are_read_whole_and_tables_are_passed_over(size, pack):
    series, sample = read(pack(SMALL), size)
    assert (series.kind, series.name, series.line) == ("SERIES", "GSE1", 1)
    assert series.pairs[1:] == (("summary", "First."), ("summary", ""), ("summary", "Age = 70; Sex = F"))
    assert sample == SoftEntity(
        "SAMPLE", "GSM1", (("title", "N035"), ("data_row_count", "2")), 6, ("ID_REF",)
    )
    assert series.values("summary") == ["First.", "Age = 70; Sex = F"]
    assert (series.first("title"), series.first("pubmed_id")) == ("Kidneys", "")


def test_line_ends_of_windows_and_a_byte_order_mark_do_not_count():
    assert read(b"\xef\xbb\xbf" + SMALL.replace(b"\n", b"\r\n")) == read(SMALL)


def test_a_line_that_is_not_utf8_is_read_as_latin_1_and_its_neighbors_are_not_spoilt():
    text = "^SAMPLE = GSM1\n!Sample_a = 5 µL\n".encode() + "!Sample_b = Génomique\n".encode("latin-1")
    assert read(text)[0].pairs == (("a", "5 µL"), ("b", "Génomique"))


def test_a_value_that_was_broken_into_lines_is_put_together():
    text = b"^SAMPLE = GSM1\n!Sample_description = first\nsecond\n\n!Sample_type = RNA\n"
    assert read(text)[0].pairs == (("description", "first\nsecond"), ("type", "RNA"))


def test_a_key_without_the_prefix_of_its_record_is_kept_as_it_is():
    text = b"^DATASET = GDS507\n!dataset_title = RCC\n!update = x\n"
    assert read(text)[0].pairs == (("title", "RCC"), ("update", "x"))


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        (b"", None, "an empty file"),
        (b"\n \n", None, "an empty file"),
        (gzip.compress(b"", mtime=0), None, "an empty file"),
        (b"<!DOCTYPE html>\n<html></html>\n", 1, "HTML"),
        (b"\n\n<html>\n", 3, "HTML"),
        (b"ID_REF\tVALUE\n", 1, "'^SERIES = GSE1'"),
        (b"!Series_title = no record before\n", 1, "'^SERIES = GSE1'"),
        (b"^SERIES = GSE1\n!Series_title Kidneys\n", 2, "'!Series_title Kidneys'"),
        (b"^SERIES = GSE1\n!Series_note one: a=b\n", 2, "'!Series_... = ...'"),
        (b"^SERIES = GSE1\n^PAPER = 1\n", 2, "'^PAPER = 1'"),
        (b"^SERIES GSE1\n", 1, "'^SERIES GSE1'"),
        (b"^SERIES = GSE1\nnothing before\n", 2, "'nothing before'"),
        (b"^SERIES = GSE1\n!Series_title = x\n<html><body>Error</body>\n", 3, "<html>"),
        (b"^SAMPLE = GSM1\n!sample_table_begin\nID\tVALUE\n1\t", 4, "line 2, found the end of the file"),
        (b"^SAMPLE = GSM1\n!sample_table_begin\nID\tVALUE\n^SAMPLE = GSM2\n", 4, "'^SAMPLE = GSM2'"),
        ("^SERIES = GSE1\n".encode("utf-16"), 1, "UTF-16"),
    ],
)
def test_what_is_not_soft_is_refused_with_file_and_line(text, line, words):
    with pytest.raises(FormatError) as caught:
        read(text)
    assert caught.value.line == line
    assert str(caught.value).startswith("family.soft")
    assert words in str(caught.value)


def test_a_cut_gzip_file_is_refused_and_says_so():
    whole = gzip.compress(SMALL * 50)
    with pytest.raises(FormatError, match="it is cut"):
        read(whole[: len(whole) // 2], size=100)


def test_a_line_without_end_is_refused_before_it_fills_the_memory():
    with pytest.raises(FormatError, match="expected a line of text"):
        list(read_soft((b"^" + b"x" * (1 << 20) for _ in range(20)), "binary"))


text_of_a_line = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), max_size=30).map(
    str.strip
)
keys = st.from_regex(r"[a-z][a-z0-9_]{0,15}", fullmatch=True)
rows = st.lists(st.text(st.sampled_from("ab1.!^#\t ="), max_size=8).map(lambda row: f"x{row}"), max_size=4)
records = st.tuples(
    st.sampled_from(KINDS),
    text_of_a_line,
    st.lists(st.tuples(keys, text_of_a_line), max_size=6),
    st.none() | rows,
)


@given(st.lists(records, min_size=1, max_size=4), st.integers(1, 50), st.booleans())
def test_every_attribute_comes_back_as_it_was_written(written, size, packed):
    lines = []
    for kind, name, pairs, table in written:
        lines.append(f"^{kind} = {name}")
        lines += [f"!{kind.capitalize()}_{key} = {value}" for key, value in pairs]
        if table is not None:
            lines += [f"!{kind.lower()}_table_begin", *table, f"!{kind.lower()}_table_end"]
    data = "\n".join(lines).encode()
    found = read(gzip.compress(data, 1) if packed else data, size)
    assert [(one.kind, one.name, list(one.pairs)) for one in found] == [
        (kind, name, pairs) for kind, name, pairs, _ in written
    ]
    places = [number for number, line in enumerate(lines, start=1) if line.startswith("^")]
    assert [one.line for one in found] == places


@pytest.mark.parametrize(
    ("name", "kinds", "attributes"),
    [
        ("GSE781_family.tables_cut_to_3_rows.soft.gz", 38, 927),
        ("geoparse_GPL20814_family.soft.gz", 3, 44),
        ("geoparse_soft_ex_family.txt.gz", 5, 125),
        ("with_tables/GDS507.soft.gz", 15, 69),
        ("with_tables/GSM2712880.soft.gz", 1, 30),
        ("with_tables/soft_ex_family.txt", 5, 125),
    ],
)
def test_real_files_have_as_many_records_and_attributes_as_lines_say(shared_data, name, kinds, attributes):
    path = shared_data / "geo_soft" / name
    found = list(read_soft(read_chunks(path), path.name))
    assert (len(found), sum(len(one.pairs) for one in found)) == (kinds, attributes)


def test_a_table_of_gigabytes_is_not_held_in_memory(tmp_path: Path):
    """The table has 40 MB; cut into rows it would be ten times that."""
    row = b"1007_s_at\t7.123456789\tP\n"
    path = tmp_path / "family.soft.gz"
    with gzip.open(path, "wb", 1) as file:
        file.write(b"^SAMPLE = GSM1\n!sample_table_begin\n")
        for _ in range(40):
            file.write(row * ((1 << 20) // len(row)))
        file.write(b"!sample_table_end\n")
    tracemalloc.start()
    found = list(read_soft(read_chunks(path), path.name))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert [one.name for one in found] == ["GSM1"]
    assert peak < 12 << 20
