"""Surveys of small experiments at BioStudies, through the real client: what a sample is, and odd input."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from refinebio_assets.domain import FileRole, Manufacturer, Pipeline, Protocol, Sample, Technology
from refinebio_assets.errors import FormatError, NotFoundError, PermanentError, TransientError
from refinebio_assets.platforms.pipeline_choice import choose_pipeline
from refinebio_assets.sources.arrayexpress import addresses
from refinebio_assets.sources.arrayexpress.survey import survey_arrayexpress
from refinebio_assets_tests.sources.arrayexpress.small_archive import (
    EXPERIMENT,
    RUN,
    ZIP,
    SmallArchive,
    a_study,
    an_array,
    idf_text,
    sdrf_text,
)

RAW_ZIP = f"{ZIP}.raw.1.zip".replace("ftp://", "https://")
PROCESSED_ZIP = f"{ZIP}.processed.1.zip".replace("ftp://", "https://")
FTP = "Comment [ArrayExpress FTP file]"
DERIVED_FTP = "Comment [Derived ArrayExpress FTP file]"


def samples_of(archive: SmallArchive, *rows: dict[str, str]) -> tuple[Sample, ...]:
    archive.tables(*rows)
    return survey_arrayexpress(archive.web(), EXPERIMENT).samples


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


def test_derived_files_alone_are_the_submitters_values(archive: SmallArchive) -> None:
    (sample,) = samples_of(archive, an_array(1, Array_Data_File="  ") | {FTP: "  "})
    assert not sample.has_raw
    assert [(file.role, file.member) for file in sample.files] == [(FileRole.PROCESSED, "array-1.txt")]
    assert choose_pipeline(sample).pipeline == Pipeline.SUBMITTER_PROCESSED


def test_a_raw_file_without_an_address_is_not_offered(archive: SmallArchive) -> None:
    (sample,) = samples_of(archive, an_array(1) | {FTP: " "})
    assert not sample.has_raw
    assert [file.member for file in sample.files] == ["array-1.txt"]


def test_a_raw_table_of_an_illumina_array_holds_intensities(archive: SmallArchive) -> None:
    row = an_array(1) | {"Array Design REF": "A-MEXP-2072"}
    row = {"Array Data Matrix File" if key == "Array Data File" else key: cell for key, cell in row.items()}
    rows = [
        row
        | {"Array Data Matrix File": "all.raw.txt", "Assay Name": f"a{number}", "Source Name": f"s{number}"}
        for number in (1, 2)
    ]
    first, second = samples_of(archive, *rows)
    assert [(file.role, file.member) for file in first.files] == [
        (FileRole.BEADARRAY, "all.raw.txt"),
        (FileRole.PROCESSED, "array-1.txt"),
    ]
    assert first.files == second.files
    assert choose_pipeline(first).pipeline == Pipeline.ILLUMINA_SCAN


def test_a_sample_of_one_dye_has_no_raw_data_to_take(archive: SmallArchive) -> None:
    (sample,) = samples_of(archive, an_array(1, Label="Cy3", Array_Data_File="a.txt"))
    assert (sample.has_raw, sample.excluded) == (False, "")


def test_two_dyes_on_one_array_are_one_sample_that_is_not_processed(archive: SmallArchive) -> None:
    red = an_array(1, Label="Cy5", Array_Data_File="a.txt")
    green = red | {"Label": "Cy3", "Source Name": "reference", "Extract Name": ""}
    (sample,) = samples_of(archive, red, green)
    assert sample.excluded == ""
    assert "two-color array" in choose_pipeline(sample).reason
    assert sample.metadata == (*red.items(), ("Source Name", "reference"), ("Label", "Cy3"))


def test_two_dyes_of_one_file_are_not_processed_when_each_has_an_assay_of_its_own(
    archive: SmallArchive,
) -> None:
    red = an_array(1, Label="Cy5", Array_Data_File="a.txt")
    samples = samples_of(archive, red, red | {"Label": "Cy3", "Assay Name": "array-1:Cy3"})
    assert [[value for key, value in sample.metadata if key == "Label"] for sample in samples] == [
        ["Cy5", "Cy3"],
        ["Cy3", "Cy5"],
    ]
    for sample in samples:
        choice = choose_pipeline(sample)
        assert (choice.pipeline, "two-color array" in choice.reason) == (Pipeline.NONE, True)


def test_any_two_labels_on_one_array_are_two_colors(archive: SmallArchive) -> None:
    one = an_array(1, Label="Alexa 555", Array_Data_File="a.txt")
    (sample,) = samples_of(archive, one, one | {"Label": "Alexa 647"})
    assert "two-color array" in choose_pipeline(sample).reason


def test_labels_of_other_samples_in_one_matrix_are_not_its_own(archive: SmallArchive) -> None:
    row = an_array(1, Label="biotin") | {"Array Design REF": "A-MEXP-2072"}
    row = {"Array Data Matrix File" if key == "Array Data File" else key: cell for key, cell in row.items()}
    row |= {"Array Data Matrix File": "all.raw.txt"}
    first, _ = samples_of(archive, row, row | {"Assay Name": "a2", "Source Name": "s2", "Label": "Cy3"})
    assert [value for key, value in first.metadata if key == "Label"] == ["biotin"]
    assert choose_pipeline(first).pipeline == Pipeline.ILLUMINA_SCAN


def test_pooled_sources_on_one_array_are_one_sample(archive: SmallArchive) -> None:
    (sample,) = samples_of(archive, an_array(1), an_array(1) | {"Source Name": "liver 2"})
    assert sample.metadata[-1] == ("Source Name", "liver 2")
    assert choose_pipeline(sample).pipeline == Pipeline.AFFYMETRIX_SCAN


def test_two_arrays_of_one_assay_are_two_samples_named_by_their_files(archive: SmallArchive) -> None:
    row = an_array(1) | {"Assay Name": "hyb 1", "Source Name": "liver"}
    samples = samples_of(archive, row, row | {"Array Data File": "array-2.CEL"})
    assert [sample.accession for sample in samples] == [
        "E-MTAB-123-liver-array-1",
        "E-MTAB-123-liver-array-2",
    ]


def test_what_one_array_leaves_behind_is_one_sample(archive: SmallArchive) -> None:
    (sample,) = samples_of(archive, an_array(1) | {"Array Data File": "array-1.EXP"}, an_array(1))
    assert [file.name for file in sample.files] == ["array-1.CEL", "array-1.txt"]


def test_rows_without_an_assay_are_told_apart_by_their_files_and_sources(archive: SmallArchive) -> None:
    rows = [an_array(number) | {"Assay Name": ""} for number in (1, 1, 2)]
    assert len(samples_of(archive, *rows)) == 2


def test_each_sample_has_the_array_that_its_own_row_names(archive: SmallArchive) -> None:
    samples = samples_of(archive, an_array(1), an_array(2, Array_Design_REF="A-AFFY-2"))
    assert [sample.platform.accession for sample in samples] == ["mouse4302", "ath1121501"]


def test_a_sample_without_an_array_may_have_any_of_its_experiment(archive: SmallArchive) -> None:
    rows = an_array(1), an_array(2, Array_Design_REF="A-AFFY-2"), an_array(3, Array_Design_REF="")
    sample = samples_of(archive, *rows)[2]
    assert (sample.platform.accession, sample.platform.source_accession) == ("", "A-AFFY-45, A-AFFY-2")


def test_a_sample_whose_files_nothing_reads_says_so(archive: SmallArchive) -> None:
    row = an_array(1, Array_Data_File="a.gpr", Derived_Array_Data_File="a.chp", Array_Design_REF="A-MEXP-1")
    (sample,) = samples_of(archive, row)
    assert sample.files == ()
    assert choose_pipeline(sample).reason == (
        "The source offers no files for it that a pipeline reads; it names a.gpr, a.chp."
    )


def test_rows_without_organism_or_file_are_left_out_with_the_reason(archive: SmallArchive) -> None:
    nothing = {"Array Data File": "", FTP: "", "Derived Array Data File": "", DERIVED_FTP: ""}
    archive.tables(
        an_array(1),
        an_array(2) | {"Characteristics[organism]": " "},
        an_array(3) | nothing,
        an_array(4) | nothing | {"Array Data File": "array-4.CEL"},
    )
    experiment = survey_arrayexpress(archive.web(), EXPERIMENT)
    assert [sample.accession for sample in experiment.samples] == ["E-MTAB-123-array-1"]
    assert [(dropped.item, dropped.reason) for dropped in experiment.left_out] == [
        ("array-2", "its row names no organism (E-MTAB-123.sdrf.txt, line 3)"),
        ("array-3", "its row names no data file (E-MTAB-123.sdrf.txt, line 4)"),
        (
            "array-4",
            "ArrayExpress does not offer array-4.CEL, which its row names (E-MTAB-123.sdrf.txt, line 5)",
        ),
    ]


def test_a_row_with_another_number_of_cells_is_left_out_with_both_numbers(archive: SmallArchive) -> None:
    archive.file(f"{EXPERIMENT}.idf.txt", idf_text())
    archive.file(f"{EXPERIMENT}.sdrf.txt", sdrf_text(an_array(1)) + "liver 2\t" * 14 + "end\n")
    experiment = survey_arrayexpress(archive.web(), EXPERIMENT)
    assert len(experiment.samples) == 1
    (dropped,) = experiment.left_out
    assert dropped.item == "E-MTAB-123.sdrf.txt, line 3"
    assert dropped.reason.endswith("expected 12 cells, as in the header, found 15")


def test_reads_are_not_processed_here_and_their_study_is_named(archive: SmallArchive) -> None:
    second_mate = RUN | {"Scan Name": "1_R2.fastq.gz"}
    other = RUN | {"Source Name": "liver 2", "Assay Name": "library 2", "Comment[ENA_RUN]": "ERR100002"}
    archive.tables(RUN, second_mate, other, idf=idf_text(**{"Comment[SecondaryAccession]": ["ERP000123"]}))
    experiment = survey_arrayexpress(archive.web(), EXPERIMENT)
    assert experiment.alternates == ("ERP000123",)
    first, _ = experiment.samples
    assert (first.technology, first.platform.name) == (Technology.RNA_SEQ, "Illumina HiSeq 2000")
    assert first.metadata[-1] == ("Comment[SecondaryAccession]", "ERP000123")
    assert first.excluded == ""
    assert choose_pipeline(first).reason == (
        "Its reads are at SRA (ERR100001), not here: process ERP000123 instead."
    )


def test_the_study_with_the_reads_may_be_told_by_biostudies_alone(archive: SmallArchive) -> None:
    archive.json(addresses.study(EXPERIMENT), a_study())
    (sample,) = samples_of(archive, dict(RUN))
    assert sample.metadata[-1] == ("BioStudies link", "ERP000123")
    assert choose_pipeline(sample).reason.endswith("process ERP000123 instead.")


def test_without_a_study_the_run_itself_is_named(archive: SmallArchive) -> None:
    (sample,) = samples_of(archive, dict(RUN))
    assert choose_pipeline(sample).reason.endswith("process ERR100001 instead.")


def test_sequencing_of_something_else_than_rna_says_so(archive: SmallArchive) -> None:
    (sample,) = samples_of(archive, RUN | {"Comment[LIBRARY_STRATEGY]": "ChIP-Seq"})
    assert sample.technology == Technology.UNKNOWN
    choice = choose_pipeline(sample)
    assert (choice.pipeline, sample.excluded) == (Pipeline.NONE, "")
    assert choice.reason == "It was sequenced, but not its RNA: its library is ChIP-Seq."


def test_arrays_and_runs_of_one_experiment_are_told_apart(archive: SmallArchive) -> None:
    samples = samples_of(archive, an_array(1), RUN | {"Source Name": "liver 2"})
    assert [sample.technology for sample in samples] == [Technology.MICROARRAY, Technology.RNA_SEQ]


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


def test_files_that_biostudies_lists_are_taken_from_there(archive: SmallArchive) -> None:
    listed = {"path": "raw data/array-1.CEL", "size": 4321, "type": "file"}
    archive.json(
        addresses.study(EXPERIMENT), a_study(listed, {"path": "E-MTAB-123.processed.1.zip", "size": 99})
    )
    archive.tables(an_array(1), an_array(2))
    first, second = survey_arrayexpress(archive.web(), EXPERIMENT).samples
    here = f"https://www.ebi.ac.uk/biostudies/files/{EXPERIMENT}"
    assert [(file.location, file.member, file.size) for file in first.files] == [
        (f"{here}/raw%20data/array-1.CEL", "", 4321),
        (f"{here}/E-MTAB-123.processed.1.zip", "array-1.txt", 99),
    ]
    assert (second.files[0].location, second.files[0].member) == (RAW_ZIP, "array-2.CEL")


def test_files_that_biostudies_keeps_in_a_list_are_found(archive: SmallArchive) -> None:
    archive.json(addresses.study(EXPERIMENT), a_study(raw_list="raw.tsv"))
    archive.json(addresses.file(EXPERIMENT, "raw.json"), [{"path": "array-1.CEL", "size": 5, "type": "file"}])
    row = {
        header: cell
        for header, cell in an_array(1).items()
        if "FTP" not in header and "Derived" not in header
    }
    archive.tables(row)
    (sample,) = survey_arrayexpress(archive.web(), EXPERIMENT).samples
    assert [(file.name, file.size) for file in sample.files] == [("array-1.CEL", 5)]
    assert sample.has_raw


def reordered(document: Any) -> Any:
    """The same study, with everything listed in the opposite order."""
    if isinstance(document, dict):
        return {key: reordered(value) for key, value in reversed(document.items())}
    return [reordered(value) for value in reversed(document)] if isinstance(document, list) else document


def test_the_order_in_which_biostudies_lists_files_and_links_does_not_matter(tmp_path: Path) -> None:
    study = a_study(
        {"path": "raw/array-1.CEL", "size": 4321},
        {"path": "again/array-1.CEL", "size": 4321},
        {"path": "array-2.CEL", "size": 5},
    )
    study["section"]["links"][0].append({"url": "E-MTAB-9"})
    study["section"]["attributes"].append({"name": "Description", "value": "Another."})
    experiments = []
    for number, document in enumerate((study, reordered(study))):
        archive = SmallArchive(tmp_path / str(number))
        archive.json(addresses.study(EXPERIMENT), document)
        archive.tables(an_array(1), an_array(2), idf=idf_text(Experiment_Description=[]))
        experiments.append(survey_arrayexpress(archive.web(), EXPERIMENT))
    first, second = experiments
    assert first == second
    assert first.samples[0].files[0].location.endswith("/again/array-1.CEL")
    assert first.alternates == ("E-MTAB-9", "ERP000123")


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


def refuse_study(archive: SmallArchive) -> None:
    archive.json(addresses.study(EXPERIMENT), {"errorMessage": "Study not accessible"}, status=403)


def no_files(archive: SmallArchive) -> None:
    archive.json(addresses.study(EXPERIMENT), a_study())


def no_rows(archive: SmallArchive) -> None:
    archive.file(f"{EXPERIMENT}.sdrf.txt", sdrf_text(an_array(1)).splitlines()[0] + "\n")


def empty_sdrf(archive: SmallArchive) -> None:
    archive.file(f"{EXPERIMENT}.sdrf.txt", "")


def no_design(archive: SmallArchive) -> None:
    archive.tables(an_array(1, Array_Design_REF="  "))


def no_organism(archive: SmallArchive) -> None:
    archive.tables(*(an_array(number) | {"Characteristics[organism]": ""} for number in range(1, 7)))


@pytest.mark.parametrize(
    ("prepare", "message"),
    [
        (refuse_study, "does not give E-MTAB-123, which may be private: .*403.*Study not accessible"),
        (no_files, "has no SDRF at BioStudies"),
        (no_rows, "has no samples: its SDRF has no rows"),
        (empty_sdrf, "has no samples: its SDRF has no rows"),
        (no_design, "names no array design"),
        (no_organism, r"has no samples \(array-1: its row names no organism .*; and 3 more\)"),
    ],
)
def test_an_experiment_that_cannot_be_used_is_refused_for_good(
    archive: SmallArchive, prepare: Callable[[SmallArchive], None], message: str
) -> None:
    prepare(archive)
    with pytest.raises(PermanentError, match=message) as caught:
        survey_arrayexpress(archive.web(), EXPERIMENT)
    assert not isinstance(caught.value, NotFoundError)


def test_an_unknown_experiment_is_not_found(archive: SmallArchive) -> None:
    with pytest.raises(NotFoundError, match="ArrayExpress has no E-MTAB-123"):
        survey_arrayexpress(archive.web(), EXPERIMENT)


def test_pages_where_tables_should_be_mean_that_there_is_nothing(archive: SmallArchive) -> None:
    page = "<!DOCTYPE html><html><title>BioStudies</title></html>"
    for name in (f"{EXPERIMENT}.idf.txt", f"{EXPERIMENT}.sdrf.txt"):
        archive.answer(addresses.former_file(EXPERIMENT, name), page, kind="text/html")
    with pytest.raises(NotFoundError, match="a web page came instead of data"):
        survey_arrayexpress(archive.web(), EXPERIMENT)


def test_a_table_that_is_none_is_named(archive: SmallArchive) -> None:
    archive.file(f"{EXPERIMENT}.idf.txt", "nothing of the kind\n")
    with pytest.raises(FormatError, match=r"E-MTAB-123\.idf\.txt: expected an IDF"):
        survey_arrayexpress(archive.web(), EXPERIMENT)


def test_an_answer_that_is_no_study_is_named(archive: SmallArchive) -> None:
    archive.json(addresses.study(EXPERIMENT), ["surprise"])
    with pytest.raises(FormatError, match="expected a study with a section"):
        survey_arrayexpress(archive.web(), EXPERIMENT)


def test_a_busy_server_is_asked_again_another_time(archive: SmallArchive) -> None:
    archive.json(addresses.study(EXPERIMENT), {}, status=503)
    with pytest.raises(TransientError):
        survey_arrayexpress(archive.web(), EXPERIMENT)


@pytest.mark.parametrize("text", ["GSE123", "E-MTAB-", "e-mtab-1", "E-MTAB-1/..", ""])
def test_what_is_no_accession_of_arrayexpress_is_refused_unasked(archive: SmallArchive, text: str) -> None:
    with pytest.raises(PermanentError, match="is not the accession of an ArrayExpress experiment"):
        survey_arrayexpress(archive.web(), text)
