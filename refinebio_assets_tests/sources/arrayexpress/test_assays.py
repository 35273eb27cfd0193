"""What of an SDRF is one sample, and which pipeline serves it or why none does."""

from __future__ import annotations

from refinebio_assets.domain import Pipeline, Technology
from refinebio_assets.platforms.pipeline_choice import choose_pipeline
from refinebio_assets.sources.arrayexpress import addresses
from refinebio_assets.sources.arrayexpress.survey import survey_arrayexpress
from refinebio_assets_tests.sources.arrayexpress.small_archive import (
    DERIVED_FTP,
    EXPERIMENT,
    FTP,
    RUN,
    SmallArchive,
    a_study,
    an_array,
    idf_text,
    samples_of,
    sdrf_text,
)


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
