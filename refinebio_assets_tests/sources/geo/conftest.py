"""A small record of GEO's answers, empty at first, and a real ``Web`` that replays it."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from refinebio_assets.sources.web.client import Web
from refinebio_assets.sources.web.settings import open_web
from refinebio_assets_tests.sources.geo.replay import Replay


@pytest.fixture
def replay(tmp_path: Path) -> Replay:
    return Replay(tmp_path / "replay")


@pytest.fixture
def connect(replay: Replay) -> Callable[..., Web]:
    """Open the way to the replayed answers, and to further folders of them."""

    def opened(*more: Path) -> Web:
        return open_web({"REFINEBIO_MIRROR": os.pathsep.join(map(str, (replay.folder, *more)))})

    return opened
