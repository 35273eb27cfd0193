"""A full disk is a StorageError that says what was tried, and leaves the lake as it was."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from refinebio_assets_tests.lake.nursery import Nursery

IMPORT = "import sys; from refinebio_assets_tests.lake import nursery; "
ON_A_DISK = [
    IMPORT + "nursery.write_with_little_room(sys.argv[1], 0)",
    IMPORT + "nursery.set_aside_without_room(sys.argv[1])",
]


def test_files_that_may_not_grow_leave_nothing_behind(tmp_path: Path) -> None:
    with Nursery() as nursery:
        child = nursery.fork("write_with_little_room", root=str(tmp_path / "lake"), limit=400_000)
        assert nursery.wait(child) == 0


@pytest.mark.skipif(
    os.geteuid() != 0 or not shutil.which("unshare"), reason="mounting a small disk needs root"
)
@pytest.mark.parametrize("work", ON_A_DISK, ids=["writing", "setting aside"])
def test_a_disk_without_room_leaves_nothing_behind(tmp_path: Path, work: str) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    inside = ["sh", "-c", 'mount -t tmpfs -o size=1500k none "$1" && exec "$2" -c "$3" "$1/lake"', "sh"]
    mount = ["unshare", "--mount", *inside, str(disk), sys.executable, work]
    if subprocess.run(["unshare", "--mount", "true"], check=False, capture_output=True).returncode:
        pytest.skip("this machine allows no private mounts")
    done = subprocess.run(mount, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
