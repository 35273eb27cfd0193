"""How many cores a step thinks it has."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from refinebio_assets.pipelines.workers import container_quota


@pytest.mark.parametrize(
    ("limits", "cores"), [("400000 100000\n", 4.0), ("50000 100000\n", 0.5), ("max 100000\n", math.inf)]
)
def test_a_containers_quota_is_read(limits: str, cores: float, tmp_path: Path) -> None:
    (tmp_path / "cpu.max").write_text(limits)
    assert container_quota(tmp_path / "cpu.max") == cores


def test_without_a_container_there_is_no_quota(tmp_path: Path) -> None:
    assert container_quota(tmp_path / "absent") == math.inf
