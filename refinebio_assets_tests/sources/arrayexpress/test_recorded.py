"""Surveys of real experiments: recorded responses with their oracles, and real MAGE-TAB files.

What refine.bio's own code made of the recorded JSON is compared, field by field, with what is made of IDF
and SDRF here. Two fields differ by design: ``source_url`` is the page that people read, as the JSON interface
is no more; and E-GEOD-44719, which has derived data only, has no raw data here, while refine.bio left its
database's default on samples (its files' own flag agrees).
"""

from __future__ import annotations

import gzip
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from refinebio_assets.domain import Experiment, Pipeline, Protocol, Sample, Technology
from refinebio_assets.errors import NotFoundError
from refinebio_assets.metadata.harmonize import harmonize_sample
from refinebio_assets.platforms.pipeline_choice import choose_pipeline
from refinebio_assets.sources.arrayexpress import addresses
from refinebio_assets.sources.arrayexpress.retired_json import read_protocols
from refinebio_assets.sources.arrayexpress.survey import survey_arrayexpress
from refinebio_assets.sources.web.client import Web
from refinebio_assets.sources.web.settings import open_web

ORACLES = ("E-MTAB-3050", "E-GEOD-44719", "E-MEXP-2381")
HARMONIZED = [
    "title",
    "sex",
    "age",
    "specimen_part",
    "genetic_information",
    "disease",
    "disease_stage",
    "cell_line",
    "treatment",
    "race",
    "subject",
    "developmental_stage",
    "compound",
    "time",
]


@pytest.fixture(scope="module")
def expected(shared_data: Path) -> dict[str, dict[str, Any]]:
    path = shared_data / "metadata_oracles" / "survey_sra_ae.jsonl.gz"
    cases = map(json.loads, gzip.decompress(path.read_bytes()).decode().splitlines())
    return {case["accession"]: case for case in cases if case["source"] == "ARRAY_EXPRESS"}


def experiment_fields(experiment: Experiment) -> dict[str, Any]:
    platforms = {sample.platform for sample in experiment.samples}
    return {
        "accession_code": experiment.accession,
        "alternate_accession_code": next(iter(experiment.alternates), None),
        # The description had a line end of its own behind it.
        "description": experiment.description + "\n",
        "has_publication": bool(experiment.publication),
        "num_total_samples": len(experiment.samples),
        "platform_accession_codes": sorted({platform.accession for platform in platforms}),
        "platform_names": sorted({platform.name for platform in platforms}),
        "publication_authors": list(experiment.publication.authors),
        "publication_doi": experiment.publication.doi,
        "publication_title": experiment.publication.title,
        "pubmed_id": experiment.publication.pubmed_id,
        "source_database": experiment.source,
        "source_first_published": f"{experiment.published}T00:00:00+00:00",
        "source_last_modified": f"{experiment.updated}T00:00:00+00:00",
        "source_url": experiment.url,
        "submitter_institution": experiment.institution,
        "technology": experiment.technologies[0].value,
        "title": experiment.title,
    }


def sample_fields(sample: Sample) -> dict[str, Any]:
    harmonized = harmonize_sample("ARRAY_EXPRESS", sample.metadata).values()
    return {
        **{field: harmonized[field] for field in HARMONIZED},
        "has_raw": sample.has_raw,
        "manufacturer": sample.platform.manufacturer.value,
        "organism": sample.organism,
        "platform_accession_code": sample.platform.accession,
        "platform_name": sample.platform.name,
        "technology": sample.technology.value,
        "protocol_info": [protocol_fields(protocol) for protocol in sample.protocols],
        "original_files": [
            {
                "expected_md5": None,
                "expected_size_in_bytes": sample.files[0].size,
                "filename": sample.files[0].name,
                "has_raw": sample.has_raw,
                "is_archive": bool(sample.files[0].member),
                "source_filename": sample.files[0].name,
                "source_url": sample.files[0].location.replace("https://", "ftp://"),
            }
        ],
    }


def protocol_fields(protocol: Protocol) -> dict[str, str]:
    return {
        "Accession": protocol.accession,
        "Text": protocol.text,
        "Type": protocol.kind,
        "Reference": protocol.reference,
    }


def differing(found: dict[str, Any], told: dict[str, Any]) -> set[str]:
    return {field for field, value in found.items() if not _same(value, told[field])}


def _same(value: Any, told: Any) -> bool:
    if isinstance(told, list) and isinstance(value, list) and len(told) == len(value):
        return all(map(_same, value, told))
    if isinstance(told, dict):
        return all(_same(value[key], told[key]) for key in told)
    cut = "...[truncated]"
    if isinstance(told, str) and told.endswith(cut):
        return isinstance(value, str) and value.startswith(told.removesuffix(cut))
    return bool(value == told)


@pytest.mark.parametrize("accession", ORACLES)
def test_every_field_of_a_recorded_experiment_agrees_but_its_page(
    recorded: Web, expected: dict[str, Any], accession: str
) -> None:
    experiment = survey_arrayexpress(recorded, accession)
    assert differing(experiment_fields(experiment), expected[accession]["experiment"]) == {"source_url"}
    assert experiment.left_out == ()


@pytest.mark.parametrize("accession", ORACLES)
def test_the_samples_of_a_recorded_experiment_agree_but_for_the_default_of_has_raw(
    recorded: Web, expected: dict[str, Any], accession: str
) -> None:
    told = expected[accession]["samples"]
    samples = {sample.accession: sample for sample in survey_arrayexpress(recorded, accession).samples}
    assert set(samples) == set(told)
    deviations = Counter(
        field
        for sample_accession, sample in samples.items()
        for field in differing(sample_fields(sample), told[sample_accession])
    )
    assert deviations == ({"has_raw": 77} if accession == "E-GEOD-44719" else {})


def test_the_pipelines_of_recorded_samples_agree(recorded: Web, expected: dict[str, Any]) -> None:
    names = {"AFFY_TO_PCL": Pipeline.AFFYMETRIX_SCAN, "NO_OP": Pipeline.SUBMITTER_PROCESSED}
    for accession in ORACLES:
        for sample in survey_arrayexpress(recorded, accession).samples:
            (told,) = expected[accession]["samples"][sample.accession]["processor_pipeline_by_file"].values()
            assert choose_pipeline(sample).pipeline == names[told]


def test_protocols_are_read_as_the_ancestor_read_them(shared_data: Path) -> None:
    lines = (shared_data / "metadata_oracles" / "functions.jsonl").read_text(encoding="utf-8").splitlines()
    cases = [(one["function"], one["case"]) for one in map(json.loads, lines)]
    texts = [case for function, case in cases if function == "extract_protocol_text"]
    assert texts
    for given, told in texts:
        read = read_protocols({"protocols": {"protocol": {"accession": "P", "text": given}}}, reference="")
        assert "".join(protocol.text for protocol in read) == told
    documents = [case for function, case in cases if function == "ae_update_protocol" and not case[0][0]]
    assert documents
    for (_, document, reference), (told, _) in documents:
        read = read_protocols({"protocols": document}, reference=reference)
        assert [protocol_fields(protocol) for protocol in read] == told


def test_a_recorded_import_from_geo_is_surveyed(recorded: Web) -> None:
    experiment = survey_arrayexpress(recorded, "E-GEOD-3303")
    assert experiment.alternates == ("GSE3303", "GDS1404")
    assert (experiment.published, experiment.updated) == ("2005-09-16", "2012-12-14")
    assert experiment.institution == "SUNY Upstate"
    assert experiment.publication.pubmed_id == "16205622"
    assert experiment.publication.authors == ("Cameron DA", "Gentile KL", "Middleton FA", "Yurco P")
    assert len(experiment.samples) == 12
    assert len(experiment.protocols) == 13
    (sample,) = [one for one in experiment.samples if one.accession == "E-GEOD-3303-GSM74295"]
    assert sample.title == "Lesioned adult zebrafish retina, 5d post-lesion"
    assert (sample.organism, sample.taxonomy_id) == ("DANIO_RERIO", 7955)
    assert (sample.platform.accession, sample.has_raw) == ("zebrafish", False)
    assert [file.member for file in sample.files] == ["GSM74295_sample_table.txt"]
    assert choose_pipeline(sample).pipeline == Pipeline.SUBMITTER_PROCESSED


def test_a_large_recorded_sdrf_has_a_sample_for_every_array(recorded: Web) -> None:
    samples = survey_arrayexpress(recorded, "E-TABM-38").samples
    assert len(samples) == len({sample.accession for sample in samples}) == 502
    assert {choose_pipeline(sample).pipeline for sample in samples} == {Pipeline.NONE}


def test_an_experiment_that_was_not_recorded_is_not_found(recorded: Web) -> None:
    with pytest.raises(NotFoundError, match="ArrayExpress has no E-MTAB-99999"):
        survey_arrayexpress(recorded, "E-MTAB-99999")


REAL = {
    "E-GEOD-38400": (12, {Technology.RNA_SEQ}, {"none"}),
    "E-MEXP-1025": (39, {Technology.MICROARRAY}, {"Affymetrix SCAN"}),
    "E-MEXP-3237": (6, {Technology.MICROARRAY}, {"none"}),
    "E-MEXP-986": (4, {Technology.MICROARRAY}, {"none"}),
    "E-MTAB-1160": (11, {Technology.MICROARRAY}, {"Affymetrix SCAN"}),
    "E-MTAB-4250": (4, {Technology.MICROARRAY}, {"none"}),
    "E-MTAB-5626": (6, {Technology.MICROARRAY}, {"submitter-processed"}),
    "E-MTAB-5709": (12, {Technology.RNA_SEQ}, {"none"}),
    "E-MTAB-5813": (24, {Technology.MICROARRAY}, {"none"}),
    "E-MTAB-582": (10, {Technology.RNA_SEQ}, {"none"}),
    "E-MTAB-5879": (42, {Technology.RNA_SEQ}, {"none"}),
    "E-MTAB-6077": (102, {Technology.RNA_SEQ}, {"none"}),
    "E-MTAB-6085": (80, {Technology.RNA_SEQ}, {"none"}),
    "E-MTAB-6160": (8, {Technology.MICROARRAY}, {"Affymetrix SCAN"}),
    "E-MTAB-641": (18, {Technology.MICROARRAY}, {"Affymetrix SCAN"}),
    "E-MTAB-9898": (32, {Technology.UNKNOWN}, {"none"}),
}
"""Real SDRF files: how many samples (fewer than rows: two channels, two mates), technologies, pipelines."""


@pytest.fixture(scope="module")
def real_tables(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Web:
    folder = tmp_path_factory.mktemp("mirror")
    for path in (shared_data / "mage_tab").glob("*.txt.gz"):
        accession, name = path.name.split(".")[0], path.name.removesuffix(".gz")
        target = folder / addresses.file(accession, name).removeprefix("https://")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(gzip.decompress(path.read_bytes()))
    return open_web({"REFINEBIO_MIRROR": str(folder)})


def test_real_tables_become_experiments(real_tables: Web) -> None:
    for accession, (count, technologies, pipelines) in REAL.items():
        experiment = survey_arrayexpress(real_tables, accession)
        samples = experiment.samples
        assert (len(samples), experiment.left_out) == (count, ()), accession
        assert {sample.technology for sample in samples} == technologies, accession
        assert {choose_pipeline(sample).pipeline.value for sample in samples} == pipelines, accession
        assert len({sample.accession for sample in samples}) == count, accession


def test_both_channels_of_real_two_color_arrays_are_one_sample(real_tables: Web) -> None:
    for accession in ("E-MEXP-3237", "E-MEXP-986", "E-MTAB-4250", "E-MTAB-5813"):
        for sample in survey_arrayexpress(real_tables, accession).samples:
            choice = choose_pipeline(sample)
            assert choice.pipeline == Pipeline.NONE, sample.accession
            assert "two-color array" in choice.reason
            assert {value for key, value in sample.metadata if key == "Label"} == {"Cy3", "Cy5"}


def test_real_sequencing_experiments_name_their_study(real_tables: Web) -> None:
    experiment = survey_arrayexpress(real_tables, "E-MTAB-5709")
    assert experiment.alternates == ("ERP022901",)
    reason = "Its reads are at SRA (ERR1956911), not here: process ERP022901 instead."
    assert choose_pipeline(experiment.samples[0]).reason == reason


def test_real_samples_of_one_name_are_told_apart_by_their_files(real_tables: Web) -> None:
    accessions = [sample.accession for sample in survey_arrayexpress(real_tables, "E-MTAB-641").samples]
    assert accessions[:3] == ["E-MTAB-641-Col-0-A1", "E-MTAB-641-Col-0-B1", "E-MTAB-641-Col-0-C1"]
