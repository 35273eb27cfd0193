"""The ledger: every surveyed sample is in one state, with its reason and cost."""

from __future__ import annotations

import pytest

from refinebio_assets.lake.catalog import Catalog
from refinebio_assets.lake.rows import query_rows
from refinebio_assets.pipelines.ledger import ledger_problems, ledger_totals
from refinebio_assets_tests.pipelines.study import Study


def states(catalog: Catalog) -> dict[str, str]:
    return {row["sample"]: row["state"] for row in query_rows(catalog, "SELECT * FROM ledger")}


def test_samples_are_pending_until_they_are_in_a_matrix(study: Study) -> None:
    assert set(states(study.catalog).values()) == {"pending"}
    assert ledger_problems(study.catalog) == []
    study.process()
    assert set(states(study.catalog).values()) == {"processed"}
    (row,) = ledger_totals(study.catalog, "experiment")
    assert (row["surveyed"], row["processed"], row["failed"], row["pending"]) == (3, 3, 0, 0)
    assert row["bytes_in"] > 0
    assert row["bytes_out"] > 0
    assert row["wall_seconds"] > 0
    assert row["cpu_seconds"] > 0
    assert row["shared_wall_seconds"] > 0
    steps = query_rows(study.catalog, "SELECT * FROM step_costs ORDER BY asset")
    assert {step["asset"]: step["samples"] for step in steps} == {
        "experiment_record": 3,
        "gene_expression": 3,
        "harmonized_metadata": 3,
        "raw_files": 3,
        "sample_quantifications": 3,
    }
    for step in steps:
        assert min(step["peak_memory_bytes"], step["wall_seconds"]) > 0
        if step["asset"] in ("raw_files", "gene_expression"):
            assert min(step["bytes_in"], step["bytes_out"]) > 0
    # What quantifying cost is told sample by sample.
    shared = [step["wall_seconds"] for step in steps if step["asset"] != "sample_quantifications"]
    assert sum(shared) == pytest.approx(row["shared_wall_seconds"])
    assert ledger_problems(study.catalog) == []


def test_a_failed_sample_has_its_reason_and_the_sum_still_holds(study: Study) -> None:
    study.write("S2.sf", "no quantification at all\n")
    study.process()
    catalog = study.catalog
    assert states(catalog) == {"S1": "processed", "S2": "failed", "S3": "processed"}
    (failed,) = query_rows(catalog, "SELECT reason FROM ledger WHERE state = 'failed'")
    assert "S2.sf" in failed["reason"]
    assert ledger_problems(catalog) == []


def test_a_matrix_with_fewer_columns_than_processed_samples_does_not_add_up(study: Study) -> None:
    study.process()
    with study.lake.draft("gene_expression", "STUDY") as draft:
        row = {"experiment": "STUDY", "matrix": "m", "technology": "RNA-SEQ", "genes": 1, "samples": 2}
        draft.write_table("matrices", [row | {"path": "m.parquet", "version": "v"}])
        draft.write_table("dropped", [])
        draft.commit(version="v", code_version="1")
    (problem,) = ledger_problems(study.catalog, "STUDY")
    assert problem == "STUDY: 3 samples count as processed, its matrices have 2 columns"


def test_a_result_of_a_sample_that_nobody_surveyed_is_noticed(study: Study) -> None:
    with study.lake.draft("sample_quantifications", "STUDY") as draft:
        draft.write_table("results", [{"experiment": "STUDY", "sample": "S9", "verdict": "processed"}])
        draft.commit(version="v", code_version="1")
    assert ledger_problems(study.catalog) == ["STUDY: there is a result of sample S9, which was not surveyed"]


def test_totals_by_organism_add_experiments_up(study: Study) -> None:
    study.add_sample("T1", 7, experiment="OTHER")
    study.register()
    study.process()
    study.process("OTHER")
    (row,) = ledger_totals(study.catalog, "organism")
    assert (row["organism"], row["surveyed"], row["processed"]) == ("DANIO_RERIO", 4, 4)
