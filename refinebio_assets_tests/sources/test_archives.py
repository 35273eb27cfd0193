from __future__ import annotations

import sys
import threading
from pathlib import Path

from refinebio_assets.sources.archives import web_source
from refinebio_assets.sources.web.client import Web


def test_threads_that_come_at_once_get_one_way_to_the_web(tmp_path: Path) -> None:
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for _ in range(5):
            assert len(set(map(id, _opened_at_once(tmp_path)))) == 1
    finally:
        sys.setswitchinterval(usual)


def _opened_at_once(mirror: Path) -> list[Web]:
    """Return what each of several threads got."""
    source = web_source({"REFINEBIO_MIRROR": str(mirror)})
    start, got = threading.Barrier(8), []

    def come() -> None:
        start.wait()
        got.append(source())

    threads = [threading.Thread(target=come) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    source().close()
    return got
