"""A small record of GEO's answers, empty at first, a real ``Web`` that replays it, and a survey of it."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from refinebio_assets.sources.geo.survey import survey_geo
from refinebio_assets.sources.web.client import Web
from refinebio_assets.sources.web.settings import open_web
from refinebio_assets_tests.sources.geo.replay import Replay, family_text
from refinebio_assets_tests.sources.geo.small_series import GSE, TITLES, series


@pytest.fixture
def replay(tmp_path: Path) -> Replay:
    return Replay(tmp_path / "replay")


@pytest.fixture
def connect(replay: Replay) -> Callable[..., Web]:
    """Open the way to the replayed answers, and to further folders of them."""

    def opened(*more: Path) -> Web:
        return open_web({"REFINEBIO_MIRROR": os.pathsep.join(map(str, (replay.folder, *more)))})

    return opened


@pytest.fixture
def survey(replay, connect):
    """Survey a series of the given samples (``GSM9000001`` and on) and facts."""

    def run(*samples, facts=None, titles=TITLES):
        named = {f"GSM900000{number}": one for number, one in enumerate(samples, start=1)}
        replay.add_family(GSE, family_text(GSE, facts or series(), named, titles))
        with connect() as web:
            return survey_geo(web, GSE)

    return run
