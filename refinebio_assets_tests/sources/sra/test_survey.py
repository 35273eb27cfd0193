"""Surveys of small archives made by hand: what a user meets at ENA, good and bad."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from refinebio_assets.domain import Experiment, FileRole, Manufacturer, Platform, Protocol, Technology
from refinebio_assets.errors import NotFoundError, PermanentError, RequestError, TransientError
from refinebio_assets.platforms.sra_rules import SraRules
from refinebio_assets.sources.sra.survey import find_study, survey_sra
from refinebio_assets_tests.sources.sra.small_archive import (
    BIOSAMPLES,
    PROJECT,
    STUDY,
    SmallArchive,
    a_run,
    a_study,
    pubmed_links_url,
    search_url,
)


def test_a_study_becomes_an_experiment_with_its_runs_as_samples(archive: SmallArchive) -> None:
    archive.runs(STUDY, [a_run(1), a_run(2)])
    archive.study(a_study())
    experiment = survey_sra(archive.web(), STUDY)
    assert (experiment.accession, experiment.source) == (STUDY, "SRA")
    assert (experiment.title, experiment.description) == ("Livers of zebrafish", "What they express.")
    assert (experiment.published, experiment.updated) == ("2017-09-25", "2018-01-02")
    assert experiment.institution == "A university"
    assert experiment.url == f"https://www.ebi.ac.uk/ena/browser/view/{STUDY}"
    assert [sample.accession for sample in experiment.samples] == ["SRR1000001", "SRR1000002"]
    assert experiment.left_out == ()


def test_a_run_gives_its_sample_organism_platform_title_and_files(archive: SmallArchive) -> None:
    archive.runs(STUDY, [a_run()])
    archive.study(a_study())
    (sample,) = survey_sra(archive.web(), STUDY).samples
    assert (sample.organism, sample.taxonomy_id) == ("DANIO_RERIO", 7955)
    assert sample.technology is Technology.RNA_SEQ
    assert sample.platform == Platform(
        "IlluminaHiSeq2000", "Illumina HiSeq 2000", Manufacturer.ILLUMINA, "Illumina HiSeq 2000"
    )
    assert sample.title == "liver 1"
    assert [file.role for file in sample.files] == [FileRole.FASTQ_1, FileRole.SRA]
    assert sample.excluded == ""


def test_without_a_sample_title_that_of_the_experiment_is_taken(archive: SmallArchive) -> None:
    archive.runs(STUDY, [a_run(sample_title="")])
    (sample,) = survey_sra(archive.web(), STUDY).samples
    assert sample.title == "Illumina HiSeq 2000 sequencing"


def test_biosamples_is_laid_over_the_run_and_the_study_is_added(archive: SmallArchive) -> None:
    document = {
        "accession": "SAMN00000001",
        "status": "LIVE",
        "sample_title": "from BioSamples",
        "characteristics": {"cell line": [{"text": "ZFL"}]},
    }
    archive.runs(STUDY, [a_run(status="public")])
    archive.study(a_study())
    archive.answer(f"{BIOSAMPLES}/SAMN00000001?format=json", json.dumps(document))
    (sample,) = survey_sra(archive.web(), STUDY).samples
    metadata = dict(sample.metadata)
    assert len(metadata) == len(sample.metadata)
    assert metadata["sample_title"] == "from BioSamples"
    assert metadata["characteristics_cell_line_0_text"] == "ZFL"
    assert metadata["status"] == "public"
    assert metadata["study_ena_study_title"] == "Livers of zebrafish"
    assert "accession" not in metadata
    assert list(metadata)[-1].startswith("study_ena_")


def test_who_handed_a_sample_in_is_not_kept(archive: SmallArchive) -> None:
    document = {
        "name": "liver",
        "contact": [{"Name": "Jane Doe", "E-mail": "jane@example.org"}],
        "organization": [
            {"Name": "A university", "Role": "submitter", "E-mail": "jane@example.org"},
            {"Address": "1 Doe Street", "URL": "https://doe.example.org", "Name": "Another"},
        ],
        "submittedVia": "JSON_API",
        "webinSubmissionAccountId": "Webin-1",
        "_links": {"self": {"href": "https://example.org"}},
    }
    archive.runs(STUDY, [a_run()])
    archive.answer(f"{BIOSAMPLES}/SAMN00000001?format=json", json.dumps(document))
    (sample,) = survey_sra(archive.web(), STUDY).samples
    of_sample = [pair for pair in sample.metadata if pair[0] not in a_run()]
    assert of_sample == [
        ("name", "liver"),
        ("organization_0_Name", "A university"),
        ("organization_1_Name", "Another"),
    ]


def test_one_biosample_of_many_runs_is_given_to_each(archive: SmallArchive) -> None:
    archive.runs(STUDY, [a_run(n, sample_accession="SAMN00000001") for n in (1, 2, 3)])
    archive.answer(f"{BIOSAMPLES}/SAMN00000001?format=json", '{"name": "one animal"}')
    samples = survey_sra(archive.web(), STUDY).samples
    assert [dict(sample.metadata)["name"] for sample in samples] == ["one animal"] * 3


def test_a_missing_biosample_costs_metadata_only(archive: SmallArchive) -> None:
    archive.runs(STUDY, [a_run(1), a_run(2)])
    archive.answer(f"{BIOSAMPLES}/SAMN00000002?format=json", '{"name": "second"}')
    first, second = survey_sra(archive.web(), STUDY).samples
    assert "name" not in dict(first.metadata)
    assert dict(second.metadata)["name"] == "second"


def test_a_biosample_that_cannot_be_had_now_stops_the_survey(archive: SmallArchive) -> None:
    archive.runs(STUDY, [a_run(1), a_run(2)])
    archive.answer(f"{BIOSAMPLES}/SAMN00000002?format=json", '{"name": "half')
    with pytest.raises(TransientError, match="SAMN00000002"):
        survey_sra(archive.web(), STUDY)


def test_the_study_of_a_run_is_the_one_the_run_names(archive: SmallArchive) -> None:
    run = a_run(secondary_study_accession=f"{STUDY};SRP000999")
    archive.runs(run["run_accession"], [run])
    archive.runs(STUDY, [run])
    archive.study(a_study(secondary_study_accession=f"SRP000999;{STUDY}"))
    experiment = survey_sra(archive.web(), run["run_accession"])
    assert experiment.accession == STUDY
    assert len(experiment.samples) == 1


def test_a_project_with_several_studies_is_no_other_name_of_one(archive: SmallArchive) -> None:
    archive.runs(STUDY, [a_run()])
    archive.study(a_study(secondary_study_accession=f"SRP000999;{STUDY}"))
    assert survey_sra(archive.web(), STUDY).alternates == ("GSE4567",)


def test_in_a_project_with_several_studies_the_title_is_that_of_the_runs(archive: SmallArchive) -> None:
    archive.runs(STUDY, [a_run(study_title="Livers of young zebrafish")])
    archive.study(a_study(secondary_study_accession=f"SRP000999;{STUDY}"))
    assert survey_sra(archive.web(), STUDY).title == "Livers of young zebrafish"


def test_without_a_record_of_the_study_its_runs_give_the_title(archive: SmallArchive) -> None:
    archive.runs(STUDY, [a_run(study_title="Livers of zebrafish")])
    assert survey_sra(archive.web(), STUDY).title == "Livers of zebrafish"


def test_a_study_is_linked_to_geo_arrayexpress_and_its_project(archive: SmallArchive) -> None:
    archive.runs(STUDY, [a_run()])
    archive.study(a_study(study_alias="E-MTAB-6681"))
    assert survey_sra(archive.web(), STUDY).alternates == ("GSE4567", "E-MTAB-6681", PROJECT)


def test_any_alias_but_those_of_the_archives_is_no_accession(archive: SmallArchive) -> None:
    archive.runs(STUDY, [a_run()])
    archive.study(a_study(study_alias="our zebrafish", geo_accession=""))
    assert survey_sra(archive.web(), STUDY).alternates == (PROJECT,)


@pytest.mark.parametrize("accession", ["SRR1000001", "SRX000001", "SRS000001", "SAMN00000001", PROJECT])
def test_any_accession_leads_to_the_study_and_all_its_runs(accession: str, archive: SmallArchive) -> None:
    archive.runs(accession, [a_run(1)])
    archive.runs(STUDY, [a_run(1), a_run(2)])
    web = archive.web()
    assert find_study(web, accession) == STUDY
    assert len(survey_sra(web, accession).samples) == 2


def test_a_study_accession_is_its_own_study_without_asking(archive: SmallArchive) -> None:
    assert find_study(archive.web(), STUDY) == STUDY


def test_when_only_the_run_itself_is_found_it_is_taken_and_that_is_said(archive: SmallArchive) -> None:
    archive.runs("SRR1000001", [a_run(1)])
    experiment = survey_sra(archive.web(), "SRR1000001")
    assert (experiment.accession, len(experiment.samples)) == (STUDY, 1)
    (left_out,) = experiment.left_out
    assert left_out.item == STUDY
    assert "only those that it found for SRR1000001" in left_out.reason


def test_an_accession_of_several_studies_is_refused_naming_them(archive: SmallArchive) -> None:
    archive.runs(PROJECT, [a_run(1), a_run(2, secondary_study_accession="SRP000124")])
    with pytest.raises(RequestError, match="belongs to 2 studies; ask for one: SRP000123, SRP000124"):
        survey_sra(archive.web(), PROJECT)


def test_runs_of_another_study_are_left_out_by_name(archive: SmallArchive) -> None:
    archive.runs(STUDY, [a_run(1), a_run(2, secondary_study_accession="SRP000124")])
    experiment = survey_sra(archive.web(), STUDY)
    assert [sample.accession for sample in experiment.samples] == ["SRR1000001"]
    assert [(dropped.item, "SRP000124" in dropped.reason) for dropped in experiment.left_out] == [
        ("SRR1000002", True)
    ]


@pytest.mark.parametrize("accession", ["SRP999999", "SRR9999999", "SAMN99999999", "PRJNA999999"])
def test_an_unknown_accession_is_not_found(accession: str, archive: SmallArchive) -> None:
    archive.runs(accession, [])
    with pytest.raises(NotFoundError, match=rf"{accession}.*unknown, withdrawn or private"):
        survey_sra(archive.web(), accession)


def test_an_answer_without_content_is_an_empty_one(archive: SmallArchive) -> None:
    archive.answer(search_url("read_run", "SRP999999"), "", status=204)
    with pytest.raises(NotFoundError, match="ENA knows no"):
        survey_sra(archive.web(), "SRP999999")


def test_a_study_without_runs_says_what_that_may_mean(archive: SmallArchive) -> None:
    archive.runs(STUDY, [])
    archive.study(a_study())
    with pytest.raises(PermanentError, match=r"SRP000123 has no runs \(private or withdrawn\?\)"):
        survey_sra(archive.web(), STUDY)


def test_half_a_json_is_a_passing_failure_that_names_the_address(archive: SmallArchive) -> None:
    archive.answer(search_url("read_run", STUDY), json.dumps([a_run()])[:-20])
    with pytest.raises(TransientError, match="portal/api/search"):
        survey_sra(archive.web(), STUDY)


def test_being_asked_to_wait_too_often_is_a_passing_failure(archive: SmallArchive) -> None:
    archive.answer(search_url("read_run", STUDY), "Too many requests", status=429, kind="text/plain")
    with pytest.raises(TransientError, match="429"):
        survey_sra(archive.web(), STUDY)


def test_a_page_in_place_of_records_is_refused(archive: SmallArchive) -> None:
    page = "<html><body>Maintenance</body></html>"
    archive.answer(search_url("read_run", STUDY), page, kind="text/html")
    with pytest.raises((PermanentError, TransientError), match="portal/api/search"):
        survey_sra(archive.web(), STUDY)


@pytest.mark.parametrize("center", ["GEO", "NCBI"])
def test_the_archive_that_handed_a_study_on_is_not_its_institution(
    center: str, archive: SmallArchive
) -> None:
    archive.runs(STUDY, [a_run()])
    archive.study(a_study(center_name=center))
    assert survey_sra(archive.web(), STUDY).institution == ""


def test_a_message_in_place_of_records_is_shown(archive: SmallArchive) -> None:
    archive.answer(search_url("read_run", STUDY), '{"message": "Invalid field(s) supplied"}')
    with pytest.raises(PermanentError, match="Invalid field"):
        survey_sra(archive.web(), STUDY)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"library_strategy": "WGS"}, "library strategy is WGS"),
        ({"library_source": "TRANSCRIPTOMIC SINGLE CELL"}, "library source is TRANSCRIPTOMIC SINGLE CELL"),
    ],
)
def test_a_run_of_another_library_is_recorded_and_excluded(
    changes: dict[str, str], reason: str, archive: SmallArchive
) -> None:
    archive.runs(STUDY, [a_run(1), a_run(2, **changes)])
    good, other = survey_sra(archive.web(), STUDY).samples
    assert good.excluded == ""
    assert reason in other.excluded


def test_a_blacklisted_run_is_recorded_and_excluded(archive: SmallArchive) -> None:
    archive.runs(STUDY, [a_run(1), a_run(2)])
    rules = SraRules(blacklist=frozenset({"SRR1000002"}))
    excluded = [bool(sample.excluded) for sample in survey_sra(archive.web(), STUDY, rules).samples]
    assert excluded == [False, True]


def test_a_sequencer_of_another_maker_has_no_known_platform(archive: SmallArchive) -> None:
    archive.runs(STUDY, [a_run(instrument_platform="PACBIO_SMRT", instrument_model="Sequel II")])
    (sample,) = survey_sra(archive.web(), STUDY).samples
    assert (sample.platform.accession, sample.platform.manufacturer) == ("", Manufacturer.UNKNOWN)


def test_a_run_without_organism_is_left_out_with_the_reason(archive: SmallArchive) -> None:
    archive.runs(STUDY, [a_run(1), a_run(2, scientific_name="")])
    experiment = survey_sra(archive.web(), STUDY)
    assert len(experiment.samples) == 1
    assert [(dropped.item, dropped.reason) for dropped in experiment.left_out] == [
        ("SRR1000002", "ENA names no organism for it")
    ]


def test_a_study_of_runs_without_organism_is_refused(archive: SmallArchive) -> None:
    archive.runs(STUDY, [a_run(1, scientific_name="")])
    with pytest.raises(PermanentError, match="SRP000123: ENA names no organism"):
        survey_sra(archive.web(), STUDY)


def test_protocols_are_kept_with_the_run_and_once_with_the_study(archive: SmallArchive) -> None:
    text = "PolyA selection"
    archive.runs(STUDY, [a_run(number, library_construction_protocol=text) for number in (1, 2)])
    experiment = survey_sra(archive.web(), STUDY)
    protocol = Protocol(kind="library construction protocol", text=text, reference=experiment.url)
    assert [sample.protocols for sample in experiment.samples] == [(protocol,), (protocol,)]
    assert experiment.protocols == (protocol,)


def test_the_paper_is_the_oldest_that_ena_links_to_the_project(archive: SmallArchive) -> None:
    summary = {"title": "Livers.", "authors": [{"name": "Zhao X"}], "articleids": []}
    archive.runs(STUDY, [a_run()])
    archive.study(a_study())
    links = [{"Source Primary Accession": number} for number in ("", "100000001", "27102575")]
    archive.answer(pubmed_links_url(), json.dumps(links))
    archive.answer(
        "https://eutils.ncbi.nlm.nih.gov/entrez/eutils/esummary.fcgi"
        "?db=pubmed&id=27102575&retmode=json&tool=refinebio&email=hello@refine.bio",
        json.dumps({"result": {"27102575": summary}}),
    )
    publication = survey_sra(archive.web(), STUDY).publication
    assert (publication.pubmed_id, publication.title, publication.authors) == (
        "27102575",
        "Livers.",
        ("Zhao X",),
    )


def test_a_survey_gives_the_same_record_each_time(archive: SmallArchive) -> None:
    archive.runs(STUDY, [a_run(number) for number in range(1, 8)])
    archive.study(a_study())
    for number in range(1, 8):
        archive.answer(f"{BIOSAMPLES}/SAMN0000000{number}?format=json", json.dumps({"name": str(number)}))
    web = archive.web()
    assert survey_sra(web, STUDY) == survey_sra(web, STUDY)


def reordered(record: Mapping[str, Any]) -> dict[str, Any]:
    """The same record, its keys in the opposite order; lists as they are."""
    return {
        key: reordered(value) if isinstance(value, dict) else value
        for key, value in reversed(list(record.items()))
    }


def test_the_order_of_enas_answers_and_of_their_keys_does_not_matter(tmp_path: Path) -> None:
    runs = [a_run(number, experiment_protocol="x", extraction_protocol="y") for number in (1, 2, 3)]
    runs.append(a_run(4, secondary_study_accession="SRP000124"))
    runs.append(a_run(5, scientific_name=""))
    studies = [
        a_study(geo_accession="GSE4568;GSE4567", study_alias="E-MTAB-6681"),
        a_study(secondary_study_accession=f"SRP000999;{STUDY}", study_title="Of a shared project"),
    ]
    sample = {"characteristics": {"tissue": [{"text": "liver"}, {"text": "gut"}], "age": [{"text": "5"}]}}
    links = [{"Source Primary Accession": "27102575"}, {"Source Primary Accession": "27102576"}]
    experiments: list[Experiment] = []
    for turn in (list, lambda records: [reordered(record) for record in reversed(records)]):
        folder = tmp_path / str(len(experiments))
        folder.mkdir()
        archive = SmallArchive(folder)
        archive.runs(STUDY, turn(runs))
        archive.answer(search_url("study", STUDY), json.dumps(turn(studies)))
        archive.answer(f"{BIOSAMPLES}/SAMN00000002?format=json", json.dumps(turn([sample])[0]))
        archive.answer(pubmed_links_url(), json.dumps(turn(links)))
        experiments.append(survey_sra(archive.web(), STUDY))
    first, second = experiments
    assert first == second
    assert [one.accession for one in first.samples] == ["SRR1000001", "SRR1000002", "SRR1000003"]
    assert first.alternates == ("GSE4567", "GSE4568", "E-MTAB-6681", PROJECT)
    assert first.title == "Livers of zebrafish"
    told = [pair for pair in first.samples[1].metadata if pair[0].startswith("characteristics")]
    assert told == [
        ("characteristics_age_0_text", "5"),
        ("characteristics_tissue_0_text", "liver"),
        ("characteristics_tissue_1_text", "gut"),
    ]


def test_runs_are_sorted_by_number(archive: SmallArchive) -> None:
    runs = [a_run(run_accession=f"SRR{number}") for number in (1000000, 999999, 1000001)]
    archive.runs(STUDY, runs)
    samples = survey_sra(archive.web(), STUDY).samples
    assert [sample.accession for sample in samples] == ["SRR999999", "SRR1000000", "SRR1000001"]
