"""BeadArray samples run by Dagster's engine: the UI shows which are submitter-processed, and why."""

from __future__ import annotations

from pathlib import Path

import pytest
from dagster import TableMetadataValue, instance_for_test

from refinebio_assets.definitions import build_definitions
from refinebio_assets.defs.sample_events import add_keys
from refinebio_assets_tests.pipelines.bead_study import bead_study


def test_a_run_shows_columns_platforms_and_what_is_submitter_processed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = bead_study(tmp_path)
    study.write_beads(columns={"liver_2.Detection Pval": []})
    study.register()
    monkeypatch.setenv("REFINEBIO_HOME", str(tmp_path / "lake"))
    with instance_for_test() as instance:
        add_keys(instance, "experiment", ["STUDY"])
        job = build_definitions().resolve_job_def("process_experiment")
        result = job.execute_in_process(instance=instance, partition_key="STUDY", raise_on_error=False)
        assert result.success
        assert all(check.passed for check in result.get_asset_check_evaluations())
        made = result.asset_materializations_for_node("sample_quantifications")
        (quantified,) = [event for event in made if event.asset_key.path == ["sample_quantifications"]]
        assert quantified.metadata["submitter-processed"].value == 1
        results = quantified.metadata["results"]
        assert isinstance(results, TableMetadataValue)
        shown = {record.data["sample"]: record.data["processing"] for record in results.records}
        assert shown == {"liver_1": "from raw", "liver_2": "submitter-processed"}
        for table in ("table columns", "platform detection", "submitted values", "array quality"):
            assert isinstance(quantified.metadata[table], TableMetadataValue)
        (matrices,) = result.asset_materializations_for_node("gene_expression")
        assert "submitter-processed values" in str(matrices.metadata["warnings"].value)
        (event,) = [event for event in made if event.partition == "liver_2"]
        assert event.metadata["processing"].value == "submitter-processed"
        assert "no detection p-values" in str(event.metadata["processing_reason"].value)
