"""Fixtures: a server that misbehaves as told, and clients that never really sleep."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from refinebio_assets.sources.web.client import Web
from refinebio_assets_tests.sources.web.scripted_server import ScriptedServer, scripted_server


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with scripted_server() as running:
        yield running


@pytest.fixture
def slept() -> list[float]:
    """The waits between tries, in seconds, of the clients that ``open_client`` makes."""
    return []


@pytest.fixture
def open_client(slept: list[float]) -> Iterator[Callable[..., Web]]:
    """Make clients of the real network stack, with settings as ``Web`` takes them.

    They read no certificates, which takes longer than most tests; nothing here speaks TLS.
    """
    with ExitStack() as stack:

        def make(transport: httpx.BaseTransport | None = None, **settings: Any) -> Web:
            defaults = {"sleep": slept.append, "rng": random.Random(1), "now": lambda: 1_000_000_000.0}
            client = Web(transport or httpx.HTTPTransport(verify=False), **(defaults | settings))
            return stack.enter_context(client)

        yield make


@pytest.fixture
def web(open_client: Callable[..., Web]) -> Web:
    return open_client()


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "reads.fastq.gz"
