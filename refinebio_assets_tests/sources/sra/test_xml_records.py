"""ENA's XML records: what is read from them, and what is refused."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from refinebio_assets.errors import NotFoundError, PermanentError, TransientError
from refinebio_assets.sources.sra import browser
from refinebio_assets.sources.sra.survey import find_study, survey_sra
from refinebio_assets.sources.sra.xml_records import (
    linked_accessions,
    parse_record,
    sample_record,
    submission_record,
)
from refinebio_assets.sources.web.client import Web
from refinebio_assets_tests.sources.sra.small_archive import PORTAL, XML, SmallArchive

URL = "https://www.ebi.ac.uk/ena/browser/api/xml/SRS1"


def study_xml(runs: str) -> str:
    link = f"<STUDY_LINK><XREF_LINK><DB>ENA-RUN</DB><ID>{runs}</ID></XREF_LINK></STUDY_LINK>" if runs else ""
    return (
        '<STUDY_SET><STUDY accession="SRP000123" alias="GSE4567" center_name="GEO"><IDENTIFIERS>'
        "<SECONDARY_ID>PRJNA123</SECONDARY_ID><EXTERNAL_ID>GSE4567</EXTERNAL_ID></IDENTIFIERS><DESCRIPTOR>"
        "<STUDY_TITLE>Livers</STUDY_TITLE><STUDY_ABSTRACT>What they express.</STUDY_ABSTRACT></DESCRIPTOR>"
        f"<STUDY_LINKS>{link}</STUDY_LINKS></STUDY></STUDY_SET>"
    )


def run_xml(run: str, experiment: str = "SRX1") -> str:
    links = "".join(
        f"<RUN_LINK><XREF_LINK><DB>{database}</DB><ID>{accession}</ID></XREF_LINK></RUN_LINK>"
        for database, accession in (("ENA-STUDY", "SRP000123"), ("ENA-SAMPLE", "SRS1"))
    )
    reference = f'<EXPERIMENT_REF accession="{experiment}"/>'
    return f'<RUN_SET><RUN accession="{run}">{reference}<RUN_LINKS>{links}</RUN_LINKS></RUN></RUN_SET>'


EXPERIMENT = (
    '<EXPERIMENT_SET><EXPERIMENT accession="SRX1"><TITLE>Sequencing</TITLE><STUDY_REF accession="SRP000123"/>'
    "<DESIGN><DESIGN_DESCRIPTION>Three fish</DESIGN_DESCRIPTION><LIBRARY_DESCRIPTOR>"
    "<LIBRARY_STRATEGY>RNA-Seq</LIBRARY_STRATEGY><LIBRARY_SOURCE>TRANSCRIPTOMIC</LIBRARY_SOURCE>"
    "<LIBRARY_LAYOUT><SINGLE/></LIBRARY_LAYOUT></LIBRARY_DESCRIPTOR></DESIGN><PLATFORM><ILLUMINA>"
    "<INSTRUMENT_MODEL>Illumina HiSeq 2000</INSTRUMENT_MODEL></ILLUMINA></PLATFORM></EXPERIMENT>"
    "</EXPERIMENT_SET>"
)
SAMPLE = (
    '<SAMPLE_SET><SAMPLE accession="SRS1"><TITLE>liver</TITLE><SAMPLE_NAME><TAXON_ID>7955</TAXON_ID>'
    "<SCIENTIFIC_NAME>Danio rerio</SCIENTIFIC_NAME></SAMPLE_NAME><SAMPLE_ATTRIBUTES><SAMPLE_ATTRIBUTE>"
    "<TAG>cell-line name</TAG><VALUE>ZFL</VALUE></SAMPLE_ATTRIBUTE><SAMPLE_ATTRIBUTE><TAG>age</TAG>"
    "</SAMPLE_ATTRIBUTE></SAMPLE_ATTRIBUTES></SAMPLE></SAMPLE_SET>"
)


def fill(archive: SmallArchive, runs: str = "SRR1000001-SRR1000002") -> None:
    archive.xml("SRP000123", study_xml(runs))
    archive.xml("SRR1000001", run_xml("SRR1000001"))
    archive.xml("SRX1", EXPERIMENT)
    archive.xml("SRS1", SAMPLE)


def test_without_an_answer_of_the_search_the_xml_records_are_surveyed(archive: SmallArchive) -> None:
    fill(archive)
    report = (
        "run_accession\tfastq_ftp\tfastq_bytes\tfastq_md5\nSRR1000001\thost/a/SRR1000001.fastq.gz\t10\tAB\n"
    )
    archive.answer(f"{PORTAL}/filereport?accession=SRR1000001&result=read_run", report, kind="text/plain")
    experiment = survey_sra(archive.web(), "SRP000123")
    (sample,) = experiment.samples
    assert (experiment.title, experiment.alternates) == ("Livers", ("GSE4567", "PRJNA123"))
    assert experiment.institution == ""
    assert (sample.organism, sample.taxonomy_id, sample.title) == ("DANIO_RERIO", 7955, "liver")
    assert sample.platform.accession == "IlluminaHiSeq2000"
    assert sample.excluded == ""
    assert (sample.files[0].location, sample.files[0].size, sample.files[0].md5) == (
        "https://host/a/SRR1000001.fastq.gz",
        10,
        "ab",
    )
    assert dict(sample.metadata)["sample_cell_line_name"] == "ZFL"
    assert [protocol.text for protocol in sample.protocols] == ["Three fish"]


def test_a_run_that_the_study_names_and_ena_has_not_is_left_out(archive: SmallArchive) -> None:
    fill(archive)
    (dropped,) = survey_sra(archive.web(), "SRP000123").left_out
    assert dropped.item == "SRR1000002"
    assert "SRP000123 names it" in dropped.reason


@pytest.mark.parametrize("accession", ["SRR1000001", "SRX1"])
def test_the_study_is_found_from_the_xml_record_of_what_belongs_to_it(
    accession: str, archive: SmallArchive
) -> None:
    fill(archive)
    assert find_study(archive.web(), accession) == "SRP000123"


def test_a_project_names_its_study_as_a_second_accession(archive: SmallArchive) -> None:
    secondary = "<IDENTIFIERS><SECONDARY_ID>SRP000123</SECONDARY_ID></IDENTIFIERS>"
    archive.xml("PRJNA123", f'<PROJECT_SET><PROJECT accession="PRJNA123">{secondary}</PROJECT></PROJECT_SET>')
    assert find_study(archive.web(), "PRJNA123") == "SRP000123"


def test_a_sample_whose_record_names_no_study_is_not_found(archive: SmallArchive) -> None:
    archive.xml("SRS1", SAMPLE)
    with pytest.raises(NotFoundError, match="no study that SRS1 belongs to"):
        find_study(archive.web(), "SRS1")


@pytest.mark.parametrize("runs", ["", "SRR1000005-SRR1000006"])
def test_a_study_without_public_runs_is_refused(runs: str, archive: SmallArchive) -> None:
    fill(archive, runs)
    with pytest.raises(PermanentError, match="SRP000123 has no runs"):
        survey_sra(archive.web(), "SRP000123")


def test_a_document_type_declaration_is_refused() -> None:
    bomb = '<!DOCTYPE a [<!ENTITY x "boom">]><SAMPLE_SET><SAMPLE>&x;</SAMPLE></SAMPLE_SET>'
    for encoding in ("utf-8", "utf-16"):
        with pytest.raises(PermanentError, match="document type declaration"):
            parse_record(bomb.encode(encoding), "SAMPLE", URL)


def test_half_a_document_is_a_passing_failure() -> None:
    with pytest.raises(ValueError, match="the XML is damaged or cut short"):
        parse_record(SAMPLE[: len(SAMPLE) // 2].encode(), "SAMPLE", URL)


class Interrupted(httpx.BaseTransport):
    """Breaks off the first answers; later ones come whole."""

    def __init__(self, text: str, cut: int) -> None:
        self.text, self.cut, self.asked = text, cut, 0

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.asked += 1
        whole = f"{request.url}".startswith(XML) and self.asked > self.cut
        text = self.text if whole else self.text[: len(self.text) // 2]
        return httpx.Response(200, text=text, headers={"content-type": "application/xml"})


def test_half_a_document_is_asked_for_again() -> None:
    transport = Interrupted(run_xml("SRR1000001"), cut=3)
    with Web(transport, sleep=lambda seconds: None) as web:
        assert browser.find_study_of(web, "SRR1000001") == "SRP000123"
    assert transport.asked == 4


def test_half_a_document_each_time_is_a_passing_failure_that_names_the_address() -> None:
    transport = Interrupted(run_xml("SRR1000001"), cut=1000)
    with (
        Web(transport, sleep=lambda seconds: None) as web,
        pytest.raises(TransientError, match=r"browser/api/xml/SRR1000001.*damaged or cut short"),
    ):
        browser.find_study_of(web, "SRR1000001")
    assert transport.asked > 1


def test_a_document_of_another_kind_is_refused() -> None:
    with pytest.raises(PermanentError, match="without a RUN record"):
        parse_record(SAMPLE.encode(), "RUN", URL)


def test_a_submission_tells_of_its_center_and_not_of_persons() -> None:
    text = (
        '<SUBMISSION_SET><SUBMISSION accession="SRA1" lab_name="A lab" center_name="A university"'
        ' contact_email="jane@example.org"><TITLE>ours</TITLE><CONTACTS><CONTACT name="Jane Doe"'
        ' inform_on_error="jane@example.org"/></CONTACTS><SUBMISSION_ATTRIBUTES><SUBMISSION_ATTRIBUTE>'
        "<TAG>Contact name</TAG><VALUE>Jane</VALUE></SUBMISSION_ATTRIBUTE></SUBMISSION_ATTRIBUTES>"
        "</SUBMISSION></SUBMISSION_SET>"
    )
    assert submission_record(parse_record(text.encode(), "SUBMISSION", URL)) == {
        "lab_name": "A lab",
        "center_name": "A university",
        "submission_title": "ours",
    }


def test_the_order_in_which_a_study_names_its_runs_does_not_matter(tmp_path: Path) -> None:
    experiments = []
    for runs in ("SRR1000001,SRR1000002,SRR1000003", "SRR1000003,SRR1000002,SRR1000001"):
        folder = tmp_path / str(len(experiments))
        folder.mkdir()
        archive = SmallArchive(folder)
        fill(archive, runs)
        archive.xml("SRR1000002", run_xml("SRR1000002"))
        experiments.append(survey_sra(archive.web(), "SRP000123"))
    first, second = experiments
    assert first == second
    assert [sample.accession for sample in first.samples] == ["SRR1000001", "SRR1000002"]
    keys = [key for key, _ in first.samples[0].metadata]
    assert keys == sorted(keys)


def test_an_attribute_without_value_is_empty() -> None:
    assert sample_record(parse_record(SAMPLE.encode(), "SAMPLE", URL))["sample_age"] == ""


@pytest.mark.parametrize(
    ("text", "accessions"),
    [
        ("SRR9-SRR11,SRR20", ["SRR9", "SRR10", "SRR11", "SRR20"]),
        ("SRR000998-SRR001001", ["SRR000998", "SRR000999", "SRR001000", "SRR001001"]),
        ("SRR1", ["SRR1"]),
        ("", []),
    ],
)
def test_ranges_of_accessions_are_written_out(text: str, accessions: list[str]) -> None:
    record = parse_record(study_xml(text).encode(), "STUDY", URL)
    assert linked_accessions(record, "ENA-RUN") == accessions


@pytest.mark.parametrize("text", ["SRR5-SRR1", "SRR1-SRR99999999"])
def test_a_range_backwards_or_without_end_is_refused(text: str) -> None:
    with pytest.raises(PermanentError, match=text):
        linked_accessions(parse_record(study_xml(text).encode(), "STUDY", URL), "ENA-RUN")


@given(st.integers(1, 999_999), st.integers(0, 300))
def test_a_range_names_as_many_accessions_as_it_spans(first: int, more: int) -> None:
    text = f"SRR{first:07}-SRR{first + more:07}"
    named = linked_accessions(parse_record(study_xml(text).encode(), "STUDY", URL), "ENA-RUN")
    assert len(named) == more + 1
    assert (named[0], named[-1]) == (f"SRR{first:07}", f"SRR{first + more:07}")


@given(st.binary(max_size=200))
def test_no_bytes_do_more_than_be_refused(content: bytes) -> None:
    with pytest.raises((PermanentError, ValueError)):
        parse_record(content, "SAMPLE", URL)
