"""The platform runs itself: real webserver and daemon, an accession dropped into the archives, no hand."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest

from refinebio_assets.domain import organism_name
from refinebio_assets.lake.store import Lake
from refinebio_assets.pipelines.references.platform_annotation import build_annotation
from refinebio_assets.pipelines.references.platform_registry import PlatformInputs, register_platform
from refinebio_assets.pipelines.target_quantiles import build_target
from refinebio_assets.pipelines.targets.settings import decide_samples
from refinebio_assets.simulate import arrayexpress, geo, organism, searches
from refinebio_assets.simulate.arrays import AFFYMETRIX, ARRAY_EXPRESS, simulate_hybridizations
from refinebio_assets.simulate.chip import PLATFORM, brainarray_text, probe_tab_text, simulate_chip
from refinebio_assets.simulate.genome import simulate_genome
from refinebio_assets.simulate.mirror import INDEX, MirrorDraft
from refinebio_assets_tests.cli.conftest import command_in
from refinebio_assets_tests.conftest import REPOSITORY
from refinebio_assets_tests.defs.servers import Ui, dagster_ui, wait_until

ORGANISM = organism_name(organism.NAME)
WHERE = {
    "repositoryLocationName": "refinebio_assets",
    "repositoryName": "__repository__",
}
START = """mutation($sensor: SensorSelector!) { startSensor(sensorSelector: $sensor) { __typename
    ... on PythonError { message } } }"""
LAUNCH = """mutation($params: ExecutionParams!) { launchRun(executionParams: $params) { __typename
    ... on PythonError { message } ... on RunConfigValidationInvalid { errors { message } } } }"""
SECONDS = 600
"""Far longer than it takes (a minute), as machines that run tests may be busy."""


class Archives:
    """Archives that hold one series of arrays, and later another one."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        genome = simulate_genome(np.random.default_rng(1))
        self.chip = simulate_chip(genome, np.random.default_rng(2))
        self.arrays = {
            each: simulate_hybridizations(each, genome, self.chip, np.random.default_rng(3))
            for each in (AFFYMETRIX, ARRAY_EXPRESS)
        }
        self.answer(with_the_second=False)

    def answer(self, *, with_the_second: bool) -> None:
        """Write the answers about one experiment, or about both."""
        mirror = MirrorDraft(self.folder)
        rng = np.random.default_rng(4)
        geo.answer_for_affymetrix(mirror, self.chip, self.arrays[AFFYMETRIX], rng)
        if with_the_second:
            arrayexpress.answer_for_experiment(mirror, self.arrays[ARRAY_EXPRESS], rng)
        searches.answer_searches(mirror, [], [AFFYMETRIX, ARRAY_EXPRESS][: 1 + with_the_second])
        mirror.write_index()

    def annotate(self, lake: Lake) -> None:
        """Build the annotation of the arrays' platform."""
        tables = {"probe_tab": probe_tab_text(self.chip), "brainarray": brainarray_text(self.chip)}
        for name, text in tables.items():
            (self.folder / name).write_bytes(text)
        files = {name: str(self.folder / name) for name in tables}
        register_platform(lake, PlatformInputs(PLATFORM, source="simulated", **files))
        build_annotation(lake, PLATFORM)


def turn_on(ui: Ui, sensor: str) -> None:
    answer = ui.ask(START, sensor=WHERE | {"sensorName": sensor})["startSensor"]
    assert answer["__typename"] == "Sensor", answer


def launch(ui: Ui, job: str) -> None:
    params = {"selector": WHERE | {"jobName": job}, "runConfigData": json.dumps({})}
    answer = ui.ask(LAUNCH, params=params)["launchRun"]
    assert answer["__typename"] == "LaunchRunSuccess", answer


@pytest.fixture
def archives(tmp_path: Path) -> Archives:
    return Archives(tmp_path / "archives")


def test_a_new_accession_is_found_processed_and_counted_for_the_target(
    archives: Archives, tmp_path: Path
) -> None:
    lake = Lake(str(tmp_path / "lake"))
    archives.annotate(lake)
    home = {
        "REFINEBIO_HOME": lake.url,
        "REFINEBIO_MIRROR": str(archives.folder / INDEX),
        "REFINEBIO_DISCOVERY_RULES": str(archives.folder / searches.RULES),
    }
    searches.write_rules(archives.folder)
    processed = command_in(tmp_path)("process", AFFYMETRIX.accession, env=home)
    assert processed.returncode == 0, processed.stderr
    decide_samples(lake, ORGANISM, minimum=1)
    before = build_target(lake, ORGANISM).commit
    before_processing = lake.history("gene_expression", AFFYMETRIX.accession)
    archives.answer(with_the_second=True)
    env = {key: value for key, value in os.environ.items() if key != "DAGSTER_HOME"}
    with dagster_ui(tmp_path, env | home | {"PYTHONPATH": str(REPOSITORY)}) as ui:
        # The schedule does it on Mondays.
        launch(ui, "discover_experiments")
        wait_until(lambda: len(lake.partitions("discovery")) == 3, "discovery", SECONDS)
        turn_on(ui, "discovered_experiments")
        wait_until(
            lambda: lake.head("gene_expression", ARRAY_EXPRESS.accession) is not None, "processing", SECONDS
        )
        turn_on(ui, "outgrown_target")
        wait_until(lambda: lake.head("target_quantiles", ORGANISM) != before, "the target", SECONDS)
    target = lake.head("target_quantiles", ORGANISM)
    assert target is not None
    assert {ref.partition for ref in target.inputs if ref.asset == "gene_expression"} == {
        AFFYMETRIX.accession,
        ARRAY_EXPRESS.accession,
    }
    assert lake.history("gene_expression", AFFYMETRIX.accession) == before_processing
