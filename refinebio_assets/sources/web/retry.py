"""Which failures of a server pass by themselves, and how long to wait for them.

What counts as a failed try is decided in ``client`` and ``download``; here it is repeated.
"""

from __future__ import annotations

import logging
import random
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import TypeVar

import httpx

from refinebio_assets.errors import GivenUpError, PermanentError

_logger = logging.getLogger(__name__)

T = TypeVar("T")

PASSING_STATUSES = frozenset({408, 425, 429})
LASTING_SERVER_STATUSES = frozenset({501, 505, 511})
"""Of the server's own failures, those that say what it will never do."""
_PASSING_ERRORS = (httpx.TimeoutException, httpx.NetworkError, httpx.RemoteProtocolError, httpx.ProxyError)


class PassingError(Exception):
    """One try failed in a way that may pass. Leaves this room only as TransientError.

    ``wait`` is the server's own wish in seconds, None when it has none. ``progressed`` tells that the
    try was not in vain, so that it does not count; ``unreachable`` that no server was met at all.
    """

    def __init__(
        self,
        reason: str,
        *,
        status: int | None = None,
        wait: float | None = None,
        progressed: bool = False,
        unreachable: bool = False,
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.status = status
        self.wait = wait
        self.progressed = progressed
        self.unreachable = unreachable


@dataclass(frozen=True, slots=True)
class Patience:
    """How often to try, and how long to wait in between, in seconds.

    The n-th wait is drawn from the upper half of ``first_wait * 2**(n-1)``, at most ``longest_wait``
    (the ancestor's cap), so that many clients do not come back together. A server's Retry-After is kept
    up to ``longest_wish``; one that asks for more ends the tries, as coming back early would be refused.
    A host that cannot be reached at all is given up after ``unreachable_tries``: that is mostly a machine
    without a network, and somebody waits for the message.
    """

    tries: int = 6
    first_wait: float = 2.0
    longest_wait: float = 120.0
    longest_wish: float = 300.0
    unreachable_tries: int = 4

    def wait(self, failures: int, rng: random.Random) -> float:
        """Return the seconds to wait after so many failures in a row (1 or more)."""
        # 2**60 is beyond every cap, and a larger power would not fit a float.
        full = min(self.longest_wait, self.first_wait * 2.0 ** min(failures - 1, 60))
        return full * (0.5 + rng.random() / 2)


@dataclass(frozen=True, slots=True)
class Retrier:
    """Repeats a try until it succeeds, fails for good, or patience ends."""

    patience: Patience
    sleep: Callable[[float], None]
    rng: random.Random

    def run(self, url: str, attempt: Callable[[], T]) -> T:
        """Return what ``attempt`` returns; ``url`` is for the message.

        PassingError is tried again; any other error passes through. Raises GivenUpError with URL,
        tries and last status when patience ends.
        """
        tries, failures = 0, 0
        while True:
            tries += 1
            try:
                return attempt()
            except PassingError as error:
                failures = 1 if error.progressed else failures + 1
                wished = error.wait or 0.0
                limit = self.patience.unreachable_tries if error.unreachable else self.patience.tries
                if failures >= min(limit, self.patience.tries) or wished > self.patience.longest_wish:
                    raise GivenUpError(_exhausted(url, tries, error)) from error
                wait = max(self.patience.wait(failures, self.rng), wished)
                _logger.info("%s: %s; trying again in %.1f s", url, error.reason, wait)
                self.sleep(wait)


def _exhausted(url: str, tries: int, error: PassingError) -> str:
    status = "no whole answer" if error.status is None else f"last status {error.status}"
    message = f"{url}: {error.reason} (tried {tries} time{'s' if tries > 1 else ''}, {status})"
    if error.unreachable:
        message += ". Is there a network? REFINEBIO_MIRROR names a mirror to work without one"
    if error.wait:
        message += f"; the server asks to come back in {error.wait:,.0f} s"
    return message


def is_passing_status(status: int) -> bool:
    """Tell whether an HTTP status may be another one later."""
    return status in PASSING_STATUSES or (500 <= status < 600 and status not in LASTING_SERVER_STATUSES)


def retry_after(headers: Mapping[str, str], now: float) -> float | None:
    """Return how many seconds the server asks to wait: from seconds or an HTTP date, None when unreadable.

    ``headers`` have lower-case keys; ``now`` is in seconds since 1970.
    """
    text = headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:12])
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    return max(0.0, moment.replace(tzinfo=moment.tzinfo or UTC).timestamp() - now)


def failed_try(error: httpx.HTTPError | httpx.InvalidURL, url: str) -> Exception:
    """Return what to raise for an error of httpx: PassingError, or PermanentError for what will not pass."""
    reason = str(error) or type(error).__name__
    if isinstance(error, httpx.TooManyRedirects):
        return PermanentError(f"{url}: redirected in a circle, or too often")
    if _is_refused_certificate(error):
        return PermanentError(f"{url}: the server's certificate is not trusted: {reason}")
    if isinstance(error, httpx.TimeoutException):
        unreachable = isinstance(error, httpx.ConnectTimeout)
        return PassingError(f"no answer in time ({type(error).__name__})", unreachable=unreachable)
    if isinstance(error, _PASSING_ERRORS):
        return PassingError(f"connection failed: {reason}", unreachable=isinstance(error, httpx.ConnectError))
    if isinstance(error, httpx.DecodingError):
        return PassingError(f"the body is damaged: {reason}")
    return PermanentError(f"{url}: cannot be asked: {reason}")


def _is_refused_certificate(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return True
        error = error.__cause__ or error.__context__
    return False
