"""What cannot be surveyed is refused with the reason, for good or for now."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from refinebio_assets.errors import FormatError, NotFoundError, PermanentError, TransientError
from refinebio_assets.sources.arrayexpress import addresses
from refinebio_assets.sources.arrayexpress.survey import survey_arrayexpress
from refinebio_assets_tests.sources.arrayexpress.small_archive import (
    EXPERIMENT,
    SmallArchive,
    a_study,
    an_array,
    sdrf_text,
)


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
