"""Ages as people write them: what refine.bio reads, and the unit and years beyond it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from refinebio_assets.metadata.ages import AGE_UNITS, age_unit, parse_age, read_age, unit_of_key, years


@pytest.mark.parametrize(
    ("text", "age"),
    [
        ("12", 12.0),
        (" 12 ", 12.0),
        ("12 weeks", 12.0),
        ("-1", -1.0),
        ("0", 0.0),
        ("1e2", 100.0),
        ("1_000", 1000.0),
        ("１２", 12.0),
        ("99999.9994", 99999.9994),
    ],
)
def test_a_number_alone_or_before_a_blank_is_an_age(text: str, age: float) -> None:
    assert parse_age(text) == age


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", ".", "adult", "12weeks", "12\tweeks", "5-6 weeks", "<1", "90+", "P21", "1,5", " 12 weeks"),
        *("nan", "inf", "-Infinity", "nan years", "100000", "99999.9996", "-1e5", "9" * 400),
    ],
)
def test_other_texts_and_what_cannot_be_stored_are_no_age(text: str) -> None:
    assert parse_age(text) is None


WEEK = 7 / 365.25


@pytest.mark.parametrize(
    ("text", "unit", "in_years"),
    [
        ("12 weeks", "week", 12 * WEEK),
        ("12weeks", "week", 12 * WEEK),
        ("8wk", "week", 8 * WEEK),
        ("12-week-old", "week", 12 * WEEK),
        ("12 Weeks of age", "week", 12 * WEEK),
        ("12 (weeks)", "week", 12 * WEEK),
        ("9yrs 2mos", "year", 9 + 2 / 12),
        ("9 years, 2 months", "year", 9 + 2 / 12),
        ("1y6m", "year", 1.5),
        ("6 months and 2 weeks", "month", 0.5 + 2 * WEEK),
        ("24m", "month", 2.0),
        ("45 y/o", "year", 45.0),
        ("45yo", "year", 45.0),
        ("45 y.o.", "year", 45.0),
        ("aged 45 years", "year", 45.0),
        ("0.5 years.", "year", 0.5),
        ("P21", "day", 3 * WEEK),
        ("PND 21", "day", 3 * WEEK),
        ("postnatal day 0", "day", 0.0),
        ("postnatal week 3", "week", 3 * WEEK),
        ("48 hpf", "hour", 48 / 8766),
        ("5dpf", "day", 5 / 365.25),
    ],
)
def test_an_age_that_names_its_unit_is_known_in_years(text: str, unit: str, in_years: float) -> None:
    reading = read_age(text)
    assert (reading.unit, reading.years) == (unit, pytest.approx(in_years))


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("5-6 weeks", "week"),
        ("<1 year", "year"),
        ("~8 wk", "week"),
        (">89 years", "year"),
        ("-1 year", "year"),
        ("1,5 years", "year"),
        ("123456 days", "day"),
        ("E12.5", "day"),
        ("embryonic day 12.5", "day"),
        ("12.5 dpc", "day"),
        ("20 pcw", "week"),
        ("20 weeks gestation", "week"),
        ("24 hours post infection", "hour"),
    ],
)
def test_ranges_bounds_and_prenatal_ages_have_a_unit_but_no_years(text: str, unit: str) -> None:
    reading = read_age(text)
    assert (reading.unit, reading.years) == (unit, None)


@pytest.mark.parametrize(
    "text", ["", "7", "adult", "day care", "2 weeks 3 months", "45M", "3 patients", "1e2", "unknown"]
)
def test_what_names_no_unit_with_a_number_has_none(text: str) -> None:
    assert (read_age(text).unit, read_age(text).years) == ("", None)


def test_the_unit_of_the_key_counts_where_the_text_has_none() -> None:
    assert read_age("6", "month").years == 0.5
    assert read_age("6 days", "month").unit == "day"
    assert (read_age("5-6", "week").unit, read_age("5-6", "week").years) == ("week", None)
    assert read_age("adult", "week").unit == ""
    assert read_age("-6", "week").years is None


@pytest.mark.parametrize(
    ("key", "unit"),
    [
        ("age", ""),
        ("age of patient", ""),
        ("age (yrs)", "year"),
        ("age (hours)", "hour"),
        ("age at diagnosis months", "month"),
        ("characteristics [age]", ""),
    ],
)
def test_a_source_key_can_name_the_unit(key: str, unit: str) -> None:
    assert unit_of_key(key) == unit


def test_units_are_known_by_word_and_by_ontology_term() -> None:
    texts = [
        "Years",
        " wk ",
        "hr.",
        "UO:0000033",
        "http://purl.obolibrary.org/obo/UO_0000035",
        "m",
        "M",
        "ug",
    ]
    assert [age_unit(text) for text in texts] == ["year", "week", "hour", "day", "month", "month", "", ""]


def test_years_need_an_age_and_a_unit() -> None:
    assert years(18.0, "month") == 1.5
    assert years(18.0, "") is None
    assert years(None, "month") is None


@given(st.text(max_size=30) | st.from_regex(r"[0-9]{1,7}[ .,-]?(y|wk|m|days|e|p)? ?[0-9]{0,3}[a-z]{0,5}"))
def test_any_text_can_be_read(text: str) -> None:
    reading = read_age(text)
    assert reading.unit in {"", *AGE_UNITS}
    assert reading.years is None or 0 <= reading.years < 200_000


def test_a_very_long_text_is_read_in_no_time() -> None:
    assert read_age("1 week " * 20_000 + "x").years is None
