"""Datasets are put together, and what is refused, in which words."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from refinebio_assets.api.models.datasets import Dataset
from refinebio_assets_tests.api.dataset_making import EMAIL, post


@pytest.mark.parametrize(
    ("body", "error_type", "message", "details"),
    [
        ({}, "required", "This field is required.", "data"),
        ({"data": None}, "null", "This field may not be null.", "data"),
        ({"data": {}, "aggregate_by": "X"}, "invalid_choice", '"X" is not a valid choice.', "aggregate_by"),
        ({"data": {}, "svd_algorithm": 5}, "invalid_choice", '"5" is not a valid choice.', "svd_algorithm"),
        ({"data": {}, "quant_sf_only": "x"}, "invalid", "Must be a valid boolean.", "quant_sf_only"),
        ({"data": {}, "email_address": "x"}, "invalid", "Enter a valid email address.", "email_address"),
        ({"data": []}, "invalid_data", "`data` must be a dict of lists.", None),
        ({"data": {}, "start": True}, "invalid_data", "`data` must contain at least one experiment.", None),
        (
            {"data": {"STUDY": "S1"}},
            "invalid_data",
            "`data` must be a dict of lists. Problem with `STUDY`",
            None,
        ),
        (
            {"data": {"STUDY": []}},
            "invalid_data",
            "`data` must be a dict of lists, each with one or more elements. Problem with `STUDY`",
            None,
        ),
        (
            {"data": {"STUDY": ["S1", "S1"]}},
            "invalid_data",
            "Duplicate values detected in ['S1', 'S1']",
            None,
        ),
        (
            {"data": {"NOPE": ["ALL"], "WAITING": ["ALL"]}},
            "invalid_data",
            "Experiment(s) in dataset have zero downloadable samples. See `details` for a full list",
            ["NOPE", "WAITING"],
        ),
        (
            {"data": {"STUDY": ["S1", "X1", "X2"]}},
            "invalid_data",
            "Sample(s) in dataset do not exist on refine.bio. See `details` for a full list",
            ["X1", "X2"],
        ),
        (
            {"data": {"STUDY": ["S1", "S3"]}},
            "invalid_data",
            "Non-downloadable sample(s) in dataset. See `details` for a full list",
            ["S3"],
        ),
        (
            {"data": {"STUDY": ["S1", "S3"]}, "quant_sf_only": True},
            "invalid_data",
            "Sample(s) in dataset are missing quant.sf files. See `details` for a full list",
            ["S3"],
        ),
        ([], "invalid", "Invalid data. Expected a dictionary, but got list.", "non_field_errors"),
    ],
)
def test_what_cannot_be_a_dataset_is_refused_in_known_words(
    client: httpx.Client, body: Any, error_type: str, message: str, details: Any
) -> None:
    assert post(client, body, 400) == {"error_type": error_type, "message": message, "details": details}


def test_starting_needs_an_active_token_and_an_address(client: httpx.Client, key: dict[str, str]) -> None:
    body: dict[str, Any] = {"data": {"STUDY": ["ALL"]}, "start": True}
    found = post(client, body, 400)
    assert (found["error_type"], found["message"]) == (
        "invalid_token",
        "You must provide an active API token ID",
    )
    found = post(client, body, 400, headers=key)
    assert (found["error_type"], found["details"]) == ("invalid_email", "")
    wrong = body | EMAIL | {"token_id": "0" * 32}
    assert post(client, wrong, 400, headers=key)["error_type"] == "invalid_token", "the body's counts"


def test_several_bad_fields_are_told_at_once(client: httpx.Client) -> None:
    found = post(client, {"data": {}, "scale_by": "X", "start": "perhaps"}, 400)
    assert found["error_type"] == "multiple_errors"
    assert [problem["details"] for problem in found["details"]] == ["scale_by", "start"]


def test_a_dataset_is_put_together_and_keeps_what_is_not_said_again(client: httpx.Client) -> None:
    made = post(client, {"data": {}, "scale_by": "MINMAX", "unknown": 1})
    Dataset.model_validate(made)
    assert "download_url" not in made
    path = f"/v1/dataset/{made['id']}"
    changed = client.put(path, json={"data": {"STUDY": ["ALL"]}, **EMAIL}).json()
    assert (changed["data"], changed["scale_by"], changed["has_email"]) == (
        {"STUDY": ["S1", "S2"]},
        "MINMAX",
        True,
    )
    assert client.get(f"{path}/").json() == changed
    details = client.get(f"{path}/?details=true").json()
    assert details["organism_samples"] == {"DANIO_RERIO": ["S1", "S2"]}
    assert details["experiments"][0]["accession_code"] == "STUDY"
    rows = client.get(f"/v1/samples/?dataset_id={made['id']}").json()["results"]
    assert [row["accession_code"] for row in rows] == ["S1", "S2"]
    assert client.put(path, json={"scale_by": "NONE"}).json()["error_type"] == "required"


def test_samples_of_all_depend_on_the_options(client: httpx.Client) -> None:
    whole = {"data": {"STUDY": ["ALL"], "OTHER": ["ALL"]}}
    for options in ({}, {"quant_sf_only": True}, {"quantile_normalize": False}):
        assert post(client, whole | options)["data"] == {"STUDY": ["S1", "S2"], "OTHER": ["T1"]}


@pytest.mark.parametrize("identity", ["nope", "0" * 32, "0b6d1d7e-61c1-4b0f-9b6a-6a1c3e0e9f00"])
def test_unknown_datasets_are_not_found_and_other_methods_not_allowed(
    client: httpx.Client, identity: str
) -> None:
    assert client.get(f"/v1/dataset/{identity}/").json() == {"detail": "Not found."}
    assert client.put(f"/v1/dataset/{identity}/", json={"data": {}}).status_code == 404
    assert client.get(f"/v1/samples/?dataset_id={identity}").status_code == 404
    for answer in (client.get("/v1/dataset/"), client.patch(f"/v1/dataset/{identity}/")):
        assert answer.status_code == 405


def test_what_the_build_would_refuse_is_refused_at_the_start(
    client: httpx.Client, key: dict[str, str]
) -> None:
    body = {"data": {"OTHER": ["S1"]}, "start": True, **EMAIL}
    found = post(client, body, 400, headers=key)
    assert (found["error_type"], found["details"]) == ("invalid_data", ["S1"])
    assert "S1 is no sample of OTHER but of STUDY" in found["message"]
    mixed = {"data": {"STUDY": ["ALL"]}, "quantile_normalize": False, "aggregate_by": "ALL", "start": True}
    assert "quantile normalization" in post(client, mixed | EMAIL, 400, headers=key)["message"]
