"""Tokens, and datasets from their start to their download."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

import pyrefinebio as rb
from pyrefinebio.config import Config
from pyrefinebio.exceptions import BadRequest, InvalidData, InvalidFilterType, NotFound

from refinebio_assets_tests.api.client_flows.flow import EMAIL, FOLDER, flow, members, refused


@flow
def a_dataset_that_is_saved_changed_and_found_again() -> None:
    made = rb.Dataset(data={"GSE10": ["A1"]}, email_address=EMAIL, aggregate_by="SPECIES").save()
    assert made.id
    made.add_samples(rb.Experiment.get("SRP20"), rb.Sample.search(accession_codes="R1"))
    made.save()
    found = rb.Dataset.get(made.id)
    assert found.data == {"GSE10": ["A1"], "SRP20": ["R1"]}
    assert (found.aggregate_by, found.scale_by, found.has_email) == ("SPECIES", "NONE", True)


@flow
def a_dataset_with_all_samples() -> None:
    assert rb.Dataset(data={"GSE10": ["ALL"]}).save().data == {"GSE10": ["A1", "A2"]}


@flow
def a_dataset_of_an_unknown_experiment() -> None:
    refused(InvalidData, rb.Dataset(data={"NOPE": ["ALL"]}).save)


@flow
def a_dataset_of_an_unknown_sample() -> None:
    refused(InvalidData, rb.Dataset(data={"GSE10": ["NOPE"]}).save)


@flow
def a_dataset_of_a_sample_that_failed() -> None:
    refused(InvalidData, rb.Dataset(data={"GSE10": ["A3"]}).save)


@flow
def a_dataset_without_data() -> None:
    refused(BadRequest, rb.Dataset(data=None).save)


@flow
def a_dataset_with_an_unknown_choice() -> None:
    refused(InvalidFilterType, rb.Dataset(data={}, aggregate_by="X").save)


@flow
def a_dataset_with_an_address_that_is_none() -> None:
    refused(InvalidFilterType, rb.Dataset(data={}, email_address="x").save)


@flow
def an_unknown_dataset() -> None:
    refused(NotFound, rb.Dataset.get, "0b6d1d7e-61c1-4b0f-9b6a-6a1c3e0e9f00")


@flow
def starting_without_a_token() -> None:
    Config().token = ""
    refused(BadRequest, rb.Dataset(data={"GSE10": ["ALL"]}, email_address=EMAIL).process)


@flow
def a_token_that_is_not_active_cannot_be_saved() -> None:
    refused(BadRequest, rb.Token().save_token)
    refused(BadRequest, rb.Token(id="nope").agree_to_terms_and_conditions)


@flow
def a_token_is_made_activated_and_saved() -> None:
    token = rb.create_token(agree_to_terms=True, save_token=True)
    assert token.id in Path(os.environ["REFINEBIO_CONFIG_FILE"]).read_text(encoding="utf-8")
    assert rb.Token.load_token().id == token.id


@flow
def starting_without_an_address() -> None:
    refused(BadRequest, rb.Dataset(data={"GSE10": ["ALL"]}).process)


@flow
def a_dataset_by_experiment_is_downloaded() -> None:
    path = FOLDER / "by-experiment.zip"
    rb.download_dataset(
        str(path), EMAIL, experiments=["GSE10", "SRP20"], timeout=timedelta(minutes=5), prompt=False
    )
    assert {"GSE10/GSE10.tsv", "SRP20/metadata_SRP20.tsv", "aggregated_metadata.json"} <= set(members(path))


@flow
def a_dataset_by_species_is_downloaded_and_extracted() -> None:
    path = FOLDER / "by-species.zip"
    os.chdir(FOLDER)
    rb.download_dataset(
        str(path),
        EMAIL,
        dataset_dict={"GSE10": ["A1"], "SRP20": ["R1", "R2"]},
        aggregation="SPECIES",
        timeout=timedelta(minutes=5),
        extract=True,
    )
    header = (FOLDER / "HOMO_SAPIENS" / "HOMO_SAPIENS.tsv").read_text(encoding="utf-8").splitlines()[0]
    assert header.split("\t") == ["Gene", "A1", "R1", "R2"]


@flow
def a_processed_dataset_cannot_be_changed() -> None:
    made = rb.Dataset(data={"SRP20": ["R1"]}, email_address=EMAIL)
    made.process()
    assert made.is_processing
    while not made.check():
        assert made.is_processing
    refused(BadRequest, rb.Dataset.get(made.id).save)
    assert rb.Dataset.get(made.id).download(str(FOLDER))._downloaded_path.endswith(f"dataset-{made.id}.zip")


@flow
def a_dataset_that_cannot_be_made_is_refused() -> None:
    mixed = rb.Dataset(data={"GSE10": ["ALL"]}, email_address=EMAIL, quantile_normalize=False)
    refused(InvalidData, mixed.process)
