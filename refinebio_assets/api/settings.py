"""What can be set about the API, as one frozen value."""

from __future__ import annotations

from dataclasses import dataclass

MEGABYTE = 1_000_000


@dataclass(frozen=True, slots=True)
class ApiSettings:
    """How the API behaves.

    ``public_url`` is the server's address for clients where a proxy hides it, empty for that of the request.
    ``requests_per_second`` is the limit for one address, 0 for none; ``burst`` how many may come at once.
    ``expires_days`` is how long a download link works. ``read_only`` refuses tokens and datasets.
    """

    public_url: str = ""
    requests_per_second: float = 10.0
    burst: int = 50
    max_body_bytes: int = 10 * MEGABYTE
    expires_days: int = 7
    read_only: bool = False
    cors_origins: tuple[str, ...] = ("*",)
    trust_proxy: bool = False
