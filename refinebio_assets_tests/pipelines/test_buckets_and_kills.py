"""The chain on lakes that are not a local folder, and in processes that are killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from uuid import uuid4

import pytest

from refinebio_assets.pipelines.due import due_step
from refinebio_assets.pipelines.export import export_matrix
from refinebio_assets.pipelines.gene_expression import read_expression
from refinebio_assets_tests.conftest import REPOSITORY
from refinebio_assets_tests.pipelines.study import Study

WORKER = """
import sys
from pathlib import Path
from refinebio_assets_tests.pipelines.study import Study
print("ready", flush=True)
Study(Path(sys.argv[1])).process()
"""
KILLS = 12


def matrix_of(study: Study) -> dict[str, list[float]]:
    commit = study.lake.head("gene_expression", "STUDY")
    assert commit is not None
    matrix: dict[str, list[float]] = read_expression(study.lake, commit, "rna-seq_danio_rerio").to_pydict()
    return matrix


@pytest.mark.parametrize("kind", ["memory", "s3"])
def test_a_bucket_serves_as_well_as_a_folder(
    kind: str, study: Study, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    study.process()
    base = "memory:/" if kind == "memory" else request.getfixturevalue("s3_bucket")
    remote = Study(study.folder, study.rows, url=f"{base}/lake-{uuid4().hex}")
    remote.register()
    remote.process()
    assert matrix_of(remote) == matrix_of(study)
    assert due_step(remote.lake, "STUDY") is None
    assert remote.catalog.query("SELECT count(*) AS n FROM results").to_pydict() == {"n": [3]}
    assert export_matrix(remote.lake, "STUDY", tmp_path / "m.tsv", format="tsv") == (10, 3)
    assert remote.lake.verify_all().problems == ()


def _kill_after(study: Study, seconds: float) -> None:
    """Start the chain in a process of its own and kill it so long after it began to work."""
    with subprocess.Popen(
        [sys.executable, "-c", WORKER, str(study.folder)],
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": str(REPOSITORY)},
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(seconds)
        process.send_signal(signal.SIGKILL)


def test_killed_at_any_moment_the_lake_stays_whole_and_the_next_run_finishes(study: Study) -> None:
    for number in range(KILLS):
        _kill_after(study, 0.03 * number)
        assert study.lake.verify_all().problems == ()
        assert study.catalog.sync().problems == ()
    study.process()
    reference = Study(study.folder / "reference", study.rows)
    for row in reference.rows:
        row["quant_sf"] = str(study.folder / row["quant_sf"])
        row["gene_map"] = str(study.folder / "genes.tsv")
    reference.folder.mkdir()
    reference.register()
    reference.process()
    assert matrix_of(study) == matrix_of(reference)


def test_what_a_killed_run_had_quantified_is_not_quantified_again(study: Study) -> None:
    """The second run finds the samples by their inputs, though the first never recorded the experiment."""
    study.process()
    lake = study.lake
    for commit in lake.history("sample_quantifications", "STUDY"):
        (study.folder / "lake" / "log" / "sample_quantifications" / "STUDY" / f"{commit.id}.json").unlink()
    assert lake.head("sample_quantifications", "STUDY") is None
    assert study.process()["sample_quantifications"].sample_reasons == {}
