"""How often a server is asked, across all threads of a process, and all processes that share a folder.

No requests here.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from refinebio_assets.sources.web.shared_turns import later_turn, take_turn
from refinebio_assets.sources.web.urls import EUTILS_HOST

_logger = logging.getLogger(__name__)

NCBI_DOMAIN = "ncbi.nlm.nih.gov"
NCBI_PER_SECOND = 3.0
EUTILS_WITH_KEY_PER_SECOND = 10.0
"""NCBI's rule: 3 requests a second, 10 to the E-utilities with a key
(NBK25497, "A General Introduction to the E-utilities")."""
OTHERS_PER_SECOND = 10.0
"""A courtesy, well below what EBI asks of users (ENA: 50 a second)."""


@dataclass(slots=True)
class RateLimit:
    """Lets requests to one group of hosts pass at even distances; the hosts of NCBI are one group.

    With ``has_ncbi_key`` the E-utilities, which alone know the key, are a faster group of their own.
    ``folder`` holds the turns that processes share; without one, or where it cannot be used (logged), each
    process counts for itself. ``clock`` gives seconds since 1970.
    """

    has_ncbi_key: bool = False
    clock: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep
    per_second: Mapping[str, float] = field(default_factory=dict)
    folder: Path | None = None
    _next: dict[str, float] = field(default_factory=dict, init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False)

    def wait(self, host: str) -> None:
        """Return when the next request to ``host`` may be sent."""
        group = self._group(host)
        with self._lock:
            now = self.clock()
            turn = self._turn(group, now)
        # Slept outside the lock, so that other hosts need not wait.
        if turn > now:
            self.sleep(turn - now)

    def _turn(self, group: str, now: float) -> float:
        distance = 1 / self._rate(group)
        if self.folder is not None:
            try:
                return take_turn(self.folder / f"{quote(group, safe='')}.turn", now, distance)
            except OSError as error:
                _logger.warning("processes do not share how often servers are asked: %s", error)
                self.folder = None
        turn = later_turn(now, self._next.get(group, now))
        self._next[group] = turn + distance
        return turn

    def _group(self, host: str) -> str:
        host = host.lower().rstrip(".")
        if self.has_ncbi_key and host == EUTILS_HOST:
            return host
        return NCBI_DOMAIN if host == NCBI_DOMAIN or host.endswith(f".{NCBI_DOMAIN}") else host

    def _rate(self, group: str) -> float:
        known = {NCBI_DOMAIN: NCBI_PER_SECOND, EUTILS_HOST: EUTILS_WITH_KEY_PER_SECOND}
        return self.per_second.get(group) or known.get(group, OTHERS_PER_SECOND)
