"""Fixtures of the Dagster tests: a registered study and a Dagster home of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from dagster import DagsterInstance, instance_for_test

from refinebio_assets_tests.pipelines.study import Study


@pytest.fixture
def study(tmp_path: Path) -> Study:
    """A study of three samples, registered but not processed."""
    made = Study.of_three(tmp_path)
    made.register()
    return made


@pytest.fixture
def instance() -> Iterator[DagsterInstance]:
    """A Dagster instance with nothing in it, gone after the test."""
    with instance_for_test() as made:
        yield made


@pytest.fixture
def processed(study: Study, monkeypatch: pytest.MonkeyPatch) -> Study:
    """The study processed, in the lake and with the archives of the environment."""
    study.process()
    monkeypatch.setenv("REFINEBIO_HOME", str(study.folder / "lake"))
    monkeypatch.setenv("REFINEBIO_MIRROR", str(study.folder))
    return study
