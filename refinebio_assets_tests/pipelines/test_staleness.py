"""What is out of date over all experiments, by which input, how much, and in which order."""

from __future__ import annotations

import pytest

from refinebio_assets.pipelines import gene_expression
from refinebio_assets.pipelines.staleness import (
    Stale,
    experiments_by_use,
    stale_experiments,
    what_changed,
)
from refinebio_assets_tests.pipelines.study import Study, quant_sf_text


def judged(study: Study, **options: object) -> list[Stale]:
    found = list(stale_experiments(study.lake, study.catalog, **options))  # type: ignore[arg-type]
    assert all(isinstance(item, Stale) for item in found)
    return [item for item in found if isinstance(item, Stale)]


def test_what_is_up_to_date_is_not_listed(study: Study) -> None:
    study.process()
    assert judged(study) == []


def test_a_raised_code_version_names_itself_as_the_input(
    study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    study.process()
    monkeypatch.setattr(gene_expression, "CODE_VERSION", "next")
    (stale,) = judged(study)
    assert (stale.experiment, stale.step, stale.inputs) == ("STUDY", "gene_expression", ("code version",))


def test_what_was_asked_for_already_is_passed_over_until_something_else_changes(study: Study) -> None:
    study.process()
    study.write("S1.sf", quant_sf_text(50))
    (stale,) = judged(study)
    assert judged(study, known={stale.fingerprint}) == []
    study.write("S1.sf", quant_sf_text(51))
    (again,) = judged(study, known={stale.fingerprint})
    assert again.fingerprint != stale.fingerprint


def test_experiments_in_datasets_come_first_then_large_ones(study: Study) -> None:
    for name, experiment in {"T1": "SMALL", "U1": "USED"}.items():
        study.add_sample(name, 3, experiment=experiment)
    study.register()
    with study.lake.draft("dataset_request", "mine") as draft:
        draft.write_table("dataset_samples", [{"dataset": "mine", "experiment": "USED", "sample": "U1"}])
        draft.commit(version="v", code_version="1")
    assert [row["experiment"] for row in experiments_by_use(study.catalog)] == ["USED", "STUDY", "SMALL"]
    assert [stale.experiment for stale in judged(study, limit=2)] == ["USED", "STUDY"]


def test_a_time_budget_ends_the_search(study: Study) -> None:
    study.add_sample("T1", 3, experiment="OTHER")
    study.register()
    moments = iter([0.0, 0.0, 99.0])
    found = judged(study, seconds=50.0, clock=lambda: next(moments))
    assert len(found) == 1


def test_reasons_are_read_as_inputs() -> None:
    reasons = ["S1: salmon version changed: 1 -> 2", "S2: salmon version changed: 1 -> 2", "S3 added"]
    assert what_changed(reasons) == ("salmon version", "S3")
    assert what_changed(["not made before"]) == ("not made before",)
