"""Dataset requests in their plain form: what is read, and what is said about what cannot be."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from refinebio_assets.domain import AggregateBy, ScaleBy
from refinebio_assets.errors import FormatError, NotFoundError, RequestError
from refinebio_assets.pipelines.datasets.request import (
    FIELDS,
    DatasetRequest,
    DatasetRequestError,
    Fault,
    parse_request,
)
from refinebio_assets.pipelines.datasets.request_file import read_request_file
from refinebio_assets_tests.conftest import REPOSITORY

SMALL = {"data": {"GSE1": ["GSM1"]}}


def refused(document: object) -> DatasetRequestError:
    with pytest.raises(DatasetRequestError) as caught:
        parse_request(document)
    return caught.value


def test_a_request_needs_no_more_than_its_data() -> None:
    request = parse_request({"data": {"GSE1": ["GSM1", "GSM2"], "GSE2": ["ALL"]}})
    assert request.data == (("GSE1", ("GSM1", "GSM2")), ("GSE2", ("ALL",)))
    assert request.aggregate_by is AggregateBy.EXPERIMENT
    assert request.scale_by is ScaleBy.NONE
    assert request.quantile_normalize
    assert not request.quant_sf_only
    assert not request.h5ad


def test_choices_and_all_are_read_in_any_case() -> None:
    request = parse_request({"data": {"GSE1": "all"}, "aggregate_by": "species", "scale_by": "MinMax"})
    assert request.of("GSE1") == ("ALL",)
    assert (request.aggregate_by, request.scale_by) == (AggregateBy.SPECIES, ScaleBy.MINMAX)


names = st.text("ABCDEFGH0123456789", min_size=2, max_size=8).filter(lambda name: name != "ALL")
requests = st.builds(
    DatasetRequest,
    data=st.dictionaries(
        names, st.lists(names, min_size=1, max_size=4, unique=True).map(tuple), min_size=1
    ).map(lambda data: tuple(data.items())),
    aggregate_by=st.sampled_from(AggregateBy),
    scale_by=st.sampled_from(ScaleBy),
    quantile_normalize=st.booleans(),
    quant_sf_only=st.booleans(),
    h5ad=st.booleans(),
    name=st.just("") | names,
    notes=st.text(),
)


@given(requests)
def test_the_plain_form_reads_back_to_the_same_request(request: DatasetRequest) -> None:
    assert parse_request(json.loads(json.dumps(request.plain()))) == request


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.dates(),
        lambda inner: (
            st.lists(inner, max_size=3) | st.dictionaries(st.text() | st.integers(), inner, max_size=3)
        ),
    )
    | st.fixed_dictionaries({"data": st.dictionaries(st.text(), st.lists(st.text() | st.none()) | st.text())})
)
def test_whatever_is_given_is_a_request_or_refused_with_reasons(document: object) -> None:
    try:
        parse_request(document)
    except DatasetRequestError as error:
        assert error.found


def test_all_samples_and_some_by_name_are_refused_together() -> None:
    with pytest.raises(DatasetRequestError, match=r"data\.GSE1: asks for all samples and names some, too"):
        parse_request({"data": {"GSE1": ["ALL", "GSM1"]}})
    assert parse_request({"data": {"GSE1": ["ALL", "all"]}}).of("GSE1") == ("ALL",)


def test_all_problems_are_named_at_once_with_their_places() -> None:
    error = refused(
        {
            "data": {"GSE1": ["GSM1", "GSM1", 7], "GSE2": [], "GSE/3": "ALL", "GSE4": "GSM4", 5: ["GSM5"]},
            "agregate_by": "species",
            "scale_by": "minmx",
            "quantile_normalize": "yes",
            "h5ad": None,
            "notes": 3,
            "name": "a/b",
        }
    )
    assert [(problem.fault, problem.place) for problem in error.found] == [
        (Fault.UNKNOWN_FIELD, "agregate_by"),
        (Fault.WRONG_TYPE, "data.GSE1[2]"),
        (Fault.REPEATED, "data.GSE1"),
        (Fault.EMPTY, "data.GSE2"),
        (Fault.BAD_NAME, "data.GSE/3"),
        (Fault.WRONG_TYPE, "data.GSE4"),
        (Fault.WRONG_TYPE, "data.5"),
        (Fault.NOT_A_CHOICE, "scale_by"),
        (Fault.WRONG_TYPE, "quantile_normalize"),
        (Fault.NULL, "h5ad"),
        (Fault.WRONG_TYPE, "notes"),
        (Fault.BAD_NAME, "name"),
    ]
    text = str(error)
    assert "did you mean aggregate_by?" in text
    assert "did you mean MINMAX?" in text
    assert "lists the sample GSM1 2 times" in text
    assert "expected true or false, found the text 'yes'" in text


@pytest.mark.parametrize(
    ("document", "fault"),
    [
        ({}, Fault.REQUIRED),
        ({"data": None}, Fault.NULL),
        ({"data": {}}, Fault.EMPTY),
        ({"data": []}, Fault.WRONG_TYPE),
        ({"data": "GSE1"}, Fault.WRONG_TYPE),
        ([], Fault.WRONG_TYPE),
        (None, Fault.WRONG_TYPE),
    ],
)
def test_a_request_without_samples_is_refused(document: object, fault: Fault) -> None:
    assert [problem.fault for problem in refused(document).found] == [fault]


def documented_yaml() -> list[Any]:
    """Return the YAML examples of docs/datasets.md."""
    text = (REPOSITORY / "docs" / "datasets.md").read_text(encoding="utf-8")
    return [yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)]


def test_the_documented_request_is_read_as_it_says() -> None:
    (request,) = [parse_request(document) for document in documented_yaml() if "data" in document]
    assert request.of("GSE900001") == ("ALL",)
    assert (request.name, request.aggregate_by, request.scale_by) == ("liver", "SPECIES", "MINMAX")


def test_the_documented_table_has_every_field_and_choice() -> None:
    text = (REPOSITORY / "docs" / "datasets.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (`[a-z_0-9`, ]+`) \| (.*?) \|", text, re.MULTILINE)
    assert {field for names, _ in rows for field in re.findall(r"`(\w+)`", names)} == set(FIELDS)
    assert {choice for _, values in rows for choice in re.findall(r"`([A-Z]+)`", values)} == {
        *(*AggregateBy, *ScaleBy, "ALL")
    }


def test_yaml_and_json_files_say_the_same(tmp_path: Path) -> None:
    document = SMALL | {"aggregate_by": "SPECIES", "notes": "größe"}
    (tmp_path / "a.yaml").write_text(
        "\ufeff" + yaml.safe_dump(document, allow_unicode=True), encoding="utf-8"
    )
    (tmp_path / "a.json").write_text(json.dumps(document), encoding="utf-8")
    assert (
        read_request_file(tmp_path / "a.yaml")
        == read_request_file(tmp_path / "a.json")
        == parse_request(document)
    )


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.yaml", "data:\n  GSE1: [GSM1\n  GSE2: ALL\n", "a.yaml, line 3"),
        (
            "a.yaml",
            "data:\n  GSE1: ALL\n  GSE1: [GSM1]\n",
            "a.yaml, line 3, column 3: expected YAML, found the key GSE1",
        ),
        ("a.yaml", "data: !!python/object:os.system {}\n", "line 1"),
        (
            "a.yaml",
            "data:\n\tGSE1: ALL\n",
            "line 2, column 1: expected YAML, found a tab; indent with spaces",
        ),
        (
            "a.yaml",
            "data: @all\n",
            "column 7: expected YAML, found '@' at the start of a value; put the value",
        ),
        ("a.json", '{"data": {"GSE1": ["GSM1"],}\n}', "a.json, line 1"),
        ("a.json", '{"data": {"GSE1": "ALL", "GSE1": "ALL"}}', "the key GSE1 twice"),
        ("a.json", "[" * 100_000, "a.json"),
        ("a.yaml", "[" * 3_000, "a.yaml"),
    ],
)
def test_a_syntax_error_names_file_and_line(tmp_path: Path, name: str, text: str, said: str) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(FormatError) as caught:
        read_request_file(tmp_path / name)
    assert said in str(caught.value)


def test_yaml_that_turns_names_into_numbers_is_told_to_quote_them(tmp_path: Path) -> None:
    (tmp_path / "a.yml").write_text("data:\n  STUDY: [2001-01-01, 12, no]\n", encoding="utf-8")
    with pytest.raises(DatasetRequestError) as caught:
        read_request_file(tmp_path / "a.yml")
    assert [problem.place for problem in caught.value.found] == [f"data.STUDY[{i}]" for i in range(3)]
    assert "put it in quotes" in str(caught.value)


def test_a_file_that_is_missing_binary_or_of_another_kind_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_bytes(b"data: \xff\xfe")
    (tmp_path / "a.txt").write_text("data: {}", encoding="utf-8")
    with pytest.raises(FormatError, match="line 1: expected text in UTF-8, found the byte 0xFF of another"):
        read_request_file(tmp_path / "a.yaml")
    (tmp_path / "a.yaml").write_text("data: {}", encoding="utf-16")
    with pytest.raises(FormatError, match="expected text in UTF-8, found UTF-16; save it as UTF-8"):
        read_request_file(tmp_path / "a.yaml")
    with pytest.raises(RequestError, match=r"\.yaml, \.yml, \.json"):
        read_request_file(tmp_path / "a.txt")
    with pytest.raises(NotFoundError, match=r"b\.yaml"):
        read_request_file(tmp_path / "b.yaml")
