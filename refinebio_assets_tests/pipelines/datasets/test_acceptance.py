"""Requests judged against a lake: what is refused, with which reasons, and how requests are kept."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from refinebio_assets.errors import NotFoundError, RequestError
from refinebio_assets.lake.rows import query_rows
from refinebio_assets.pipelines.datasets.acceptance import AcceptedRequest, accept_request
from refinebio_assets.pipelines.datasets.registry import (
    ASSET,
    delete_dataset,
    register_dataset,
    registered_dataset,
    registered_datasets,
)
from refinebio_assets.pipelines.datasets.request import DatasetRequestError, Fault, Problem, parse_request
from refinebio_assets_tests.pipelines.datasets.world import World, arrays
from refinebio_assets_tests.pipelines.study import Study


@pytest.fixture(scope="module")
def processed(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """Two processed experiments, one with a sample that failed, and one that waits."""
    return Study.of_several(tmp_path_factory.mktemp("study"))


def accept(study: Study, data: dict[str, Any], **options: Any) -> AcceptedRequest:
    return accept_request(study.lake, study.catalog, parse_request({"data": data, **options}))


def problems(study: Study, data: dict[str, Any], **options: Any) -> list[Problem]:
    with pytest.raises(DatasetRequestError) as caught:
        accept(study, data, **options)
    return list(caught.value.found)


def test_all_stands_for_the_samples_that_are_processed(processed: Study) -> None:
    accepted = accept(processed, {"STUDY": "ALL", "OTHER": ["T1"]})
    assert accepted.request.data == (("OTHER", ("T1",)), ("STUDY", ("S1", "S2")))
    assert accepted.whole == ("STUDY",)


def test_an_organism_without_a_target_is_advised_of(processed: Study) -> None:
    assert "Danio rerio has no target" in accept(processed, {"OTHER": ["T1"]}).advice[0]
    assert accept(processed, {"OTHER": ["T1"]}, quantile_normalize=False).advice == ()
    assert accept(processed, {"OTHER": ["T1"]}, quant_sf_only=True).advice == ()


def test_everything_that_stands_against_a_request_is_named_at_once(processed: Study) -> None:
    found = problems(
        processed, {"STUDY": ["S1", "S3", "T1", "S9"], "STUDI": "ALL", "GSE100": "ALL", "WAITING": ["W1"]}
    )
    by_fault = {problem.fault: problem for problem in found}
    assert [problem.items for problem in found if problem.fault is Fault.UNKNOWN_EXPERIMENT] == [
        ("STUDI",),
        ("GSE100",),
    ]
    said = " ".join(problem.message for problem in found)
    assert "did you mean STUDY?" in said
    assert "process it first: `refinebio-assets process GSE100`" in said
    assert by_fault[Fault.NOT_OF_EXPERIMENT].message.startswith("T1 is no sample of STUDY but of OTHER")
    assert by_fault[Fault.UNKNOWN_SAMPLE].items == ("S9",)
    unprocessed = [problem for problem in found if problem.fault is Fault.NOT_PROCESSED]
    assert [problem.items for problem in unprocessed] == [("S3",), ("W1",)]
    assert "S3.sf" in unprocessed[0].message, "the reason on record"
    assert "refinebio-assets process WAITING" in unprocessed[1].message


def test_all_of_an_experiment_without_processed_samples_is_refused_with_the_reason(processed: Study) -> None:
    (problem,) = problems(processed, {"WAITING": "ALL"})
    assert problem.fault is Fault.NOTHING_PROCESSED
    assert "W1: it is not processed yet" in problem.message


def test_normalization_cannot_be_skipped_when_experiments_are_joined(processed: Study) -> None:
    (problem,) = problems(processed, {"STUDY": "ALL"}, quantile_normalize=False, aggregate_by="SPECIES")
    assert problem.fault is Fault.CANNOT_SKIP_NORMALIZATION
    assert "only when aggregate_by is EXPERIMENT" in problem.message


def test_quant_sf_files_can_be_asked_of_rnaseq_samples(processed: Study) -> None:
    assert accept(processed, {"STUDY": "ALL"}, quant_sf_only=True).request.samples == ["S1", "S2"]
    (problem,) = problems(processed, {"STUDY": ["S1", "S3"]}, quant_sf_only=True)
    assert (problem.fault, problem.items) == (Fault.NO_QUANT_SF, ("S3",))


@pytest.fixture
def own(tmp_path: Path) -> Iterator[tuple[Study, AcceptedRequest]]:
    study = Study.of_three(tmp_path)
    study.register()
    study.process()
    yield study, accept(study, {"STUDY": "ALL"}, notes="first")


def test_a_dataset_gets_an_id_or_the_name_that_was_chosen(own: tuple[Study, AcceptedRequest]) -> None:
    study, accepted = own
    made = register_dataset(study.lake, accepted, new_id=lambda: "an-id")
    assert (made.dataset, made.changed, made.whole) == ("an-id", True, ["STUDY"])
    named = register_dataset(study.lake, accepted, dataset="zebrafish", origin="a.yaml")
    assert registered_dataset(study.lake, "zebrafish").request == named.request == accepted.request
    assert registered_datasets(study.lake) == ["an-id", "zebrafish"]
    rows = query_rows(study.catalog, "SELECT dataset, samples, origin FROM dataset_requests ORDER BY dataset")
    assert rows[1] == {"dataset": "zebrafish", "samples": 3, "origin": "a.yaml"}


def test_a_name_that_cannot_be_a_folder_or_looks_like_a_version_is_refused(
    own: tuple[Study, AcceptedRequest],
) -> None:
    study, accepted = own
    with pytest.raises(RequestError, match="the dataset's name 'a/b' contains /"):
        register_dataset(study.lake, accepted, dataset="a/b")
    with pytest.raises(RequestError, match="the dataset's name 'v@1' contains @, which stands between"):
        register_dataset(study.lake, accepted, dataset="v@1")
    assert registered_datasets(study.lake) == []


def test_the_same_request_is_kept_once_and_another_needs_a_word(own: tuple[Study, AcceptedRequest]) -> None:
    study, accepted = own
    first = register_dataset(study.lake, accepted, dataset="d")
    assert not register_dataset(study.lake, accepted, dataset="d").changed
    other = accept(study, {"STUDY": ["S1"]}, notes="second")
    with pytest.raises(RequestError, match=r"experiment STUDY changed: S1, S2, S3 -> S1"):
        register_dataset(study.lake, other, dataset="d")
    second = register_dataset(study.lake, other, dataset="d", update=True)
    assert second.commit.version != first.commit.version
    assert registered_dataset(study.lake, "d").request.samples == ["S1"]
    assert [commit.id for commit in study.lake.history(ASSET, "d")] == [first.commit.id, second.commit.id]


def test_a_deleted_dataset_is_gone_from_the_list_and_its_versions_stay(
    own: tuple[Study, AcceptedRequest],
) -> None:
    study, accepted = own
    register_dataset(study.lake, accepted, dataset="d")
    delete_dataset(study.lake, "d")
    assert registered_datasets(study.lake) == []
    assert registered_datasets(study.lake, deleted=True) == ["d"]
    assert len(study.lake.history(ASSET, "d")) == 2
    with pytest.raises(NotFoundError, match="was deleted on"):
        registered_dataset(study.lake, "d")
    with pytest.raises(RequestError, match="deleted dataset"):
        register_dataset(study.lake, accepted, dataset="d")
    assert register_dataset(study.lake, accepted, dataset="d", update=True).changed
    assert registered_datasets(study.lake) == ["d"]


def test_an_unknown_dataset_is_answered_with_a_near_name(own: tuple[Study, AcceptedRequest]) -> None:
    study, accepted = own
    register_dataset(study.lake, accepted, dataset="zebrafish")
    with pytest.raises(NotFoundError, match="did you mean zebrafish"):
        registered_dataset(study.lake, "zebrafisch")


@pytest.fixture(scope="module")
def with_arrays(processed: Study) -> Study:
    world = World(processed.folder)
    world.add("ARRAYS", arrays(["A1", "A2"], organism="DANIO_RERIO"))
    world.add("PROBES", arrays(["P1"], organism="DANIO_RERIO", level="probe set"))
    return processed


def test_microarrays_are_always_normalized(with_arrays: Study) -> None:
    assert accept(with_arrays, {"ARRAYS": "ALL", "STUDY": ["S1"]}).request.samples == ["A1", "A2", "S1"]
    (problem,) = problems(with_arrays, {"ARRAYS": "ALL", "STUDY": ["S1"]}, quantile_normalize=False)
    assert (problem.fault, problem.items) == (Fault.CANNOT_SKIP_NORMALIZATION, ("A1", "A2"))
    assert "RNA-seq samples only" in problem.message


def test_microarrays_have_no_quant_sf(with_arrays: Study) -> None:
    (problem,) = problems(with_arrays, {"ARRAYS": ["A2"], "STUDY": ["S1"]}, quant_sf_only=True)
    assert (problem.fault, problem.items) == (Fault.NO_QUANT_SF, ("A2",))
    assert "not RNA-seq but MICROARRAY" in problem.message


def test_arrays_without_a_table_of_genes_are_told_how_to_get_one(with_arrays: Study) -> None:
    (problem,) = problems(with_arrays, {"PROBES": ["P1"]})
    assert problem.fault is Fault.NOT_PROCESSED
    assert "--brainarray" in problem.message and "process PROBES again" in problem.message
