"""The rules of harmonization, each on a small sample of its own, and what holds for every sample."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from refinebio_assets.metadata.harmonize import harmonize, harmonize_sample, match_title_field, sample_title
from refinebio_assets.metadata.harmonized import FieldSource, Harmonized
from refinebio_assets.metadata.source_keys import FIELDS, SOURCE_KEYS, match_key, title_ranks


def _fields(key: str) -> set[str]:
    return {field for field, _ in match_key(key)}


@pytest.mark.parametrize(
    "key",
    [
        "organism part",
        "Organism_Part",
        "organism-part",
        " organismpart\t",
        "characteristics [organism part]",
        "Characteristics[organism part]",
        "characteristic[organism-part]",
        "comment [organism_part]",
        "comments[organismpart]",
        "FactorValue [ORGANISM PART]",
        "factor value[organism part]",
        "sample_organism part",
        "sample_hostorganism_part",
        "sample_sample_organism_part",
        "characteristics_organism_part",
        "characteristics_organism_part_0_text",
        "characteristics_organism part_12_text",
    ],
)
def test_every_variant_of_a_source_key_feeds_its_field(key: str) -> None:
    assert _fields(key) == {"specimen_part"}


@pytest.mark.parametrize(
    "key",
    [
        "characteristics_age_0_tag",
        "characteristics_age_0_unit",
        "characteristics_age_0_ontologyTerms_0",
        "characteristics_age_x_text",
        "characteristics_age__text",
        "characteristics_host_age_0_text",
        "characteristic_age",
        "source_name_ch1",
        "treatment_protocol_ch1",
        "host_sex",
        "study_ena_strain",
        "age at death",
        "sample_host_age",
        "characteristics[age",
        "",
    ],
)
def test_other_keys_feed_nothing(key: str) -> None:
    assert _fields(key) == set()


def test_disease_state_feeds_two_fields() -> None:
    harmonized = harmonize({"disease state": "Relapse"})
    assert (harmonized.disease, harmonized.disease_stage) == ("relapse", "relapse")


def test_parentheses_of_a_source_key_are_literal_in_flattened_keys() -> None:
    assert _fields("characteristics_age_(years)_0_text") == {"age"}
    assert _fields("characteristics_age (months)_0_text") == {"age"}
    assert _fields("characteristics_age years_0_text") == set()


@pytest.mark.parametrize("field", [field for field in FIELDS if field != "title"])
def test_each_source_key_feeds_its_field(field: str) -> None:
    for key in SOURCE_KEYS[field]:
        assert field in _fields(key), key


@pytest.mark.parametrize(
    ("text", "sex"),
    [
        ("F", "female"),
        ("woman", "female"),
        (" Female ", "female"),
        ("m", "male"),
        ("man", "male"),
        ("male ", "male"),
        ("Mixed", "mixed"),
        ("  ", ""),
    ],
)
def test_sex_is_female_or_male_where_it_says_so(text: str, sex: str) -> None:
    assert harmonize({"sex": text}).sex == sex


def test_values_are_lowercased_stripped_distinct_sorted_and_joined() -> None:
    sample = {"tissue": " Kidney", "organ": "kidney", "cell type": "B cell", "organism part": ""}
    assert harmonize(sample).specimen_part == "b cell;kidney"


def test_values_that_hold_a_semicolon_are_not_split() -> None:
    assert harmonize({"tissue": "b;a", "organ": "a"}).specimen_part == "a;b;a"


@pytest.mark.parametrize(("age", "expected"), [("0", 0.0), ("0.0 years", 0.0), ("nan", None), ("-inf", None)])
def test_newborns_have_an_age_and_what_is_not_finite_is_none(age: str, expected: float | None) -> None:
    assert harmonize({"age": age}).age == expected


def test_the_first_age_that_is_a_number_counts() -> None:
    assert harmonize({"age": "adult", "patient age": "54", "age (years)": "3"}).age == 54.0


def test_none_is_missing_and_other_values_count_by_their_text() -> None:
    sample = {"tissue": None, "organ": ["a"], "age": 5, "sex": True, "time": 2.5, "title": 7}
    harmonized = harmonize(sample)
    assert harmonized.values() | {"time": "2.5"} == harmonized.values()
    assert (harmonized.specimen_part, harmonized.age, harmonized.sex) == ("['a']", 5.0, "true")
    assert harmonized.title == "7"


def test_nothing_gives_empty_fields() -> None:
    assert harmonize({}) == Harmonized()
    assert list(harmonize({}).values()) == list(FIELDS)


# Titles.


@pytest.mark.parametrize(
    ("sample", "title"),
    [
        ({"title": " Mixed Case "}, " Mixed Case "),
        ({"labeled extract name": "L", "extract name": "E"}, "E"),
        ({"extract name": "E", "comment [sample_title]": "S"}, "S"),
        ({"title": "T", "sample_title": "S"}, "S"),
        ({"sample_title": "S", "sample title": "better"}, "better"),
        ({"sample_sample name": "N", "sample title": "T"}, "N"),
        ({"Title": "not as written"}, ""),
        ({"title ": "not as written"}, ""),
        ({"characteristics_title_0_text": "no title key"}, ""),
        ({"sample name": "  ", "title": "T"}, "T"),
        ({"sample name": None, "title": "T"}, "T"),
    ],
)
def test_the_first_title_key_in_order_gives_the_title(sample: dict[str, object], title: str) -> None:
    assert sample_title(sample) == title


@pytest.mark.parametrize(
    ("comments", "title"),
    [
        ([{"name": "x", "value": "y"}, {"name": "Sample_title", "value": "C"}], "C"),
        ([{"name": "x", "value": "y"}], "T"),
        ([{"name": "title", "value": None}], "T"),
        ([None, "title", {}], "T"),
        ("a title", "T"),
        ([], "T"),
    ],
)
def test_a_comment_named_title_goes_before_the_title_keys(comments: object, title: str) -> None:
    assert harmonize({"source_comment": comments, "title": "T"}).title == title


def test_a_title_field_goes_before_the_others() -> None:
    sample = {"sample name": "N", "extract name": "E"}
    assert harmonize(sample, title_field="extract name").title == "E"
    assert harmonize(sample, title_field="title").title == "N"
    with pytest.raises(ValueError, match="no title field"):
        harmonize(sample, title_field="tissue")


def test_the_title_field_with_the_same_titles_on_both_sides_is_found() -> None:
    rows = [{"sample name": "row 1", "extract name": "E1"}, {"sample name": "row 2", "extract name": "E2"}]
    samples = [{"extract_name": "E2"}, {"extract_name": "E1"}]
    assert match_title_field(rows, samples) == "extract name"
    assert match_title_field(rows, samples[:1]) is None


def test_all_variants_of_a_title_key_rank_before_the_next_key() -> None:
    ranks = title_ranks()
    assert ranks["sample name"] == 0
    assert ranks["sample_sample_samplename"] < ranks["sample title"] < ranks["comment [sample_title]"]


# Sources.


def test_each_value_has_the_key_and_text_it_came_from() -> None:
    sample = {"Tissue": " Kidney", "organ": "kidney", "time": " ", "title": "T", "age (months)": "3"}
    assert harmonize(sample).sources == (
        FieldSource("title", "T", "title", "T"),
        FieldSource("age", "3.0", "age (months)", "3"),
        FieldSource("specimen_part", "kidney", "Tissue", " Kidney"),
        FieldSource("specimen_part", "kidney", "organ", "kidney"),
        FieldSource("age_unit", "month", "age (months)", "3"),
        FieldSource("age_years", "0.25", "age (months)", "3"),
    )


# Ages and their units.


@pytest.mark.parametrize(
    ("sample", "age", "unit", "years", "unit_key"),
    [
        ({"age": "7"}, 7.0, "", None, None),
        ({"age at diagnosis days": "731"}, 731.0, "day", 731 / 365.25, "age at diagnosis days"),
        ({"age (years)": "6 months"}, 6.0, "month", 0.5, "age (years)"),
        ({"age": "7", "age unit": "Years"}, 7.0, "year", 7.0, "age unit"),
        ({"age": "7", "age_units": "yrs"}, 7.0, "year", 7.0, "age_units"),
        ({"comment[age]": "7", "comment[age unit]": "year"}, 7.0, "year", 7.0, "comment[age unit]"),
        ({"age": "7 months", "age_unit": "year"}, 7.0, "month", 7 / 12, "age"),
        ({"age": "7", "age_unit": "furlong"}, 7.0, "", None, None),
        ({"age": "7", "patient age unit": "year"}, 7.0, "", None, None),
        (
            {"characteristics_age_0_text": "7", "characteristics_age_0_unit": "year"},
            *(7.0, "year", 7.0, "characteristics_age_0_unit"),
        ),
        (
            {"characteristics_age_0_text": "7", "characteristics_age_unit_0_text": "day"},
            *(7.0, "day", 7 / 365.25, "characteristics_age_unit_0_text"),
        ),
        ({"age": "P21"}, None, "day", 21 / 365.25, "age"),
        ({"age": "P21", "patient age": "4"}, 4.0, "", None, None),
        ({"age": "5-6 weeks", "age (days)": "adult"}, None, "week", None, "age"),
    ],
)
def test_the_unit_of_an_age_is_in_its_text_its_key_or_a_companion_key(
    sample: dict[str, object], age: float | None, unit: str, years: float | None, unit_key: str | None
) -> None:
    harmonized = harmonize(sample)
    assert (harmonized.age, harmonized.age_unit) == (age, unit)
    assert harmonized.age_years == (None if years is None else pytest.approx(years))
    assert [source.key for source in harmonized.sources if source.field == "age_unit"] == (
        [unit_key] if unit_key else []
    )


def test_the_unit_of_an_sdrf_age_is_the_column_after_it() -> None:
    pairs = (
        ("Characteristics[age]", "18"),
        ("Term Source REF", "EFO"),
        ("Unit [time unit]", "week"),
        ("Factor Value[time]", "3"),
        ("Unit [time unit]", "hour"),
    )
    harmonized = harmonize_sample("ARRAY_EXPRESS", pairs)
    assert (harmonized.age, harmonized.age_unit, harmonized.time) == (18.0, "week", "3")
    assert FieldSource("age_unit", "week", "unit [time unit]", "week") in harmonized.sources


def test_the_unit_of_another_sdrf_column_is_not_taken_for_the_age() -> None:
    pairs = (("Characteristics[age]", "18"), ("Factor Value[time]", "3"), ("Unit[time unit]", "day"))
    harmonized = harmonize_sample("ARRAY_EXPRESS", pairs)
    assert (harmonized.age, harmonized.age_unit, harmonized.age_years) == (18.0, "", None)


# What holds for every sample.

_KEYS = st.one_of(
    st.sampled_from([key for keys in SOURCE_KEYS.values() for key in keys]),
    st.sampled_from(["characteristics_age_0_text", "comment [sample_title]", "source_comment", "age unit"]),
    st.text(max_size=12),
)
_TEXTS = st.one_of(
    st.text(max_size=20), st.sampled_from(["12 weeks", "F", "P21", " Liver ", "1e400", "9y 2m"])
)
_OBJECTS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | _TEXTS,
    lambda children: st.lists(children, max_size=3) | st.dictionaries(_KEYS, children, max_size=3),
    max_leaves=5,
)
_SAMPLES = st.dictionaries(_KEYS, _OBJECTS, max_size=8)


@given(_SAMPLES)
def test_whatever_the_metadata_are_they_are_harmonized(sample: dict[str, object]) -> None:
    harmonized = harmonize(sample)
    assert all(isinstance(value, str) for field, value in harmonized.values().items() if field != "age")
    assert harmonized.age is None or abs(harmonized.age) <= 100_000
    assert {source.field for source in harmonized.sources} == {
        field
        for field, value in [
            *harmonized.values().items(),
            ("age_unit", harmonized.age_unit),
            ("age_years", harmonized.age_years),
        ]
        if value not in {None, ""}
    }


@given(_SAMPLES, st.randoms(use_true_random=False))
def test_the_order_of_the_keys_matters_for_the_age_alone(sample: dict[str, object], random: object) -> None:
    shuffled = list(sample.items())
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    one, other = harmonize(sample), harmonize(dict(shuffled))
    assert one.values() | {"age": None} == other.values() | {"age": None}
    assert [source for source in one.sources if not source.field.startswith("age")] == [
        source for source in other.sources if not source.field.startswith("age")
    ]


@given(_SAMPLES)
def test_harmonizing_harmonized_values_changes_nothing(sample: dict[str, object]) -> None:
    once = harmonize(sample).values()
    again = harmonize({SOURCE_KEYS[field][0]: value for field, value in once.items()}).values()
    unambiguous = [field for field in FIELDS if not field.startswith("disease")]
    assert [again[field] for field in unambiguous] == [once[field] for field in unambiguous]


@given(_TEXTS.filter(lambda text: bool(text.strip())))
def test_a_joined_field_holds_the_values_of_its_sources(text: str) -> None:
    harmonized = harmonize({"tissue": text, "organ": "zzz", "cell type": text.upper()})
    values = {source.value for source in harmonized.sources}
    assert harmonized.specimen_part == ";".join(sorted(values))
