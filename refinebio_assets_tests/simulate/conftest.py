"""One world for all tests of this room: it takes seconds to make."""

from __future__ import annotations

import pytest

from refinebio_assets.simulate.world import World, simulate_world


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return simulate_world(tmp_path_factory.mktemp("simulated") / "world")
