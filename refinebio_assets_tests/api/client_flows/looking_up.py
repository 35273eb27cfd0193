"""Organisms, platforms, processors, indices, targets, results, files, jobs and compendia."""

from __future__ import annotations

import pyrefinebio as rb
import requests
from pyrefinebio.config import Config
from pyrefinebio.exceptions import InvalidFilters, InvalidFilterType, MultipleErrors, NotFound, ServerError

from refinebio_assets_tests.api.client_flows.flow import flow, refused


@flow
def an_organism_by_its_name() -> None:
    found = rb.Organism.get("HOMO_SAPIENS")
    assert (found.has_compendia, found.has_quantfile_compendia) == (True, True)


@flow
def organisms() -> None:
    assert [found.name for found in rb.Organism.search()] == ["HOMO_SAPIENS", "MUS_MUSCULUS"]


@flow
def organisms_with_compendia() -> None:
    assert [found.name for found in rb.Organism.search(has_compendia=True)] == ["HOMO_SAPIENS"]


@flow
def an_unknown_organism() -> None:
    refused(NotFound, rb.Organism.get, "NOPE")


@flow
def platforms() -> None:
    assert {found.platform_accession_code for found in rb.Platform.search()} == {
        "hgu133a",
        "IlluminaHiSeq2000",
    }


@flow
def institutions() -> None:
    assert rb.Institution.search() == []


@flow
def processors() -> None:
    found = rb.Processor.search()
    assert {row.name for row in found} >= {"Salmon Quant", "Affymetrix SCAN", "Tximport"}
    assert rb.Processor.get(found[0].id).name == found[0].name


@flow
def organisms_with_a_target() -> None:
    assert [found.name for found in rb.QNTarget.search()] == ["HOMO_SAPIENS"]


@flow
def a_target() -> None:
    found = rb.QNTarget.get("HOMO_SAPIENS")
    assert found.is_qn_target
    assert requests.get(found.s3_url, timeout=30).text.splitlines()[0]
    assert found.sha1 is not None


@flow
def an_organism_without_target() -> None:
    refused(NotFound, rb.QNTarget.get, "MUS_MUSCULUS")


@flow
def transcriptome_indices() -> None:
    found = rb.TranscriptomeIndex.search(organism__name="homo_sapiens", length="long")
    assert [row.index_type for row in found] == ["TRANSCRIPTOME_LONG"]
    assert rb.TranscriptomeIndex.get(found[0].id).release_version == "100"
    index = requests.get(found[0].download_url, timeout=30)
    assert index.headers["content-type"] == "application/x-tar" and index.content


@flow
def the_result_of_a_transcriptome_index() -> None:
    index = rb.TranscriptomeIndex.search()[0]
    assert index.result.processor.name == "Transcriptome Index"


@flow
def transcriptome_indices_by_an_unknown_filter() -> None:
    refused(InvalidFilters, rb.TranscriptomeIndex.search, organism="x")


@flow
def computational_results() -> None:
    found = rb.ComputationalResult.search()
    assert len(found) > 3
    assert rb.ComputationalResult.get(found[0].id).id == found[0].id


@flow
def computational_results_of_a_processor() -> None:
    (scan,) = [row for row in rb.Processor.search() if row.name == "Affymetrix SCAN"]
    assert len(rb.ComputationalResult.search(processor__id=scan.id)) == 2


@flow
def computational_results_of_a_processor_that_is_no_number() -> None:
    refused(InvalidFilterType, rb.ComputationalResult.search, processor__id="x")


@flow
def computed_files() -> None:
    sample = rb.Sample.get("R1")
    (file,) = rb.ComputedFile.search(samples=sample.id)
    assert rb.ComputedFile.get(file.id).samples[0].accession_code == "R1"


@flow
def computed_files_by_two_bad_filters() -> None:
    refused(MultipleErrors, rb.ComputedFile.search, id="x", result__id="y")


@flow
def an_unknown_computed_file() -> None:
    refused(NotFound, rb.ComputedFile.get, 1)


@flow
def original_files() -> None:
    assert len(rb.OriginalFile.search(samples=rb.Sample.get("R1").id)) == 0


@flow
def jobs() -> None:
    for kind in (rb.SurveyJob, rb.DownloaderJob, rb.ProcessorJob):
        for job in kind.search():
            assert kind.get(job.id).id == job.id
        refused(NotFound, kind.get, 1)
        refused(InvalidFilters, kind.search, nonsense=1)


@flow
def jobs_of_a_sample() -> None:
    assert len(rb.DownloaderJob.search(sample_accession_code="R1")) == 0
    refused(NotFound, rb.ProcessorJob.search, sample_accession_code="NOPE")


@flow
def compendia() -> None:
    found = rb.Compendium.search(primary_organism__name="HOMO_SAPIENS", quant_sf_only=False)
    assert [row.compendium_version for row in found] == [2, 1]
    assert rb.Compendium.get(found[0].id).organism_names == ["HOMO_SAPIENS"]


@flow
def a_server_that_is_away() -> None:
    before = Config().base_url
    try:
        Config().base_url = "http://127.0.0.1:9/v1/"
        refused(ServerError, rb.Organism.search)
    finally:
        Config().base_url = before
