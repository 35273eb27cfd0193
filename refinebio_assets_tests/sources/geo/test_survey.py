from __future__ import annotations

import gzip

import pytest

from refinebio_assets.domain import FileRole, Manufacturer, Pipeline, Protocol, SourceFile, Technology
from refinebio_assets.errors import FormatError, NotFoundError, PermanentError, StorageError, TransientError
from refinebio_assets.platforms.pipeline_choice import choose_pipeline
from refinebio_assets.sources.geo import addresses
from refinebio_assets.sources.geo.survey import find_series_of_sample, survey_geo
from refinebio_assets.sources.web.client import Web
from refinebio_assets.sources.web.mirror import MirrorTransport, NotMirroredError
from refinebio_assets.sources.web.settings import open_mirror, open_web
from refinebio_assets_tests.sources.geo.replay import family_text, page, soft_record

GSE = "GSE900001"
SUPPL = "ftp://ftp.ncbi.nlm.nih.gov/geo/samples/GSM9000nnn/GSM9000001/suppl/"
HTTPS = "https://ftp.ncbi.nlm.nih.gov/geo/samples/GSM9000nnn/GSM9000001/suppl/"
TITLES = {
    "GPL96": "[HG-U133A] Affymetrix Human Genome U133A Array",
    "GPL97": "[HG-U133B] Affymetrix Human Genome U133B Array",
    "GPL10558": "Illumina HumanHT-12 V4.0 expression beadchip",
    "GPL9115": "Illumina Genome Analyzer II (Homo sapiens)",
    "GPL99999": "Some custom array",
}


def series(**more):
    facts = {
        "title": ["Kidneys"],
        "summary": ["First paragraph.", "", "Second one."],
        "submission_date": ["Jan 02 2010"],
        "last_update_date": ["Feb 13 2011"],
        "contact_name": ["Jane,,Doe"],
        "contact_email": ["jane@example.org"],
        "contact_phone": ["555"],
        "contact_institute": ["Inst B", "Inst A", "Inst B"],
        "contact_country": ["USA"],
    }
    return facts | more


def sample(gpl="GPL96", files=("NONE",), **more):
    facts = {
        "title": ["kidney 1"],
        "type": ["RNA"],
        "channel_count": ["1"],
        "organism_ch1": ["Homo sapiens"],
        "taxid_ch1": ["9606"],
        "characteristics_ch1": ["age: 5", "tissue: kidney", "no colon here"],
        "data_processing": ["RMA"],
        "platform_id": [gpl],
        "contact_email": ["jane@example.org"],
        "contact_institute": ["Inst B"],
        "supplementary_file": files,
        "series_id": [GSE],
        "data_row_count": ["22283"],
    }
    return facts | more


@pytest.fixture
def survey(replay, connect):
    """Survey a series of the given samples (``GSM9000001`` and on) and facts."""

    def run(*samples, facts=None, titles=TITLES):
        named = {f"GSM900000{number}": one for number, one in enumerate(samples, start=1)}
        replay.add_family(GSE, family_text(GSE, facts or series(), named, titles))
        with connect() as web:
            return survey_geo(web, GSE)

    return run


def test_a_series_becomes_an_experiment(survey):
    found = survey(sample())
    assert (found.accession, found.source, found.title) == (GSE, "GEO", "Kidneys")
    assert found.description == "First paragraph.\n\nSecond one."
    assert found.url == "https://www.ncbi.nlm.nih.gov/geo/query/acc.cgi?acc=GSE900001"
    assert (found.published, found.updated) == ("2010-01-02", "2011-02-13")
    assert found.institution == "Inst B, Inst A"
    assert found.alternates == ("E-GEOD-900001",)
    assert not found.publication
    assert found.left_out == ()


def test_submitters_names_and_addresses_are_not_kept(survey):
    found = survey(sample())
    assert [key for key, _ in found.metadata if key.startswith("contact_")] == [
        *["contact_institute"] * 3,
        "contact_country",
    ]
    assert "jane" not in repr(found).lower()


def test_a_sample_keeps_what_its_submitter_said_in_order(survey):
    (found,) = survey(sample()).samples
    assert (found.accession, found.title, found.organism) == ("GSM9000001", "kidney 1", "HOMO_SAPIENS")
    assert found.taxonomy_id == 9606
    assert found.metadata[5:9] == (
        ("characteristics_ch1", "age: 5"),
        ("characteristics_ch1", "tissue: kidney"),
        ("characteristics_ch1", "no colon here"),
        ("data_processing", "RMA"),
    )
    assert "1007_s_at" not in repr(found)


def test_each_sample_has_the_platform_of_its_own(survey):
    found = survey(sample("GPL96"), sample("GPL97"), sample("GPL10558"), facts=series(platform_id=["GPL97"]))
    assert [one.platform.accession for one in found.samples] == [
        "hgu133a",
        "hgu133b",
        "Illumina_HumanHT-12_V4.0",
    ]
    assert [one.platform.source_accession for one in found.samples] == ["GPL96", "GPL97", "GPL10558"]


def test_a_platform_that_the_family_lacks_is_asked_for(survey, replay):
    replay.add(
        addresses.record("GPL9999998"), soft_record("PLATFORM", "GPL9999998", {"title": ["Rare"]}).encode()
    )
    found = survey(sample("GPL9999998"), sample("GPL9999999"), sample(platform_id=[]))
    assert [one.platform.name for one in found.samples] == ["Rare", "", ""]
    assert [one.technology for one in found.samples] == [
        Technology.UNKNOWN,
        Technology.UNKNOWN,
        Technology.MICROARRAY,
    ]


def test_a_cel_file_is_raw_and_comes_first_whatever_else_there_is(survey):
    (found,) = survey(
        sample(
            files=("NONE", SUPPL + "a.txt.gz"),
            supplementary_file_1=[SUPPL + "a.CEL.gz"],
            supplementary_file_2=[SUPPL + "a.CHP.gz", SUPPL + "a.EXP.gz"],
        )
    ).samples
    assert found.has_raw
    assert found.files == (
        SourceFile(FileRole.CEL, HTTPS + "a.CEL.gz"),
        SourceFile(FileRole.PROCESSED, HTTPS + "a.txt.gz"),
    )


def test_a_cel_file_makes_an_unknown_platform_a_microarray_of_affymetrix(survey):
    (found,) = survey(sample("GPL99999", [SUPPL + "a.cel.gz"])).samples
    assert found.technology == Technology.MICROARRAY
    assert (found.platform.accession, found.platform.manufacturer) == ("GPL99999", Manufacturer.AFFYMETRIX)


def test_a_sample_without_raw_data_has_its_values_in_the_miniml_archive(survey):
    (found,) = survey(sample(files=[SUPPL + "a.csv.gz"])).samples
    assert not found.has_raw
    assert found.files == (
        SourceFile(FileRole.PROCESSED, HTTPS + "a.csv.gz"),
        SourceFile(
            FileRole.PROCESSED,
            "https://ftp.ncbi.nlm.nih.gov/geo/series/GSE900nnn/GSE900001/miniml/GSE900001_family.xml.tgz",
            member="GSM9000001-tbl-1.txt",
            columns=("ID_REF",),
        ),
    )


def test_a_sample_whose_record_has_no_rows_is_not_sent_to_the_miniml_archive(survey):
    assert survey(sample(data_row_count=["0"])).samples[0].files == ()


def test_a_sample_whose_processing_is_not_described_counts_as_raw(survey):
    (found,) = survey(sample(data_processing=[])).samples
    assert (found.has_raw, found.files) == (True, ())


@pytest.mark.parametrize("spelling", ["_non_norm", "_non-norm", "-non-norm", "-non_norm"])
def test_a_table_of_the_series_that_is_not_normalized_belongs_to_each_sample(survey, spelling):
    folder = "ftp://ftp.ncbi.nlm.nih.gov/geo/series/GSE900nnn/GSE900001/suppl/"
    table = f"GSE900001{spelling}alized.txt.gz"
    facts = series(supplementary_file=[folder + "GSE900001_RAW.tar", folder + table])
    found = survey(sample("GPL10558"), sample("GPL10558"), sample("GPL9115"), facts=facts)
    shared = SourceFile(FileRole.BEADARRAY, folder.replace("ftp:", "https:") + table)
    assert [one.files for one in found.samples] == [(shared,), (shared,), ()]
    assert [one.has_raw for one in found.samples] == [True, True, False]


def test_csv_files_of_illumina_and_what_scanners_leave_behind_are_ignored(survey):
    names = ("a_Grn.idat.gz", "a_Grn.xml.gz", "b.locs.gz", "d.csv.gz", "e.txt.gz", "f.bgx.gz")
    (found,) = survey(sample("GPL10558", [SUPPL + name for name in names])).samples
    assert [file.name for file in found.files] == ["e.txt.gz", "GSM9000001-tbl-1.txt"]


def test_what_is_no_address_is_no_file_and_other_servers_keep_theirs(survey):
    urls = ("file3.gpr", "https://example.org/a.CEL.gz", "ftp://lab.example.org/b.CEL.gz")
    (found,) = survey(sample(files=urls)).samples
    assert [file.location for file in found.files] == list(urls[1:])


def test_protocols_are_told_in_the_order_of_the_work(survey):
    protocols = {
        "data_processing": ["RMA", "", "log2"],
        "growth_protocol_ch1": ["37 C"],
        "hyb_protocol": ["standard"],
        "scan_protocol": [""],
    }
    (found,) = survey(sample(**protocols)).samples
    at = "https://www.ncbi.nlm.nih.gov/geo/query/acc.cgi?acc=GSM9000001"
    assert found.protocols == (
        Protocol(kind="Growth protocol", text="37 C", reference=at),
        Protocol(kind="Hybridization protocol", text="standard", reference=at),
        Protocol(kind="Data processing", text="RMA\n\nlog2", reference=at),
    )


def test_reads_are_looked_for_at_sra_and_not_at_geo(survey):
    relations = [
        "BioProject: https://www.ncbi.nlm.nih.gov/bioproject/PRJNA271109",
        "SRA: https://www.ncbi.nlm.nih.gov/sra?term=SRP051521",
        "SuperSeries of: GSE900000",
    ]
    sequenced = sample(
        "GPL9115",
        [SUPPL + "counts.txt.gz"],
        type=["SRA"],
        relation=["SRA: https://www.ncbi.nlm.nih.gov/sra?term=SRX823723"],
    )
    found = survey(sequenced, facts=series(relation=relations))
    (one,) = found.samples
    assert (one.technology, one.files) == (Technology.RNA_SEQ, ())
    assert choose_pipeline(one).reason == (
        "Its reads are at SRA (SRX823723), not here: process SRP051521 instead."
    )
    assert one.metadata[-2:] == tuple(("series_relation", text) for text in relations[:2])
    assert found.alternates == ("E-GEOD-900001", "SRP051521", "PRJNA271109")
    assert ("relation", "SuperSeries of: GSE900000") in found.metadata


@pytest.mark.parametrize(
    ("facts", "of_series", "words"),
    [
        (
            {"relation": ["SRA: x?term=SRX8237230"]},
            ["BioProject: x/PRJNA271109"],
            "process PRJNA271109 instead",
        ),
        ({"relation": ["SRA: x?term=SRX8237230"]}, [], "process SRX8237230 instead"),
        ({"relation": ["BioSample: x/SAMN03272911"]}, [], "nor says where at SRA they are"),
        (
            {"relation": ["BioSample: x/SAMN03272911"]},
            ["SRA: x?term=SRP051521"],
            "Its reads are at SRA, not here: process SRP051521 instead.",
        ),
        ({"library_strategy": ["ChIP-Seq"]}, [], "not its RNA: its library is ChIP-Seq"),
    ],
)
def test_a_sequenced_sample_says_where_to_go_or_why_not(survey, facts, of_series, words):
    (found,) = survey(sample("GPL9115", type=["SRA"], **facts), facts=series(relation=of_series)).samples
    choice = choose_pipeline(found)
    assert (choice.pipeline, found.excluded) == (Pipeline.NONE, "")
    assert words in choice.reason


def test_a_sample_of_a_sequencer_that_is_not_listed_has_its_reads_at_sra_too(survey):
    (found,) = survey(sample("GPL99999", type=["SRA"])).samples
    assert found.files == ()
    assert "neither offers reads (no files) nor says where" in choose_pipeline(found).reason


def test_a_sequenced_sample_of_a_listed_array_has_its_reads_at_sra_too(survey):
    facts = series(relation=["SRA: x?term=SRP051521"])
    sequenced, measured = survey(sample("GPL96", type=["SRA"]), sample("GPL96"), facts=facts).samples
    assert "process SRP051521 instead" in choose_pipeline(sequenced).reason
    assert choose_pipeline(measured).pipeline == Pipeline.SUBMITTER_PROCESSED
    assert "series_relation" not in dict(measured.metadata)


def test_two_colors_are_not_processed_and_the_first_names_the_organism(survey):
    two = sample(
        "GPL99999",
        channel_count=["2"],
        organism_ch1=["Mus musculus", "Homo sapiens"],
        organism_ch2=["Rattus norvegicus"],
        taxid_ch1=["10090", "9606"],
    )
    (found,) = survey(two).samples
    assert (found.organism, found.taxonomy_id) == ("MUS_MUSCULUS", 10090)
    assert found.excluded == ""
    choice = choose_pipeline(found)
    assert (choice.pipeline, choice.files) == (Pipeline.NONE, ())
    assert "two-color array (Some custom array (GPL99999))" in choice.reason


def test_a_cel_file_has_one_color_whatever_the_record_says(survey):
    (found,) = survey(sample(files=[SUPPL + "a.CEL.gz"], channel_count=["2"])).samples
    assert choose_pipeline(found).pipeline == Pipeline.AFFYMETRIX_SCAN


def test_what_is_listed_without_a_record_or_lacks_an_organism_is_left_out_with_a_reason(survey):
    found = survey(sample(), sample(organism_ch1=[]), facts=series(sample_id=["GSM9000001 GSM9000002 GSM7"]))
    assert [one.accession for one in found.samples] == ["GSM9000001"]
    assert [(lost.item, lost.step) for lost in found.left_out] == [
        ("GSM7", "survey"),
        ("GSM9000002", "survey"),
    ]
    assert "private or withdrawn" in found.left_out[0].reason
    assert "no organism" in found.left_out[1].reason


def test_the_same_answers_give_the_same_record(replay, connect):
    replay.add_family(GSE, family_text(GSE, series(), {"GSM1": sample(), "GSM2": sample()}, TITLES))
    with connect() as web:
        assert survey_geo(web, GSE) == survey_geo(web, GSE)


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


def test_an_empty_series_is_refused(survey):
    with pytest.raises(PermanentError, match="GSE900001 has no samples at GEO"):
        survey()


def test_a_series_whose_samples_name_no_organism_is_refused(survey):
    with pytest.raises(PermanentError, match="none of its samples names an organism"):
        survey(sample(organism_ch1=[]))


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
