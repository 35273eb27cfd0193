"""An experiment is what its IDF and SDRF say, with what BioStudies and PubMed add."""

from __future__ import annotations

import pytest

from refinebio_assets.domain import FileRole, Manufacturer, Pipeline, Protocol, Technology
from refinebio_assets.platforms.pipeline_choice import choose_pipeline
from refinebio_assets.sources.arrayexpress import addresses
from refinebio_assets.sources.arrayexpress.survey import survey_arrayexpress
from refinebio_assets_tests.sources.arrayexpress.small_archive import (
    EXPERIMENT,
    PROCESSED_ZIP,
    RAW_ZIP,
    RUN,
    SmallArchive,
    a_study,
    an_array,
    idf_text,
    samples_of,
    sdrf_text,
)


def test_an_experiment_is_what_its_idf_and_sdrf_say(archive: SmallArchive) -> None:
    archive.tables(an_array(1), an_array(2))
    experiment = survey_arrayexpress(archive.web(), EXPERIMENT)
    assert (experiment.accession, experiment.source) == (EXPERIMENT, "ARRAY_EXPRESS")
    assert (experiment.title, experiment.description) == ("Livers of mice", "What they express.")
    assert experiment.published == "2014-10-31"
    assert experiment.institution == "A university, Another"
    assert experiment.url == "https://www.ebi.ac.uk/biostudies/arrayexpress/studies/E-MTAB-123"
    assert not experiment.publication
    reference = addresses.file(EXPERIMENT, f"{EXPERIMENT}.idf.txt")
    assert experiment.protocols == (
        Protocol("P-1", "growth", "They grew.", reference),
        Protocol("P-3", "labeling", "They were labeled.", reference),
    )
    assert [sample.accession for sample in experiment.samples] == ["E-MTAB-123-array-1", "E-MTAB-123-array-2"]
    assert experiment.left_out == ()


def test_names_and_addresses_of_persons_are_not_kept(archive: SmallArchive) -> None:
    archive.tables(an_array(1))
    metadata = survey_arrayexpress(archive.web(), EXPERIMENT).metadata
    assert ("Person Affiliation", "A university") in metadata
    assert not [key for key, _ in metadata if key in {"Person Last Name", "Person Email"}]


def test_a_sample_is_what_its_row_says(archive: SmallArchive) -> None:
    row = an_array(1)
    (sample,) = samples_of(archive, row)
    assert (sample.organism, sample.technology) == ("MUS_MUSCULUS", Technology.MICROARRAY)
    assert (sample.platform.accession, sample.platform.manufacturer) == ("mouse4302", Manufacturer.AFFYMETRIX)
    assert sample.platform.source_accession == "A-AFFY-45"
    assert sample.metadata == tuple(row.items())
    assert (sample.title, sample.has_raw, sample.excluded) == ("liver 1", True, "")
    assert [(file.role, file.location, file.member) for file in sample.files] == [
        (FileRole.CEL, RAW_ZIP, "array-1.CEL"),
        (FileRole.PROCESSED, PROCESSED_ZIP, "array-1.txt"),
    ]
    assert choose_pipeline(sample).pipeline == Pipeline.AFFYMETRIX_SCAN


def test_the_title_of_an_imported_sample_is_its_own(archive: SmallArchive) -> None:
    (sample,) = samples_of(archive, an_array(1) | {"Comment [Sample_title]": "Liver, day 5"})
    assert sample.title == "Liver, day 5"


@pytest.mark.parametrize(
    ("reference", "taxon"),
    [
        ("http://purl.obolibrary.org/obo/NCBITaxon_10090", 10090),
        ("http://purl.org/obo/owl/NCBITaxon#NCBITaxon_10090", 10090),
        ("EFO_0001367", None),
        ("", None),
    ],
)
def test_the_taxon_is_the_ontology_term_beside_the_organism(
    archive: SmallArchive, reference: str, taxon: int | None
) -> None:
    row = {"Source Name": "liver 1", "Characteristics [Organism]": "Mus musculus", "Term Source REF": "EFO"}
    row |= {"Term Accession Number": reference} | {
        header: cell
        for header, cell in an_array(1).items()
        if header not in ("Characteristics[organism]", *row)
    }
    (sample,) = samples_of(archive, row)
    assert sample.taxonomy_id == taxon


def test_several_sdrf_files_are_one_experiment(archive: SmallArchive) -> None:
    names = [f"{EXPERIMENT}.hyb.sdrf.txt", f"{EXPERIMENT}.seq.sdrf.txt"]
    archive.file(f"{EXPERIMENT}.idf.txt", idf_text(**{"SDRF File": names}))
    archive.file(names[0], sdrf_text(an_array(1)))
    archive.file(names[1], sdrf_text(RUN))
    assert len(survey_arrayexpress(archive.web(), EXPERIMENT).samples) == 2


def test_an_sdrf_with_another_name_than_its_idf_says_is_found(archive: SmallArchive) -> None:
    archive.tables(an_array(1), idf=idf_text(**{"SDRF File": ["as_submitted.txt"]}))
    assert survey_arrayexpress(archive.web(), EXPERIMENT).title == "Livers of mice"


def test_tables_that_are_not_utf_8_are_read(archive: SmallArchive) -> None:
    archive.file(f"{EXPERIMENT}.idf.txt", idf_text(Investigation_Title=["Fünf Mäuse"]).encode("latin-1"))
    archive.file(f"{EXPERIMENT}.sdrf.txt", sdrf_text(an_array(1, Extract_Name="20 µl")).encode("latin-1"))
    experiment = survey_arrayexpress(archive.web(), EXPERIMENT)
    assert experiment.title == "Fünf Mäuse"
    assert ("Extract Name", "20 µl") in experiment.samples[0].metadata


def test_pubmed_knows_title_and_authors_best(archive: SmallArchive) -> None:
    summary = {"title": "As in PubMed.", "authors": [{"name": "Chen X"}], "articleids": []}
    archive.json(
        "https://eutils.ncbi.nlm.nih.gov/entrez/eutils/esummary.fcgi?db=pubmed&email=hello@refine.bio&id=21"
        "&retmode=json&tool=refinebio",
        {"result": {"uids": ["21"], "21": summary}},
    )
    named = {
        "PubMed ID": ["21", "", "22"],
        "Publication DOI": ["doi:10.1/a"],
        "Publication Title": ["As submitted"],
        "Publication Author List": ["Xi Chen and Wu Li"],
    }
    archive.tables(an_array(1), idf=idf_text(**named))
    publication = survey_arrayexpress(archive.web(), EXPERIMENT).publication
    assert (publication.pubmed_id, publication.doi) == ("21, 22", "10.1/a")
    assert (publication.title, publication.authors) == ("As in PubMed.", ("Chen X",))


def test_a_paper_that_is_not_in_pubmed_is_as_submitted(archive: SmallArchive) -> None:
    named = {"Publication Title": ["One", "Two"], "Publication Author List": ["Xi Chen, Wu Li and Al Bo"]}
    archive.tables(an_array(1), idf=idf_text(**named))
    publication = survey_arrayexpress(archive.web(), EXPERIMENT).publication
    assert publication.title == "One; Two"
    assert publication.authors == ("Xi Chen", "Wu Li", "Al Bo")


def test_biostudies_record_adds_what_the_idf_lacks(archive: SmallArchive) -> None:
    archive.json(addresses.study(EXPERIMENT), a_study())
    archive.json(addresses.study_info(EXPERIMENT), {"modified": 1414834496000, "isPublic": True})
    archive.tables(
        an_array(1),
        idf=idf_text(
            **{"Investigation Title": ["One", "Two"], "Experiment Description": [], "Public Release Date": []}
        ),
    )
    experiment = survey_arrayexpress(archive.web(), EXPERIMENT)
    assert (experiment.title, experiment.description) == ("Livers, as curated", "As curated.")
    assert (experiment.published, experiment.updated) == ("2014-11-02", "2014-11-01")
    assert experiment.alternates == ("ERP000123",)


def test_the_former_addresses_serve_where_biostudies_has_nothing(archive: SmallArchive) -> None:
    archive.answer(addresses.former_file(EXPERIMENT, f"{EXPERIMENT}.sdrf.txt"), sdrf_text(an_array(1)))
    record = {"name": "As recorded", "releasedate": "2014-10-31", "lastupdatedate": "2014-11-05"}
    record |= {"secondaryaccession": "GSE77", "description": [{"id": None, "text": "Recorded."}]}
    protocols = [{"accession": "P-9", "text": ["a ", {"br": None}, "b"], "type": None}, {"accession": "P-8"}]
    archive.json(addresses.retired_record(EXPERIMENT), {"experiments": {"experiment": record}})
    archive.json(addresses.retired_record(EXPERIMENT, "protocols"), {"protocols": {"protocol": protocols}})
    experiment = survey_arrayexpress(archive.web(), EXPERIMENT)
    assert (experiment.title, experiment.description) == ("As recorded", "Recorded.")
    assert (experiment.published, experiment.updated) == ("2014-10-31", "2014-11-05")
    assert experiment.alternates == ("GSE77",)
    (protocol,) = experiment.protocols
    assert (protocol.accession, protocol.kind, protocol.text) == ("P-9", "", "a b")
    assert experiment.samples[0].protocols == (protocol,)


def test_an_experiment_imported_from_geo_is_linked_to_its_original(archive: SmallArchive) -> None:
    accession = "E-GEOD-123"
    archive.answer(addresses.file(accession, f"{accession}.sdrf.txt"), sdrf_text(RUN))
    experiment = survey_arrayexpress(archive.web(), accession)
    assert experiment.alternates == ("GSE123",)
    assert choose_pipeline(experiment.samples[0]).reason.endswith("process GSE123 instead.")
