"""Fixtures of the use cases' tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from refinebio_assets_tests.pipelines.study import Study
from refinebio_assets_tests.pipelines.surveyed import World


@pytest.fixture
def study(tmp_path: Path) -> Study:
    """A study of three samples, registered but not processed."""
    made = Study.of_three(tmp_path)
    made.register()
    return made


@pytest.fixture
def world(tmp_path: Path) -> World:
    """An archive with one experiment, not surveyed yet."""
    return World(tmp_path)
