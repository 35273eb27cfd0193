"""When failures are tried again, old surveys repeated, and targets made again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from refinebio_assets.lake.store import Lake
from refinebio_assets.pipelines.rhythm import (
    ATTEMPTS,
    FIRST_WAIT,
    Attempt,
    next_attempts,
    outgrown_compendia,
    outgrown_targets,
    read_attempts,
    write_attempts,
)
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


def matrix(lake: Lake, experiment: str, samples: int) -> None:
    row = {"experiment": experiment, "matrix": "m", "technology": "RNA-SEQ", "organism": "DANIO_RERIO"}
    with lake.draft("gene_expression", experiment) as draft:
        rest = {"genes": 9, "samples": samples, "path": "m.parquet", "version": "v"}
        draft.write_table("matrices", [row | rest])
        draft.commit(version="v", code_version="1")


def test_a_target_is_outgrown_by_a_fifth_more_samples_of_later_experiments(study: Study) -> None:
    lake = study.lake
    matrix(lake, "E1", 10)
    matrix(lake, "LEFT_OUT", 50)
    with lake.draft("target_quantiles", "DANIO_RERIO") as draft:
        target = {"organism": "DANIO_RERIO", "version": "v", "technology": "RNA-SEQ", "genes": 9}
        draft.write_table("targets", [target | {"samples": 10, "imported": False}])
        member = {"organism": "DANIO_RERIO", "experiment": "E1", "matrix": "m", "matrix_version": "v"}
        draft.write_table("target_samples", [member | {"sample": "S"}])
        draft.commit(version="v", code_version="1")
    matrix(lake, "E2", 1)
    assert outgrown_targets(study.catalog) == []
    matrix(lake, "E3", 1)
    (row,) = outgrown_targets(study.catalog)
    assert (row["organism"], row["before"], row["new"]) == ("DANIO_RERIO", 10, 2)


def compendium(lake: Lake, asset: str, kind: str, samples: int, **columns: object) -> None:
    row = {"kind": kind, "organism": "DANIO_RERIO", "number": 1, "version": "v", "organisms": ["DANIO_RERIO"]}
    with lake.draft(asset, "DANIO_RERIO") as draft:
        counts = {"samples": samples, "experiments": 1, "dropped_samples": 0}
        draft.write_table("compendia", [row | counts | columns])
        draft.commit(version="v", code_version="1")


def test_a_compendium_is_outgrown_by_a_fifth_more_samples_another_target_or_other_code(study: Study) -> None:
    lake, versions = study.lake, {"normalized_compendium": "1", "rnaseq_sample_compendium": "1"}
    compendium(lake, "normalized_compendium", "normalized", 10, target="v")
    matrix(lake, "E2", 1)
    assert outgrown_compendia(study.catalog, versions) == []
    matrix(lake, "E3", 1)
    (row,) = outgrown_compendia(study.catalog, versions)
    assert (row["organism"], row["new"], row["why"]) == ("DANIO_RERIO", 2, ["2 samples processed since"])
    compendium(lake, "normalized_compendium", "normalized", 12, target="v")
    assert outgrown_compendia(study.catalog, versions) == []
    with lake.draft("target_quantiles", "DANIO_RERIO") as draft:
        target = {"organism": "DANIO_RERIO", "version": "w", "technology": "RNA-SEQ", "genes": 9}
        draft.write_table("targets", [target | {"samples": 10, "imported": False}])
        draft.commit(version="w", code_version="1")
    (row,) = outgrown_compendia(study.catalog, versions | {"normalized_compendium": "2"})
    assert row["why"] == ["code version", "target"]


def test_a_compendium_of_files_is_outgrown_by_quantified_samples(study: Study) -> None:
    versions = {"normalized_compendium": "1", "rnaseq_sample_compendium": "1"}
    compendium(study.lake, "rnaseq_sample_compendium", "rnaseq-sample", 10)
    assert outgrown_compendia(study.catalog, versions) == []
    study.process()
    (row,) = outgrown_compendia(study.catalog, versions)
    assert (row["asset"], row["new"]) == ("rnaseq_sample_compendium", 3)
