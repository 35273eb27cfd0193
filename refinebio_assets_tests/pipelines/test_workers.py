"""How many cores a step thinks it has."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from refinebio_assets.pipelines.cpu_quota import cpu_quota


class Groups:
    """Control groups as the kernel shows them, in a folder."""

    def __init__(self, folder: Path) -> None:
        self.mounted = folder / "mounted"
        self.process = folder / "process"
        self.mounted.mkdir()

    def write(self, file: str, text: str) -> None:
        path = self.mounted / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def quota(self, *lines: str) -> float:
        """Return the quota of a process that is in these groups."""
        self.process.write_text("".join(f"{line}\n" for line in lines))
        return cpu_quota(self.process, self.mounted)


@pytest.fixture
def groups(tmp_path: Path) -> Groups:
    return Groups(tmp_path)


@pytest.mark.parametrize(
    ("limits", "cores"), [("400000 100000\n", 4.0), ("50000 100000\n", 0.5), ("max 100000\n", math.inf)]
)
def test_a_containers_quota_is_read(groups: Groups, limits: str, cores: float) -> None:
    groups.write("cpu.max", limits)
    assert groups.quota("0::/") == cores
    assert groups.quota("0::/../outside.scope") == cores


def test_the_smallest_quota_of_a_service_and_of_the_groups_above_it_wins(groups: Groups) -> None:
    groups.write("system.slice/cpu.max", "300000 100000")
    groups.write("system.slice/refinebio.service/cpu.max", "max 100000")
    assert groups.quota("0::/system.slice/refinebio.service") == 3
    groups.write("system.slice/refinebio.service/cpu.max", "150000 100000")
    assert groups.quota("0::/system.slice/refinebio.service") == 1.5
    assert groups.quota("0::/user.slice") == math.inf


def test_quotas_of_the_first_version_of_control_groups_are_read(groups: Groups) -> None:
    lines = ("4:memory:/docker/1", "2:cpu,cpuacct:/docker/1", "0::/")
    groups.write("cpu/docker/1/cpu.cfs_quota_us", "250000\n")
    groups.write("cpu/docker/1/cpu.cfs_period_us", "100000\n")
    assert groups.quota(*lines) == 2.5
    groups.write("cpu/docker/1/cpu.cfs_quota_us", "-1\n")
    assert groups.quota(*lines) == math.inf


def test_without_control_groups_there_is_no_quota(tmp_path: Path) -> None:
    assert cpu_quota(tmp_path / "absent", tmp_path / "neither") == math.inf
