"""How often a server is asked, across all threads of a process. No requests here."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

NCBI_DOMAIN = "ncbi.nlm.nih.gov"
EUTILS_HOST = "eutils.ncbi.nlm.nih.gov"
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
    ``clock`` gives seconds that never go back.
    """

    has_ncbi_key: bool = False
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    per_second: Mapping[str, float] = field(default_factory=dict)
    _next: dict[str, float] = field(default_factory=dict, init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False)

    def wait(self, host: str) -> None:
        """Return when the next request to ``host`` may be sent."""
        group = self._group(host)
        with self._lock:
            now = self.clock()
            turn = max(now, self._next.get(group, now))
            self._next[group] = turn + 1 / self._rate(group)
        # Slept outside the lock, so that other hosts need not wait.
        if turn > now:
            self.sleep(turn - now)

    def _group(self, host: str) -> str:
        host = host.lower().rstrip(".")
        if self.has_ncbi_key and host == EUTILS_HOST:
            return host
        return NCBI_DOMAIN if host == NCBI_DOMAIN or host.endswith(f".{NCBI_DOMAIN}") else host

    def _rate(self, group: str) -> float:
        known = {NCBI_DOMAIN: NCBI_PER_SECOND, EUTILS_HOST: EUTILS_WITH_KEY_PER_SECOND}
        return self.per_second.get(group) or known.get(group, OTHERS_PER_SECOND)
