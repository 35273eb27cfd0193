"""Experiments and samples, by accession, words and filters, page by page."""

from __future__ import annotations

from datetime import datetime

import pyrefinebio as rb
from pyrefinebio.exceptions import InvalidFilters, InvalidFilterType, NotFound

from refinebio_assets_tests.api.client_flows.flow import flow, refused


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
