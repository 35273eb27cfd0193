"""What users of pyrefinebio do, as flows that the unmodified client runs against a server.

``python client_flows.py FOLDER`` with REFINEBIO_BASE_URL and REFINEBIO_CONFIG_FILE set; prints a JSON object
of flows that failed, name -> traceback. The lake is that of ``test_clients.py``.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import traceback
import zipfile
from collections.abc import Callable
from datetime import datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pyrefinebio as rb
import requests
from pyrefinebio.config import Config
from pyrefinebio.exceptions import (
    BadRequest,
    DownloadError,
    InvalidData,
    InvalidFilters,
    InvalidFilterType,
    MultipleErrors,
    NotFound,
    ServerError,
)

EMAIL = "someone@example.org"
FLOWS: dict[str, Callable[[], None]] = {}
FOLDER = Path(sys.argv[1])


def flow(made: Callable[[], None]) -> Callable[[], None]:
    FLOWS[made.__name__] = made
    return made


def refused(error: type[Exception], call: Callable[..., Any], *values: Any, **options: Any) -> Exception:
    try:
        call(*values, **options)
    except error as found:
        return found
    raise AssertionError(f"{error.__name__} was expected")


@flow
def an_experiment_by_its_accession() -> None:
    found = rb.Experiment.get("GSE10")
    assert found.title == "Medulloblastoma in children"
    assert [sample.accession_code for sample in found.samples] == ["A1", "A2", "A3"]
    assert isinstance(found.created_at, datetime)
    assert found.num_downloadable_samples == 2


@flow
def samples_of_an_experiment_fetch_the_rest_of_themselves() -> None:
    sample = rb.Experiment.get("GSE10").samples[0]
    assert sample.manufacturer == "AFFYMETRIX"
    assert sample.organism.name == "HOMO_SAPIENS"


@flow
def an_unknown_experiment() -> None:
    assert "experiments/NOPE/" in str(refused(NotFound, rb.Experiment.get, "NOPE"))


@flow
def a_search_by_words() -> None:
    assert [found.accession_code for found in rb.Experiment.search(search="medulloblastoma")] == ["GSE10"]


@flow
def a_search_by_several_filters() -> None:
    found = rb.Experiment.search(organism=["HOMO_SAPIENS", "MUS_MUSCULUS"], technology="rna-seq")
    assert sorted(row.accession_code for row in found) == ["SRP20", "SRP30"]


@flow
def a_search_by_publication_as_python_writes_it() -> None:
    assert [row.accession_code for row in rb.Experiment.search(has_publication=True)] == ["GSE10"]


@flow
def a_search_with_downloadable_samples() -> None:
    found = rb.Experiment.search(num_downloadable_samples__gt=0, ordering="title")
    assert [row.accession_code for row in found] == ["SRP20", "GSE10"]


@flow
def a_search_ignores_what_it_does_not_know() -> None:
    assert len(rb.Experiment.search(is_public=True, nonsense=1)) == 3


@flow
def a_search_without_hits() -> None:
    found = rb.Experiment.search(search="zzzz")
    assert len(found) == 0
    assert list(found) == []


@flow
def a_search_row_fetches_its_samples() -> None:
    (row,) = rb.Experiment.search(accession_code="SRP20")
    assert [sample.accession_code for sample in row.samples] == ["R1", "R2"]


@flow
def a_sample_by_its_accession() -> None:
    found = rb.Sample.get("R1")
    assert found.technology == "RNA-SEQ"
    assert found.results[0].processor.name == "Salmon Quant"
    assert found.results[0].processor.environment["cmd_line"]["salmon --version"] == "salmon 1.10.1"


@flow
def an_unknown_sample() -> None:
    refused(NotFound, rb.Sample.get, "NOPE")


@flow
def the_experiments_of_a_sample() -> None:
    assert [found.accession_code for found in rb.Sample.get("R1").experiments] == ["SRP20"]


@flow
def the_organism_of_a_sample_fetches_itself() -> None:
    assert rb.Sample.get("R1").organism.has_compendia is True


@flow
def annotations_of_a_sample() -> None:
    (found,) = rb.Sample.get("A1").annotations
    assert found.data["title"] == "title of A1"
    assert isinstance(found.created_at, datetime)


@flow
def computed_files_of_a_sample_fetch_themselves() -> None:
    (file,) = rb.Sample.get("R1").computed_files
    assert file.filename == "quant.sf.gz"
    assert file.result.processor.version == "1.10.1"


@flow
def samples_by_metadata() -> None:
    found = rb.Sample.search(technology="MICROARRAY")
    assert sorted(row.accession_code for row in found) == ["A1", "A2"]


@flow
def samples_of_an_experiment() -> None:
    found = rb.Sample.search(experiment_accession_code="SRP20", ordering="-accession_code")
    assert [row.accession_code for row in found] == ["R2", "R1"]


@flow
def samples_of_an_unknown_experiment() -> None:
    refused(NotFound, rb.Sample.search, experiment_accession_code="NOPE")


@flow
def samples_by_accessions() -> None:
    assert len(rb.Sample.search(accession_codes="A1,R1,NOPE")) == 2


@flow
def samples_by_organism() -> None:
    assert len(rb.Sample.search(organism__name="MUS_MUSCULUS")) == 2


@flow
def samples_that_are_processed() -> None:
    assert [found.accession_code for found in rb.Sample.search(is_processed=False)] == ["A3"]


@flow
def samples_by_an_unknown_filter() -> None:
    error = refused(InvalidFilters, rb.Sample.search, foo="bar")
    assert "foo" in str(error)


@flow
def samples_by_an_organism_that_is_none() -> None:
    refused(InvalidFilterType, rb.Sample.search, organism="foo")


@flow
def pages_are_fetched_as_they_are_needed() -> None:
    found = rb.Sample.search(limit=2)
    assert len(found) == 7
    names = [sample.accession_code for sample in found]
    assert len(set(names)) == 7
    assert found[-1].accession_code == names[-1]
    assert found[3].accession_code == names[3]
    refused(IndexError, found.__getitem__, 7)


@flow
def a_page_behind_another() -> None:
    assert rb.Sample.search(limit=1, offset=1)[2].accession_code


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
def a_dataset_that_is_saved_changed_and_found_again() -> None:
    made = rb.Dataset(data={"GSE10": ["A1"]}, email_address=EMAIL, aggregate_by="SPECIES").save()
    assert made.id
    made.add_samples(rb.Experiment.get("SRP20"), rb.Sample.search(accession_codes="R1"))
    made.save()
    found = rb.Dataset.get(made.id)
    assert found.data == {"GSE10": ["A1"], "SRP20": ["R1"]}
    assert (found.aggregate_by, found.scale_by, found.has_email) == ("SPECIES", "NONE", True)


@flow
def a_dataset_with_all_samples() -> None:
    assert rb.Dataset(data={"GSE10": ["ALL"]}).save().data == {"GSE10": ["A1", "A2"]}


@flow
def a_dataset_of_an_unknown_experiment() -> None:
    refused(InvalidData, rb.Dataset(data={"NOPE": ["ALL"]}).save)


@flow
def a_dataset_of_an_unknown_sample() -> None:
    refused(InvalidData, rb.Dataset(data={"GSE10": ["NOPE"]}).save)


@flow
def a_dataset_of_a_sample_that_failed() -> None:
    refused(InvalidData, rb.Dataset(data={"GSE10": ["A3"]}).save)


@flow
def a_dataset_without_data() -> None:
    refused(BadRequest, rb.Dataset(data=None).save)


@flow
def a_dataset_with_an_unknown_choice() -> None:
    refused(InvalidFilterType, rb.Dataset(data={}, aggregate_by="X").save)


@flow
def a_dataset_with_an_address_that_is_none() -> None:
    refused(InvalidFilterType, rb.Dataset(data={}, email_address="x").save)


@flow
def an_unknown_dataset() -> None:
    refused(NotFound, rb.Dataset.get, "0b6d1d7e-61c1-4b0f-9b6a-6a1c3e0e9f00")


@flow
def starting_without_a_token() -> None:
    Config().token = ""
    refused(BadRequest, rb.Dataset(data={"GSE10": ["ALL"]}, email_address=EMAIL).process)


@flow
def downloading_without_a_token() -> None:
    Config().token = ""
    (found,) = rb.Compendium.search(latest_version=True, quant_sf_only=False)
    refused(DownloadError, found.download, str(FOLDER))


@flow
def a_token_that_is_not_active_cannot_be_saved() -> None:
    refused(BadRequest, rb.Token().save_token)
    refused(BadRequest, rb.Token(id="nope").agree_to_terms_and_conditions)


@flow
def a_token_is_made_activated_and_saved() -> None:
    token = rb.create_token(agree_to_terms=True, save_token=True)
    assert token.id in Path(os.environ["REFINEBIO_CONFIG_FILE"]).read_text(encoding="utf-8")
    assert rb.Token.load_token().id == token.id


@flow
def starting_without_an_address() -> None:
    refused(BadRequest, rb.Dataset(data={"GSE10": ["ALL"]}).process)


def _members(path: Path) -> list[str]:
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        return archive.namelist()


@flow
def a_dataset_by_experiment_is_downloaded() -> None:
    path = FOLDER / "by-experiment.zip"
    rb.download_dataset(
        str(path), EMAIL, experiments=["GSE10", "SRP20"], timeout=timedelta(minutes=5), prompt=False
    )
    assert {"GSE10/GSE10.tsv", "SRP20/metadata_SRP20.tsv", "aggregated_metadata.json"} <= set(_members(path))


@flow
def a_dataset_by_species_is_downloaded_and_extracted() -> None:
    path = FOLDER / "by-species.zip"
    os.chdir(FOLDER)
    rb.download_dataset(
        str(path),
        EMAIL,
        dataset_dict={"GSE10": ["A1"], "SRP20": ["R1", "R2"]},
        aggregation="SPECIES",
        timeout=timedelta(minutes=5),
        extract=True,
    )
    header = (FOLDER / "HOMO_SAPIENS" / "HOMO_SAPIENS.tsv").read_text(encoding="utf-8").splitlines()[0]
    assert header.split("\t") == ["Gene", "A1", "R1", "R2"]


@flow
def a_processed_dataset_cannot_be_changed() -> None:
    made = rb.Dataset(data={"SRP20": ["R1"]}, email_address=EMAIL)
    made.process()
    assert made.is_processing
    while not made.check():
        assert made.is_processing
    refused(BadRequest, rb.Dataset.get(made.id).save)
    assert rb.Dataset.get(made.id).download(str(FOLDER))._downloaded_path.endswith(f"dataset-{made.id}.zip")


@flow
def a_dataset_that_cannot_be_made_is_refused() -> None:
    mixed = rb.Dataset(data={"GSE10": ["ALL"]}, email_address=EMAIL, quantile_normalize=False)
    refused(InvalidData, mixed.process)


@flow
def a_compendium_is_downloaded() -> None:
    rb.download_compendium(str(FOLDER / "compendium.zip"), "HOMO_SAPIENS")
    assert (FOLDER / "compendium.zip").read_bytes() == b"second"
    rb.download_compendium(str(FOLDER / "first.zip"), "HOMO_SAPIENS", version=1)
    assert (FOLDER / "first.zip").read_bytes() == b"first"


@flow
def a_quantfile_compendium_is_downloaded() -> None:
    rb.download_quantfile_compendium(str(FOLDER / "quantfiles.zip"), "HOMO_SAPIENS")
    assert (FOLDER / "quantfiles.zip").read_bytes() == b"quantfiles"


@flow
def a_compendium_that_there_is_not() -> None:
    refused(DownloadError, rb.download_compendium, str(FOLDER), "MUS_MUSCULUS")


@flow
def a_computed_file_is_downloaded() -> None:
    (file,) = rb.Sample.get("R1").computed_files
    rb.ComputedFile.get(file.id).download(str(FOLDER / "quant.sf.gz"))
    assert (FOLDER / "quant.sf.gz").stat().st_size == file.size_in_bytes


def _command(*words: str, **environment: str) -> str:
    program = Path(sys.executable).with_name("refinebio")
    done = subprocess.run(
        [program, *words],
        env=os.environ | environment,
        cwd=FOLDER,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@flow
def the_command_makes_a_token() -> None:
    config = FOLDER / "command.yaml"
    _command("create-token", "-s", REFINEBIO_CONFIG_FILE=str(config))
    assert "token:" in config.read_text(encoding="utf-8")


@flow
def the_command_downloads_a_dataset() -> None:
    words = ("download-dataset", "--email-address", EMAIL, "--experiments", "SRP20", "--path", "command.zip")
    _command(*words, "--aggregation", "ALL", "--timeout", "5 minutes")
    assert "ALL/ALL.tsv" in _members(FOLDER / "command.zip")


@flow
def the_command_downloads_a_compendium() -> None:
    _command("download-compendium", "--organism", "HOMO_SAPIENS", "--path", "command-compendium.zip")
    assert (FOLDER / "command-compendium.zip").read_bytes() == b"second"
    words = ("--organism", "HOMO_SAPIENS", "--path", "command-quantfiles.zip")
    _command("download-quantfile-compendium", *words)
    assert (FOLDER / "command-quantfiles.zip").read_bytes() == b"quantfiles"


@flow
def the_command_describes() -> None:
    assert "list of samples" in _command("describe", "Sample.search").lower()


@flow
def a_server_that_is_away() -> None:
    before = Config().base_url
    try:
        Config().base_url = "http://127.0.0.1:9/v1/"
        refused(ServerError, rb.Organism.search)
    finally:
        Config().base_url = before


def main() -> None:
    problems = {}
    output, sys.stdout = sys.stdout, StringIO()
    for name, run in FLOWS.items():
        try:
            run()
        except Exception:  # noqa: BLE001 -- each flow is judged by itself
            problems[name] = traceback.format_exc()
    output.write(json.dumps({"flows": len(FLOWS), "problems": problems}))


if __name__ == "__main__":
    main()
