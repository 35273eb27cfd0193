"""Harmonization beside refine.bio's own: what its code gave for real samples and for made-up edge cases.

The expected values were made by running refine.bio at commit 288d43ca (Python 3.8). They are compared
exactly, the title with the ordered rule's. Every difference is listed here with its reason; all of them are
by design.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from refinebio_assets.domain import Metadata
from refinebio_assets.metadata.flatten import (
    companion_units,
    flat_metadata,
    flatten_arrayexpress_sample,
    flatten_json,
)
from refinebio_assets.metadata.harmonize import Harmonized, harmonize, match_title_field

# Of the cases kept back for acceptance, other samples of the same kinds may differ for the same reasons.
ESCAPED = "parentheses of a source key are literal, no group of a regular expression"
IN_COLUMN = "no age that cannot be stored: not finite, or more than 5 digits before the point"
STRIPPED = "sex is stripped, and a blank one is none"
DEVIATIONS = {
    "edge:agekey:characteristics_age (years)_0_text": ESCAPED,
    "edge:agekey:characteristics_age_(years)_0_text": ESCAPED,
    "edge:agekey:characteristics_age years_0_text": ESCAPED,
    "edge:age:inf": IN_COLUMN,
    "edge:age:big": IN_COLUMN,
    "edge:age:two keys reversed": "of two ages the first counts, not one of a set",
    "edge:sex:' male'": STRIPPED,
    "edge:sex:'male '": STRIPPED,
    "edge:sex:'  '": STRIPPED,
    "edge:nonstring: None value in matched key": "refine.bio's code raises; None counts as missing",
    "edge:nonstring: bool sex": "refine.bio's code raises; the value's text is taken",
}
FILES = {
    "harmonise_geo_soft.jsonl.gz": 38,
    "harmonise_geo_series_matrix.jsonl.gz": 12,
    "harmonise_geo_refinebio_download.jsonl.gz": 1040,
    "harmonise_sra_ena_xml.jsonl.gz": 53,
    "harmonise_sra_json_derived.jsonl.gz": 53,
    "harmonise_sra_ena_json.jsonl.gz": 1,
    "harmonise_ae_sdrf.jsonl.gz": 623,
    "harmonise_edge.jsonl": 94,
}
"""The cases in each file: 1,914, of which 1,903 (99.4 %) agree exactly; the 1,820 real samples all do."""


def _cases(shared_data: Path, name: str) -> Iterator[dict[str, Any]]:
    path = shared_data / "metadata_oracles" / name
    with gzip.open(path, "rt", encoding="utf-8") if name.endswith(".gz") else path.open("rt") as lines:
        yield from map(json.loads, lines)


def _as_expected(harmonized: Harmonized) -> dict[str, object]:
    """The reference has null for no title."""
    return harmonized.values() | {"title": harmonized.title or None}


@pytest.mark.parametrize("name", FILES)
def test_the_fields_are_those_of_refine_bio_but_for_the_listed_deviations(
    shared_data: Path, name: str
) -> None:
    cases = list(_cases(shared_data, name))
    assert len(cases) == FILES[name]
    different = [
        case["id"] for case in cases if _as_expected(harmonize(case["input"])) != case.get("expected")
    ]
    assert sorted(different) == sorted({case["id"] for case in cases} & DEVIATIONS.keys())


@pytest.mark.parametrize(
    ("case_id", "field", "value"),
    [
        ("edge:agekey:characteristics_age (years)_0_text", "age", 7.0),
        ("edge:agekey:characteristics_age_(years)_0_text", "age", 7.0),
        ("edge:agekey:characteristics_age years_0_text", "age", None),
        ("edge:age:inf", "age", None),
        ("edge:age:big", "age", None),
        ("edge:age:two keys reversed", "age", 54.0),
        ("edge:sex:' male'", "sex", "male"),
        ("edge:sex:'male '", "sex", "male"),
        ("edge:sex:'  '", "sex", ""),
        ("edge:nonstring: None value in matched key", "specimen_part", ""),
        ("edge:nonstring: bool sex", "sex", "true"),
    ],
)
def test_where_it_deviates_the_recommended_value_is_there(
    shared_data: Path, case_id: str, field: str, value: object
) -> None:
    case = next(case for case in _cases(shared_data, "harmonise_edge.jsonl") if case["id"] == case_id)
    harmonized = harmonize(case["input"])
    assert harmonized.values()[field] == value
    others = {name: said for name, said in _as_expected(harmonized).items() if name != field}
    assert not others.items() - case.get("expected", others).items()


@pytest.mark.parametrize("name", [name for name in FILES if name.startswith("harmonise_geo")])
def test_soft_metadata_become_the_same_flat_dictionary(shared_data: Path, name: str) -> None:
    for case in _cases(shared_data, name):
        flat = flat_metadata("GEO", _pairs(case["geo_metadata"]))
        assert flat.keys() == case["input"].keys()
        differing = [key for key, value in flat.items() if not _is_same(value, case["input"][key])]
        assert differing == [], case["id"]


def _is_same(value: str, expected: str) -> bool:
    """Long values that feed no field were cut in the oracle, where they were joined once more."""
    cut = expected.endswith("...[truncated]")
    return value.startswith(expected.removesuffix("...[truncated]")) if cut else value == expected


def _pairs(metadata: dict[str, list[str]]) -> Metadata:
    return tuple((key, value) for key, values in metadata.items() for value in values)


def test_the_keys_that_matched_are_the_sources(shared_data: Path) -> None:
    """Beyond the reference: it records which keys it matched; every source is one of them."""
    for name in FILES:
        for case in _cases(shared_data, name):
            matched = case.get("matched_keys", {})
            for source in harmonize(case["input"]).sources:
                if matched and source.field in matched:
                    assert source.key in matched[source.field]
                    assert str(case["input"][source.key]) == source.text


def test_json_is_flattened_as_refine_bio_does(shared_data: Path) -> None:
    calls = [
        case["case"] for case in _cases(shared_data, "functions.jsonl") if case["function"] == "flatten_dict"
    ]
    assert calls
    for document, prefix, expected in calls:
        spelled = {
            key: value if isinstance(value, str) else "" if value is None else json.dumps(value)
            for key, value in expected.items()
        }
        assert dict(flatten_json(document, prefix)) == spelled


def test_sdrf_rows_are_matched_to_arrayexpress_samples_by_title(shared_data: Path) -> None:
    experiments = list(_cases(shared_data, "ae_title_matching.jsonl.gz"))
    assert len(experiments) == 3
    for expected in experiments:
        rows = _sdrf_rows(shared_data, expected["experiment"])
        samples = _json_samples(shared_data, expected["experiment"])
        assert (len(rows), len(samples)) == (expected["n_sdrf_rows"], expected["n_json_samples"])
        flat_rows = [flat_metadata("ARRAY_EXPRESS", row) for row in rows]
        title_field = match_title_field(flat_rows, samples)
        assert title_field == expected["title_field_from_flattened_json"]
        titles = [harmonize(sample, title_field=title_field).title for sample in samples]
        assert titles == expected["json_titles_with_flattened"]
        harmonized = [harmonize(row, title_field=title_field) for row in flat_rows]
        by_title = {one.title: _without_title(one) for one in harmonized}
        assert by_title == expected["harmonised_by_title_flattened"]


def test_real_sdrf_ages_have_their_own_units(shared_data: Path) -> None:
    rows = _sdrf_rows(shared_data, "E-MTAB-3050")
    ages = [
        harmonize(flat_metadata("ARRAY_EXPRESS", row), units=companion_units("ARRAY_EXPRESS", row))
        for row in rows
    ]
    assert {(one.age, one.age_unit, one.age_years) for one in ages} == {
        (54.0, "year", 54.0),
        (38.0, "year", 38.0),
    }


def _without_title(harmonized: Harmonized) -> dict[str, object]:
    return {field: value for field, value in harmonized.values().items() if field != "title"}


def _sdrf_rows(shared_data: Path, accession: str) -> list[Metadata]:
    text = _body(shared_data, f"/files/{accession}/{accession}.sdrf.txt").decode("latin-1")
    header, *lines = [line.split("\t") for line in text.splitlines()]
    return [tuple(zip(header, cells, strict=True)) for cells in lines if len(cells) == len(header)]


def _json_samples(shared_data: Path, accession: str) -> list[dict[str, object]]:
    document = json.loads(_body(shared_data, f"/json/v3/experiments/{accession}/samples"))
    return [flatten_arrayexpress_sample(sample) for sample in document["experiment"]["sample"]]


def _body(shared_data: Path, url_end: str) -> bytes:
    responses = shared_data / "recorded_responses"
    for line in (responses / "index.jsonl").read_text(encoding="utf-8").splitlines():
        response = json.loads(line)
        if response["url"].endswith(url_end) and response["status"] == 200:
            return gzip.decompress((responses / response["body"]).read_bytes())
    pytest.fail(f"no recorded response for ...{url_end}")
