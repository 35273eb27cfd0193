"""Which files each sample has, and where: as the SDRF says, or as BioStudies lists them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from refinebio_assets.domain import FileRole, Pipeline
from refinebio_assets.platforms.pipeline_choice import choose_pipeline
from refinebio_assets.sources.arrayexpress import addresses
from refinebio_assets.sources.arrayexpress.survey import survey_arrayexpress
from refinebio_assets_tests.sources.arrayexpress.small_archive import (
    EXPERIMENT,
    FTP,
    RAW_ZIP,
    SmallArchive,
    a_study,
    an_array,
    idf_text,
    samples_of,
)


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


def test_a_sample_whose_files_nothing_reads_says_so(archive: SmallArchive) -> None:
    row = an_array(1, Array_Data_File="a.gpr", Derived_Array_Data_File="a.chp", Array_Design_REF="A-MEXP-1")
    (sample,) = samples_of(archive, row)
    assert sample.files == ()
    assert choose_pipeline(sample).reason == (
        "The source offers no files for it that a pipeline reads; it names a.gpr, a.chp."
    )


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
