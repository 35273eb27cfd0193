"""What is made of the answers of GEO: whole, damaged, private, missing, or of another series."""

from __future__ import annotations

import gzip

import pytest

from refinebio_assets.errors import FormatError, NotFoundError, PermanentError, StorageError, TransientError
from refinebio_assets.sources.geo import addresses
from refinebio_assets.sources.geo.survey import find_series_of_sample, survey_geo
from refinebio_assets.sources.web.client import Web
from refinebio_assets.sources.web.mirror import MirrorTransport, NotMirroredError
from refinebio_assets.sources.web.settings import open_mirror, open_web
from refinebio_assets_tests.sources.geo.replay import family_text, page, soft_record
from refinebio_assets_tests.sources.geo.small_series import GSE, TITLES, sample, series


def test_a_series_without_a_family_file_is_read_record_by_record(replay, connect):
    text = family_text(GSE, series(), {"GSM1": sample()}, TITLES)
    replay.add(addresses.family_records(GSE), text.encode())
    with connect() as web:
        assert [one.accession for one in survey_geo(web, GSE).samples] == ["GSM1"]


@pytest.mark.parametrize(
    "sentence",
    [
        'Accession "GSE900001" is currently private and is scheduled to be released on Dec 31, 2030.',
        'Accession "GSE900001" was deleted by the GEO staff on Jun 18, 2007.',
        'Could not find a public or private accession "GSE900001"',
    ],
)
@pytest.mark.parametrize("form", ["page", "text"])
def test_geos_own_words_tell_why_there_is_no_record(replay, connect, sentence, form):
    body = page(sentence) if form == "page" else sentence.encode()
    kind = "text/html" if form == "page" else "geo/text"
    replay.add(addresses.family_records(GSE), body, content_type=kind)
    with connect() as web, pytest.raises(NotFoundError) as caught:
        survey_geo(web, GSE)
    assert sentence.rstrip(".") in str(caught.value)


def test_a_series_that_geo_does_not_answer_for_is_not_found(replay, connect):
    replay.add(addresses.family_soft(GSE), b"", status=404)
    replay.add(addresses.family_records(GSE), b"", status=404)
    with connect() as web, pytest.raises(NotFoundError, match="GEO has no record of GSE900001"):
        survey_geo(web, GSE)


def test_what_only_the_mirror_lacks_is_not_said_of_geo(connect):
    with connect() as web, pytest.raises(NotMirroredError) as caught:
        survey_geo(web, GSE)
    said = str(caught.value)
    assert said.startswith("whether GEO has GSE900001 is not known: the mirror ")
    assert addresses.family_soft(GSE) in said
    assert addresses.family_records(GSE) in said
    assert web.missing_from_mirror == (addresses.family_soft(GSE), addresses.family_records(GSE))
    with connect() as web, pytest.raises(NotMirroredError, match="whether GEO has GSM7 is not known"):
        find_series_of_sample(web, "GSM7")


def test_the_family_file_goes_through_the_scratch_folder(replay, tmp_path):
    replay.add_family(GSE, family_text(GSE, series(), {"GSM1": sample()}, TITLES))
    blocked = tmp_path / "no-folder"
    blocked.touch()
    settings = {"REFINEBIO_MIRROR": str(replay.folder)}
    with open_web(settings | {"REFINEBIO_SCRATCH": str(tmp_path / "big")}) as web:
        assert survey_geo(web, GSE).accession == GSE
    assert list((tmp_path / "big").iterdir()) == []
    with open_web(settings | {"REFINEBIO_SCRATCH": str(blocked)}) as web, pytest.raises(StorageError):
        survey_geo(web, GSE)


def test_any_other_page_is_no_record_and_no_proof_that_there_is_none(replay, connect):
    replay.add(addresses.record("GSM1"), page("Error 17"), content_type="text/html")
    with connect() as web, pytest.raises(PermanentError, match="a web page came instead") as caught:
        find_series_of_sample(web, "GSM1")
    assert not isinstance(caught.value, NotFoundError)


def test_a_page_of_maintenance_may_pass(replay):
    replay.add(addresses.record("GSM1"), page("Temporarily down for maintenance"), content_type="text/html")
    web = Web(MirrorTransport([open_mirror(replay.folder)]), sleep=lambda _: None)
    with web, pytest.raises(TransientError):
        find_series_of_sample(web, "GSM1")


@pytest.mark.parametrize("accession", ["", "GSM1", "GSE", "GSE1/..", "gse1", "E-GEOD-1", "GSE１"])
def test_only_a_series_is_surveyed(connect, accession):
    with connect() as web, pytest.raises(PermanentError, match="not the accession of a GEO series"):
        survey_geo(web, accession)


def test_a_family_file_of_another_series_is_refused(replay, connect):
    replay.add_family(GSE, family_text("GSE7", series(), {"GSM1": sample()}, TITLES))
    with connect() as web, pytest.raises(FormatError, match="expected the record '\\^SERIES = GSE900001'"):
        survey_geo(web, GSE)


def test_a_damaged_family_file_is_refused_by_its_address_and_line(replay, connect):
    replay.add_family(GSE, "^SERIES = GSE900001\n!Series_title Kidneys\n")
    with connect() as web, pytest.raises(FormatError) as caught:
        survey_geo(web, GSE)
    assert str(caught.value).startswith(addresses.family_soft(GSE) + ", line 2")


def test_a_cut_family_file_is_refused(replay, connect):
    text = family_text(GSE, series(), {"GSM1": sample()}, TITLES)
    replay.add(addresses.family_soft(GSE), gzip.compress(text.encode())[:-300])
    with connect() as web, pytest.raises(FormatError, match="it is cut"):
        survey_geo(web, GSE)


def test_a_family_in_latin_1_is_read(replay, connect):
    text = family_text(GSE, series(title=["Génomique"]), {"GSM1": sample()}, TITLES)
    replay.add_family(GSE, text.encode("latin-1"))
    with connect() as web:
        assert survey_geo(web, GSE).title == "Génomique"


def test_a_sample_tells_its_series(replay, connect):
    record = soft_record("SAMPLE", "GSM1", sample(series_id=["GSE7", "GSE8", "GSE7"]))
    replay.add(addresses.record("GSM1"), record.encode())
    replay.add(addresses.record("GSM2"), soft_record("SAMPLE", "GSM2", sample(series_id=[])).encode())
    with connect() as web:
        assert find_series_of_sample(web, "GSM1") == ["GSE7", "GSE8"]
        with pytest.raises(NotFoundError, match="GSM2 is in no series"):
            find_series_of_sample(web, "GSM2")
        with pytest.raises(PermanentError, match="not the accession of a GEO sample"):
            find_series_of_sample(web, "GSE1")


@pytest.mark.parametrize(
    ("series", "folder"), [("GSE1", "GSEnnn"), ("GSE781", "GSEnnn"), ("GSE1234", "GSE1nnn")]
)
def test_geo_sorts_its_series_by_thousands(series, folder):
    at = f"https://ftp.ncbi.nlm.nih.gov/geo/series/{folder}/{series}/soft/{series}_family.soft.gz"
    assert addresses.family_soft(series) == at


def test_the_old_name_of_geos_server_is_known():
    path = "/pub/geo/DATA/supplementary/samples/GSM11nnn/GSM11805/GSM11805.CEL.gz"
    assert (
        addresses.secure(f"ftp://ftp.ncbi.nih.gov{path}")
        == addresses.secure(f"ftp://ftp.ncbi.nlm.nih.gov{path}")
        == f"https://ftp.ncbi.nlm.nih.gov{path}"
    )
