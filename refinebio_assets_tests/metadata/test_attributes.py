"""Contributed attributes and keywords, from JSON in several forms and from tables."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from refinebio_assets.errors import NotFoundError, RequestError
from refinebio_assets.metadata.attributes import SampleAttribute, read_attributes

SOURCE, METHODS = "MetaSRA", "https://example.org/methods"


def _read(folder: Path, content: object) -> tuple[SampleAttribute, ...]:
    path = folder / "attributes"
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return read_attributes(path, source=SOURCE, methods_url=METHODS)


def _attribute(
    sample: str, name: str, term: str, value: str, unit: str = "", probability: float | None = None
) -> SampleAttribute:
    return SampleAttribute(sample, name, term, value, unit, probability, SOURCE, METHODS)


LENGTH = {"PATO:0000122": {"value": 25, "unit": "UO:0010012", "probability": 0.5}}
LENGTH_OF_1 = _attribute("SRR1", "", "PATO:0000122", "25", "UO:0010012", 0.5)


@pytest.mark.parametrize(
    "content",
    [
        {"SRR1": [LENGTH]},
        {"SRR1": LENGTH},
        [{"SRR1": [LENGTH]}],
        [{"sample_accession": "SRR1", "attributes": [LENGTH]}],
        "sample\tontology_term\tvalue\tunit\tprobability\nSRR1\tPATO:0000122\t25\tUO:0010012\t0.5\n",
    ],
)
def test_an_attribute_is_read_from_each_form(tmp_path: Path, content: object) -> None:
    assert _read(tmp_path, content) == (LENGTH_OF_1,)


def test_names_in_words_and_unknown_probabilities_are_read(tmp_path: Path) -> None:
    content = {"S": [{"biological sex": {"value": "PATO:0000383", "probability": "unknown", "unit": None}}]}
    assert _read(tmp_path, content) == (_attribute("S", "biological sex", "", "PATO:0000383"),)


def test_keywords_are_attributes_without_a_value(tmp_path: Path) -> None:
    read = _read(tmp_path, {"S1": ["CL:0000236", "b cell"], "S2": ["CL:0000236"]})
    assert read == (
        _attribute("S1", "", "CL:0000236", ""),
        _attribute("S1", "b cell", "", ""),
        _attribute("S2", "", "CL:0000236", ""),
    )
    table = "sample\tname\tontology_term\nS1\tB cell\tCL:0000236\n"
    assert _read(tmp_path, table) == (_attribute("S1", "B cell", "CL:0000236", ""),)


def test_metasra_is_read(tmp_path: Path) -> None:
    content = {
        "SRS1": {
            "mapped ontology terms": ["UBERON:0000955", "UBERON:0000955"],
            "real-value properties": [
                {"property_id": "EFO:0000246", "unit_id": "UO:0000036", "value": 54.0},
                {"property_id": "EFO:0007061", "unit_id": "missing", "value": 7.0},
            ],
            "sample type": "tissue",
            "sample-type confidence": 0.99,
        }
    }
    assert _read(tmp_path, content) == (
        _attribute("SRS1", "", "UBERON:0000955", ""),
        _attribute("SRS1", "", "EFO:0000246", "54.0", "UO:0000036"),
        _attribute("SRS1", "", "EFO:0007061", "7.0"),
        _attribute("SRS1", "sample type", "", "tissue", "", 0.99),
    )


def test_one_property_can_have_several_values_but_not_two_probabilities(tmp_path: Path) -> None:
    values = [{"organ": {"value": "liver"}}, {"organ": {"value": "kidney"}}, {"organ": {"value": "liver"}}]
    assert [one.value for one in _read(tmp_path, {"S": values})] == ["liver", "kidney"]
    with pytest.raises(RequestError, match="organ of S was there before with another probability"):
        _read(tmp_path, {"S": [*values, {"organ": {"value": "liver", "probability": 1}}]})


def test_every_problem_of_a_json_file_is_named(tmp_path: Path) -> None:
    content = [
        "text",
        {"S1": 5},
        {"S2": [7, {"organ": "liver"}, {"organ": {"unit": "kg"}}, {"organ": {"value": {}}}]},
        {"S3": [{"organ": {"value": "liver", "probability": 1.5}}, ""]},
        {"sample_accession": None, "keywords": ["CL:1"]},
        {"S4": {"mapped ontology terms": "CL:1", "real-value properties": [{"value": 1}, 5]}},
    ]
    with pytest.raises(RequestError) as caught:
        _read(tmp_path, content)
    for expected in [
        "item 1 is a text: expected an object with samples",
        "sample 'S1': is a number",
        "sample 'S2': holds a number",
        "sample 'S2', 'organ': has no value",
        "sample 'S2', 'organ': the value is an object",
        "sample 'S3', 'organ': the probability is '1.5': expected a number from 0 to 1",
        "sample 'S3': has neither name nor ontology term",
        "sample '': has no sample",
        "sample 'S4', 'mapped ontology terms': is a text: expected a list",
        "sample 'S4', 'real-value properties': has neither name nor ontology term",
        "sample 'S4', 'real-value properties': a property has no value",
    ]:
        assert any(problem.startswith(expected) for problem in caught.value.problems), expected
    assert len(caught.value.problems) == 12


def test_every_problem_of_a_table_is_named_with_its_line(tmp_path: Path) -> None:
    rows = ["S1\t\t\t", "\torgan\tliver\t", "S1\torgan\tliver\thigh", "S1\torgan"]
    with pytest.raises(RequestError) as caught:
        _read(tmp_path, "sample\tname\tvalue\tprobability\n" + "\n".join(rows))
    assert caught.value.problems == [
        "line 5: has 2 columns, the header has 4",
        "line 2: has neither name nor ontology term",
        "line 3: has no sample",
        "line 4: the probability is 'high': expected a number from 0 to 1",
    ]


def test_damaged_json_a_missing_file_and_a_nameless_contributor_are_told(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match=r"is not JSON: .*line 1"):
        _read(tmp_path, '{"S1": [')
    with pytest.raises(NotFoundError, match="there is no attributes file"):
        read_attributes(tmp_path / "none", source=SOURCE, methods_url=METHODS)
    path = tmp_path / "empty.json"
    path.write_text("{}", encoding="utf-8")
    with pytest.raises(RequestError) as caught:
        read_attributes(path, source=" ", methods_url="on request")
    assert caught.value.problems == [
        "the name of its source is empty",
        "the methods URL 'on request' is no http or https URL",
    ]
