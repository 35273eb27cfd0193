"""Fixtures of the ArrayExpress tests: a small archive made by hand, and the recorded one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from refinebio_assets.sources.web.client import Web
from refinebio_assets.sources.web.settings import open_web
from refinebio_assets_tests.sources.arrayexpress.small_archive import SmallArchive


@pytest.fixture
def archive(tmp_path: Path) -> SmallArchive:
    return SmallArchive(tmp_path / "mirror")


@pytest.fixture(scope="session")
def recorded(shared_data: Path) -> Iterator[Web]:
    """The real responses that refine.bio recorded, through the real client."""
    with open_web({"REFINEBIO_MIRROR": str(shared_data / "recorded_responses")}) as web:
        yield web
