"""A series as an experiment: its samples, platforms, protocols, and what no pipeline serves."""

from __future__ import annotations

import pytest

from refinebio_assets.domain import Pipeline, Protocol, Technology
from refinebio_assets.errors import PermanentError
from refinebio_assets.platforms.pipeline_choice import choose_pipeline
from refinebio_assets.sources.geo import addresses
from refinebio_assets.sources.geo.survey import survey_geo
from refinebio_assets_tests.sources.geo.replay import family_text, soft_record
from refinebio_assets_tests.sources.geo.small_series import GSE, SUPPL, TITLES, sample, series


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


def test_an_empty_series_is_refused(survey):
    with pytest.raises(PermanentError, match="GSE900001 has no samples at GEO"):
        survey()


def test_a_series_whose_samples_name_no_organism_is_refused(survey):
    with pytest.raises(PermanentError, match="none of its samples names an organism"):
        survey(sample(organism_ch1=[]))
