"""Surveys of real experiments, from the responses that refine.bio recorded, against what it made of them."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from refinebio_assets.domain import Experiment, FileRole, Manufacturer, Sample
from refinebio_assets.errors import NotFoundError
from refinebio_assets.metadata.flatten import flat_metadata
from refinebio_assets.metadata.harmonize import harmonize
from refinebio_assets.metadata.source_keys import FIELDS
from refinebio_assets.sources.sra import survey
from refinebio_assets.sources.web.client import Web

ORACLE = ("SRP068364", "DRP003977", "ERP108370")


@pytest.fixture(scope="module")
def surveyed(recorded: Web) -> Any:
    return cache(lambda accession: survey.survey_sra(recorded, accession))


def oracle_lines(folder: Path, name: str) -> list[dict[str, Any]]:
    with gzip.open(folder / "metadata_oracles" / name, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


@pytest.fixture(scope="module")
def oracle(shared_data: Path) -> dict[str, dict[str, Any]]:
    lines = oracle_lines(shared_data, "survey_sra_ae.jsonl.gz")
    return {line["accession"]: line for line in lines if line["source"] == "SRA"}


@pytest.mark.parametrize(
    ("accession", "runs", "organism", "platform", "mates", "alternates"),
    [
        ("SRP068364", 4, "DANIO_RERIO", "IlluminaHiSeq2000", 2, ("GSE76780", "PRJNA308582")),
        ("SRP111553", 16, "DANIO_RERIO", "IlluminaHiSeq2500", 1, ("GSE101204", "PRJNA393878")),
        ("DRP003977", 9, "DANIO_RERIO", "IlluminaHiSeq2500", 2, ("PRJDB4470",)),
        ("SRP048683", 12, "HOMO_SAPIENS", "IlluminaHiSeq2000", 2, ("GSE62098", "PRJNA263196")),
        ("ERP108370", 27, "HOMO_SAPIENS", "NextSeq500", 1, ("E-MTAB-6681", "PRJEB26384")),
        ("DRR002116", 1, "GALLUS_GALLUS", "IlluminaHiSeq2000", 1, ()),
    ],
)
def test_the_recorded_experiments_survey_to_the_right_records(
    accession: str,
    runs: int,
    organism: str,
    platform: str,
    mates: int,
    alternates: tuple[str, ...],
    surveyed: Any,
) -> None:
    experiment = surveyed(accession)
    assert len(experiment.samples) == runs
    assert experiment.organisms == [organism]
    assert {sample.platform.accession for sample in experiment.samples} == {platform}
    assert {sample.platform.manufacturer for sample in experiment.samples} == {Manufacturer.ILLUMINA}
    assert {sample.excluded for sample in experiment.samples} == {""}
    assert experiment.alternates == alternates
    for sample in experiment.samples:
        *fastqs, ncbi = sample.files
        assert len(fastqs) == mates
        assert ncbi.role is FileRole.SRA
        assert all(len(fastq.md5) == 32 and fastq.size for fastq in fastqs)


def test_unmated_reads_are_passed_over_and_the_mates_have_enas_checksums(surveyed: Any) -> None:
    sample = next(s for s in surveyed("SRP048683").samples if s.accession == "SRR1603661")
    first, second = sample.file(FileRole.FASTQ_1), sample.file(FileRole.FASTQ_2)
    folder = "https://ftp.sra.ebi.ac.uk/vol1/fastq/SRR160/001/SRR1603661"
    assert (first.location, first.size) == (f"{folder}/SRR1603661_1.fastq.gz", 6_751_980_628)
    assert first.md5 == "502a9a482bfa5aa75865ccc0105ad13c"
    assert (second.location, second.size) == (f"{folder}/SRR1603661_2.fastq.gz", 6_949_912_932)
    assert second.md5 == "fffd24457418d255991f54ec82a39d57"


def test_a_run_recorded_alone_is_surveyed_as_its_own_study(surveyed: Any) -> None:
    experiment = surveyed("DRR002116")
    assert experiment.accession == "DRP000595"
    assert experiment.title == "Whole transcriptome identification of turtle"
    assert [dropped.item for dropped in experiment.left_out] == ["DRP000595"]
    (sample,) = experiment.samples
    assert (sample.taxonomy_id, sample.title) == (9031, "Gg_HH16_1_embryo_mRNAseq")


def test_a_run_leads_to_its_study(recorded: Web) -> None:
    assert survey.find_study(recorded, "DRR002116") == "DRP000595"
    assert survey.find_study(recorded, "SRR1603661") == "SRP048683"
    assert survey.find_study(recorded, "SRX1528546") == "SRP068364"


def test_a_withdrawn_study_is_not_found(recorded: Web, oracle: Mapping[str, Any]) -> None:
    assert oracle["ERP006216"]["failure_reason"] == "No experiment found."
    with pytest.raises(NotFoundError, match="ERP006216"):
        survey.survey_sra(recorded, "ERP006216")


@pytest.mark.parametrize("accession", ORACLE)
def test_experiments_agree_with_the_ancestors_survey(
    accession: str, surveyed: Any, oracle: Mapping[str, Any]
) -> None:
    ours, theirs = surveyed(accession), oracle[accession]["experiment"]
    assert ours.accession == theirs["accession_code"]
    assert ours.title == theirs["title"]
    assert ours.description == theirs["description"]
    assert ours.url == theirs["source_url"]
    assert ours.published == theirs["source_first_published"][:10]
    assert ours.updated == theirs["source_last_modified"][:10]
    assert theirs["alternate_accession_code"] in (*ours.alternates, None)
    assert theirs["protocol_description"] in [protocol.text for protocol in ours.protocols]
    assert (ours.publication.pubmed_id, ours.publication.title) == (
        theirs["pubmed_id"],
        theirs["publication_title"],
    )
    assert list(ours.publication.authors) == theirs["publication_authors"]
    assert len(ours.samples) == theirs["num_total_samples"]


def test_institutions_are_the_ancestors_or_the_studys_center(
    surveyed: Any, oracle: Mapping[str, Any]
) -> None:
    """The ancestor read the submitting laboratory alone; without one, ours is the study's center."""
    found = {
        accession: (surveyed(accession).institution, oracle[accession]["experiment"]["submitter_institution"])
        for accession in ORACLE
    }
    assert found == {
        "SRP068364": ("", ""),
        "DRP003977": ("National Institute of Genetics (Japan)",) * 2,
        "ERP108370": ("BRIC - Biotech Research and Innovation Centre", ""),
    }


@pytest.mark.parametrize("accession", ORACLE)
def test_samples_agree_with_the_ancestors_survey(
    accession: str, surveyed: Any, oracle: Mapping[str, Any]
) -> None:
    ours = {sample.accession: sample for sample in surveyed(accession).samples}
    theirs = oracle[accession]["samples"]
    assert ours.keys() == theirs.keys()
    for run, expected in theirs.items():
        assert_same_sample(ours[run], expected, surveyed(accession))


def assert_same_sample(sample: Sample, expected: Mapping[str, Any], experiment: Experiment) -> None:
    platform = sample.platform
    assert sample.organism == expected["organism"]
    assert sample.technology == expected["technology"]
    assert platform.accession == expected["platform_accession_code"]
    assert platform.name == expected["platform_name"]
    assert platform.manufacturer == expected["manufacturer"]
    assert sample.has_raw == expected["has_raw"]
    assert [sample.files[-1].location] == [file["source_url"] for file in expected["original_files"]]
    # The ancestor gave every run the protocol of the study's first run; ours have their own.
    texts = [protocol.text for protocol in experiment.protocols]
    for protocol in expected["protocol_info"]:
        begin = protocol["Description"].removesuffix("...[truncated]")
        assert any(text.startswith(begin) for text in texts)
        assert protocol["Reference"] == experiment.url
    assert harmonized_fields(sample) == {field: expected[field] for field in FIELDS if field in expected}


def harmonized_fields(sample: Sample) -> dict[str, Any]:
    return harmonize(flat_metadata("SRA", sample.metadata)).values()


RECORDED_XML_STUDIES = (
    "DRP003977",
    "ERP001942",
    "ERP108370",
    "SRP045225",
    "SRP045322",
    "SRP045329",
    "SRP045391",
    "SRP045416",
    "SRP068364",
)
"""Those of the oracle's eleven studies whose records were kept: 50 of 53 runs."""


@pytest.mark.parametrize("study", RECORDED_XML_STUDIES)
def test_xml_records_flatten_and_harmonize_as_the_ancestors(
    study: str, surveyed: Any, shared_data: Path
) -> None:
    samples = {sample.accession: sample for sample in surveyed(study).samples}
    cases = oracle_lines(shared_data, "harmonise_sra_ena_xml.jsonl.gz")
    for case in (case for case in cases if case["experiment"] == study):
        sample = samples[case["accession"]]
        metadata = dict(sample.metadata)
        for key, value in case["input"].items():
            begin, *cut = (value or "").strip().split("...[truncated]")
            assert metadata[key].startswith(begin) if cut else metadata[key] == begin, key
        fields = harmonized_fields(sample)
        titles = case.get("title_candidates", [case["expected"]["title"]])
        assert fields.pop("title") in titles
        assert fields == {key: value for key, value in case["expected"].items() if key != "title"}


def test_json_records_flatten_and_harmonize_as_the_ancestors(surveyed: Any, shared_data: Path) -> None:
    (case,) = oracle_lines(shared_data, "harmonise_sra_ena_json.jsonl.gz")
    (sample,) = surveyed(case["accession"]).samples
    expected = {
        key: _as_text(value)
        for key, value in case["input"].items()
        if not key.startswith(("contact", "submittedVia", "_links"))  # who handed it in, and how: not kept
    }
    assert dict(sample.metadata) == expected
    assert harmonized_fields(sample) == case["expected"]


def _as_text(value: Any) -> str:
    if isinstance(value, str):
        return value
    return "" if value is None else json.dumps(value)
