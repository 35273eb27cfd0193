"""Flat dictionaries from what GEO, ArrayExpress, SRA and sample sheets deliver."""

from __future__ import annotations

import pytest

from refinebio_assets.metadata.flatten import (
    companion_units,
    flat_metadata,
    flatten_arrayexpress_sample,
    flatten_json,
)


def test_geo_keys_are_plain_and_repeated_ones_joined() -> None:
    pairs = ((" Title", "A"), ("description", "one "), ("status", "x"), ("description", "two"))
    assert flat_metadata("GEO", pairs) == {"title": "A", "description": "one  two", "status": "x"}


def test_geo_characteristics_are_split_at_their_first_colon() -> None:
    pairs = (
        ("characteristics_ch1", " Age : 5: months "),
        ("characteristics_ch1", "no colon here"),
        ("characteristics_ch1", "tissue:"),
        ("characteristics_ch1", "age: 6"),
    )
    assert flat_metadata("GEO", pairs) == {"age": "6", "tissue": ""}


def test_geo_characteristics_of_the_second_channel_are_not_split() -> None:
    pairs = (("characteristics_ch2", "age: 5"), ("characteristics_ch2", "sex: f"))
    assert flat_metadata("GEO", pairs) == {"characteristics_ch2": "age: 5 sex: f"}


def test_a_characteristic_and_a_standard_key_of_one_name_overwrite_each_other_by_position() -> None:
    characteristic = ("characteristics_ch1", "title: from characteristics")
    title = ("title", "from title")
    assert flat_metadata("GEO", (title, characteristic)) == {"title": "from characteristics"}
    assert flat_metadata("GEO", (characteristic, title)) == {"title": "from title"}


def test_sdrf_values_stay_as_they_are_and_the_last_of_equal_headers_wins() -> None:
    pairs = ((" Characteristics[Sex]", " male "), ("Protocol REF", "P-1"), ("Protocol REF", "  "))
    flat = flat_metadata("ARRAY_EXPRESS", pairs)
    assert flat == {"characteristics[sex]": " male ", "protocol ref": "  "}


@pytest.mark.parametrize("source", ["SRA", "sample_sheet"])
def test_other_sources_stay_as_they_are(source: str) -> None:
    assert flat_metadata(source, ((" Sex", " F "),)) == {" Sex": " F "}


def test_an_unknown_source_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown source 'FLICKR'"):
        flat_metadata("FLICKR", ())


def test_units_belong_to_the_sdrf_column_before_them() -> None:
    pairs = (
        ("Characteristics[age]", "54"),
        ("Term Source REF", "EFO"),
        ("Term Accession Number", "1"),
        ("Unit [time unit]", "year"),
        ("Parameter Value[dose]", "3"),
        ("Unit[dose unit]", " "),
        ("Factor Value[time]", "4"),
        ("Unit [time unit]", "hour "),
    )
    assert companion_units("ARRAY_EXPRESS", pairs) == {
        "characteristics[age]": ("unit [time unit]", "year"),
        "factor value[time]": ("unit [time unit]", "hour "),
    }
    assert companion_units("GEO", pairs) == {}


def test_the_last_of_equal_sdrf_columns_has_its_own_unit_or_none() -> None:
    pairs = (("Factor Value[age]", "1"), ("Unit[time unit]", "day"), ("Factor Value[age]", "2"))
    assert companion_units("ARRAY_EXPRESS", pairs) == {}


def test_json_is_flattened_to_its_leaves() -> None:
    document = {
        "characteristics": {
            "Cell type": [{"text": " B cell", "ontologyTerms": ["CL:1"], "tag": []}],
            "age": [{"text": "5", "unit": "year"}, {"text": 6}],
        },
        "live": True,
        "depth": 1.5,
        "none": None,
        "empty": {},
        "nested": [[1, 2], "x"],
    }
    assert flatten_json(document) == (
        ("characteristics_Cell_type_0_ontologyTerms_0", "CL:1"),
        ("characteristics_Cell_type_0_text", " B cell"),
        ("characteristics_age_0_text", "5"),
        ("characteristics_age_0_unit", "year"),
        ("characteristics_age_1_text", "6"),
        ("depth", "1.5"),
        ("live", "true"),
        ("nested_0_0", "1"),
        ("nested_0_1", "2"),
        ("nested_1", "x"),
        ("none", ""),
    )


def test_names_of_an_object_are_sorted_and_positions_of_a_list_are_kept() -> None:
    values = [str(number) for number in range(12)]
    assert flatten_json({"b": values, "a": ""}) == flatten_json({"a": "", "b": values})
    assert [value for _, value in flatten_json({"b": values, "a": ""})] == ["", *values]


def test_a_prefix_goes_before_every_key() -> None:
    assert flatten_json({"study title": "T"}, "study_ena") == (("study_ena_study_title", "T"),)
    assert flatten_json({}, "study_ena") == ()


def test_an_arrayexpress_sample_keeps_its_comments_as_a_list() -> None:
    comments = [{"name": "Sample_title", "value": "T"}]
    sample = {"source": {"name": "S", "comment": comments}, "characteristic": [], "accession": "E"}
    assert flatten_arrayexpress_sample(sample) == {
        "source_name": "S",
        "source_comment": comments,
        "characteristic": [],
        "accession": "E",
    }
