"""The demo as a newcomer runs it: a simulated world, its matrices, and how well they agree with the truth."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from refinebio_assets.cli.exit_codes import DONE
from refinebio_assets_tests.api.serving import served_by_command
from refinebio_assets_tests.cli.conftest import Run, command_in


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo")


@pytest.fixture(scope="module")
def refinebio(folder: Path) -> Run:
    """The command, beside the demo."""
    return command_in(folder)


@pytest.fixture(scope="module")
def first(refinebio: Run) -> subprocess.CompletedProcess[str]:
    """The demo, run for the first time."""
    done: subprocess.CompletedProcess[str] = refinebio("demo")
    assert done.returncode == DONE, done.stdout + done.stderr
    return done


def test_the_demo_agrees_with_the_truth_and_does_nothing_the_second_time(
    first: subprocess.CompletedProcess[str], refinebio: Run
) -> None:
    rows = re.findall(r"^ *SRP90000\d +SRR\d+ +(\d+) +([\d.]+) +([\d.]+)", first.stdout, re.MULTILINE)
    assert len(rows) == 10
    assert all(int(genes) > 80 and float(spearman) > 0.95 for genes, spearman, _ in rows)
    line = r"^ *(?:GSE90000\d|E-MTAB-900001) +\S+ +(from raw|submitter-processed) +\d+ +([\d.]+) *$"
    arrays = re.findall(line, first.stdout, re.MULTILINE)
    assert [processing for processing, _ in arrays].count("submitter-processed") == 5
    assert len(arrays) == 16 and all(float(spearman) > 0.8 for _, spearman in arrays)
    assert "Submitter-processed samples, and why they are not processed from raw data" in first.stdout
    assert "SIMULATUM_DEMONSTRANS" in first.stdout and "demo-by-species.zip" in first.stdout
    assert "Technology explains" in first.stdout
    assert "make ui" in first.stdout
    assert "compendium version 1 of quant.sf files of 10 RNA-seq samples of 2 experiments" in first.stdout
    words = re.search(r"compendium (slice SIMULATUM_DEMONSTRANS --gene \S+) --output", first.stdout)
    assert words is not None
    assert refinebio("compendium", *words[1].split(), "--output", "gene.tsv").returncode == DONE
    second = refinebio("demo")
    assert second.returncode == DONE
    assert second.stdout.count("up to date, nothing to do") == 17


@pytest.mark.usefixtures("first")
def test_refine_bios_client_downloads_the_numbers_that_the_command_line_made(
    refinebio: Run, folder: Path
) -> None:
    for dataset in ("demo-by-experiment", "demo-by-species"):
        done = refinebio("dataset", "download", dataset, "--output", f"{dataset}.zip")
        assert done.returncode == DONE, done.stderr
    data = '{"SRP900001": ["ALL"], "GSE900001": ["ALL"]}'
    with served_by_command(str(folder / "lake")) as api:
        environment = {
            "REFINEBIO_BASE_URL": f"{str(api.base_url).rstrip('/')}/v1/",
            "REFINEBIO_CONFIG_FILE": str(folder / "refinebio.yaml"),
        }
        client = (Path(sys.executable).with_name("refinebio"), folder, os.environ | environment)
        _run(*client, "create-token", "-s")
        words = ("download-dataset", "--email-address", "a@example.org", "--dataset-dict", data)
        _run(*client, *words, "--path", "experiment.zip")
        _run(*client, *words, "--aggregation", "SPECIES", "--path", "species.zip")
        jobs = api.get("/v1/jobs/processor/?pipeline_applied=build_dataset").json()
    made = jobs["results"][:2]
    assert [job["success"] for job in made] == [True, True], "Dagster has built them"
    assert _numbers(folder / "experiment.zip") == _numbers(folder / "demo-by-experiment.zip")
    assert _numbers(folder / "species.zip") == _numbers(folder / "demo-by-species.zip")


def _run(program: Path, folder: Path, environment: dict[str, str], *words: str) -> None:
    """Run a program that asks nothing."""
    done = subprocess.run(
        [program, *words],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def _numbers(path: Path) -> dict[str, bytes]:
    """Return the matrices and metadata of a download."""
    with zipfile.ZipFile(path) as archive:
        names = [name for name in archive.namelist() if name.endswith((".tsv", ".parquet"))]
        assert len(names) >= 3
        return {name: archive.read(name) for name in names}
