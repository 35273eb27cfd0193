"""When failures are tried again, old surveys repeated, and targets made again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from refinebio_assets.pipelines import gene_expression, read_quantification
from refinebio_assets.pipelines.compendia import normalized_compendium
from refinebio_assets.pipelines.compendia.normalized_compendium import build_normalized_compendium
from refinebio_assets.pipelines.compendia.rnaseq_samples.rnaseq_sample_compendium import (
    build_rnaseq_sample_compendium,
)
from refinebio_assets.pipelines.outgrown import compendia_to_make, targets_to_make
from refinebio_assets.pipelines.rhythm import (
    ATTEMPTS,
    FIRST_WAIT,
    Attempt,
    next_attempts,
    outgrown_compendia,
    read_attempts,
    write_attempts,
)
from refinebio_assets.pipelines.target_quantiles import build_target
from refinebio_assets.pipelines.targets.settings import decide_samples
from refinebio_assets_tests.pipelines.study import Study

START = datetime(2026, 1, 1, tzinfo=UTC)


def test_a_failure_waits_twice_as_long_each_time_and_is_parked_in_the_end() -> None:
    known: dict[str, Attempt] = {}
    tries = []
    for hour in range(24 * 7):
        now = START + timedelta(hours=hour)
        due, known = next_attempts([{"experiment": "E"}], known, now, limit=5)
        known = read_attempts(write_attempts(known))
        tries += [hour for _ in due]
    assert tries == [1, 3, 7, 15, 31, 63]
    assert known["E"].number == ATTEMPTS


def test_what_no_longer_fails_is_forgotten_and_starts_anew() -> None:
    _, known = next_attempts([{"experiment": "E"}], {}, START, limit=5)
    assert set(known) == {"E"}
    assert next_attempts([], known, START, limit=5) == ([], {})


def test_no_more_than_the_limit_are_tried_and_the_others_keep_their_turn() -> None:
    failing = [{"experiment": name} for name in "ABC"]
    _, known = next_attempts(failing, {}, START, limit=2)
    due, known = next_attempts(failing, known, START + FIRST_WAIT, limit=2)
    assert [attempt.experiment for attempt in due] == ["A", "B"]
    due, _ = next_attempts(failing, known, START + FIRST_WAIT, limit=2)
    assert [attempt.experiment for attempt in due] == ["C"]


def add_experiment(study: Study, name: str, samples: int) -> None:
    for number in range(samples):
        study.add_sample(f"{name}{number}", number, experiment=name)
    study.register()
    study.process(name)


def quantify_again(study: Study, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Process as after a bump of a code version: all samples anew, in new versions of everything."""
    before = study.lake.head("gene_expression", name)
    monkeypatch.setattr(read_quantification, "CODE_VERSION", "next")
    monkeypatch.setattr(gene_expression, "CODE_VERSION", "next")
    study.process(name)
    after = study.lake.head("gene_expression", name)
    assert before and after and after.id > before.id


def fish_target(study: Study) -> list[tuple[int, tuple[str, ...]]]:
    return [(found.samples, found.why) for found in targets_to_make(study.lake, study.catalog)]


def test_a_target_is_outgrown_by_a_fifth_more_samples_that_are_not_in_it(study: Study) -> None:
    decide_samples(study.lake, "DANIO_RERIO", minimum=1)
    add_experiment(study, "E1", 6)
    build_target(study.lake, "DANIO_RERIO")
    assert fish_target(study) == []
    add_experiment(study, "E2", 1)
    assert fish_target(study) == []
    add_experiment(study, "E3", 1)
    assert fish_target(study) == [(2, ("2 new samples, made of 6",))]


def test_samples_that_are_processed_again_do_not_outgrow_a_target(
    study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    decide_samples(study.lake, "DANIO_RERIO", minimum=1)
    add_experiment(study, "E1", 3)
    build_target(study.lake, "DANIO_RERIO")
    quantify_again(study, "E1", monkeypatch)
    assert fish_target(study) == []
    add_experiment(study, "E2", 2)
    assert fish_target(study) == [(2, ("2 new samples, made of 3",))]


def test_samples_that_a_target_would_not_take_do_not_outgrow_it(study: Study) -> None:
    decide_samples(study.lake, "DANIO_RERIO", minimum=1)
    add_experiment(study, "E1", 3)
    build_target(study.lake, "DANIO_RERIO")
    genes = (study.folder / "genes.tsv").read_text()
    (study.folder / "genes.tsv").write_text(genes.replace("G00", "G99"))
    # By another gene map, so in no target with the others, and fewer.
    add_experiment(study, "OTHER_GENES", 2)
    assert fish_target(study) == []


NOW = {"normalized_compendium": normalized_compendium.CODE_VERSION, "rnaseq_sample_compendium": "1"}


def test_a_compendium_is_outgrown_by_samples_that_are_not_in_it_another_target_or_other_code(
    study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake = study.lake
    decide_samples(lake, "DANIO_RERIO", minimum=1)
    add_experiment(study, "E1", 6)
    build_target(lake, "DANIO_RERIO")
    build_normalized_compendium(lake, "DANIO_RERIO")
    quantify_again(study, "E1", monkeypatch)
    add_experiment(study, "E2", 1)
    assert outgrown_compendia(study.catalog, NOW) == []
    add_experiment(study, "E3", 1)
    (row,) = outgrown_compendia(study.catalog, NOW)
    assert (row["organism"], row["new"], row["before"], row["why"]) == ("DANIO_RERIO", 2, 6, [])
    (found,) = compendia_to_make(study.catalog)
    assert (found.samples, found.why) == (2, ("2 new samples, made of 6",))
    build_target(lake, "DANIO_RERIO")
    (row,) = outgrown_compendia(study.catalog, NOW | {"normalized_compendium": "other"})
    assert row["why"] == ["code version", "target"]


def test_a_compendium_of_files_is_outgrown_by_samples_that_are_not_in_it(
    study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    study.process()
    build_rnaseq_sample_compendium(study.lake, "DANIO_RERIO")
    quantify_again(study, "STUDY", monkeypatch)
    assert outgrown_compendia(study.catalog, NOW) == []
    add_experiment(study, "E2", 1)
    (row,) = outgrown_compendia(study.catalog, NOW)
    assert (row["asset"], row["new"]) == ("rnaseq_sample_compendium", 1)
