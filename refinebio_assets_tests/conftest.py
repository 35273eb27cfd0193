"""Fixtures that several rooms' tests share: where the real data are, where they may be absent."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from refinebio_assets_tests.lake.s3_server import s3_bucket

__all__ = ["s3_bucket", "shared_data"]

REPOSITORY = Path(__file__).resolve().parents[1]


def pytest_configure() -> None:
    """Let interrupts through, which a shell ignores in the background, and give examples their time."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    # A busy machine is no failure: nothing is timed.
    settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
    settings.load_profile("untimed")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data beside the repository; the test is skipped where it is absent."""
    folder = Path(os.environ.get("REFINEBIO_SHARED_DATA", REPOSITORY.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"real data are absent: no folder {folder} (set REFINEBIO_SHARED_DATA to point at it)")
    return folder
