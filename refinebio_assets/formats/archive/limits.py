"""How much may come out of an archive, and the counting of it."""

from __future__ import annotations

from dataclasses import dataclass

from refinebio_assets.errors import PermanentError


@dataclass(frozen=True, slots=True)
class Limits:
    """What an archive may hold, archives inside it included; beyond is taken for an attack or a mistake.

    ``unpacked_bytes`` is all that comes out, ``members`` counts entries of every kind. ``ratio`` is the
    bytes that come out over the archive's size on disk, and counts once ``ratio_after_bytes`` are out:
    small files of one letter are innocent. ``depth`` is how many archives may lie in each other, the
    outermost included.
    """

    unpacked_bytes: int = 500 * 10**9
    members: int = 100_000
    ratio: float = 200.0
    ratio_after_bytes: int = 256 << 20
    depth: int = 4


DEFAULT_LIMITS = Limits()
"""Beyond the largest archives of GEO and ArrayExpress: some 100 GB, some 10,000 files."""


class Budget:
    """Counts what has come out of one archive; raises PermanentError at the limit that is passed."""

    def __init__(self, limits: Limits, label: str, archive_bytes: int) -> None:
        self._limits = limits
        self._label = label
        self._archive_bytes = max(archive_bytes, 1)
        self._bytes = 0
        self._members = 0
        self.passed = False
        """Whether a limit was passed."""

    @property
    def directory_bytes(self) -> int:
        """How long a zip's list of members may be: it is read at once."""
        return max(self._limits.members * 160, 1 << 20)

    def member(self) -> None:
        """Count one more entry."""
        self._members += 1
        if self._members > self._limits.members:
            self._refuse("members", f"{self._limits.members:,}", "more")

    def take(self, count: int) -> None:
        """Count bytes that came out."""
        self._bytes += count
        if self._bytes > self._limits.unpacked_bytes:
            self._refuse("unpacked bytes", f"{self._limits.unpacked_bytes:,}", "more")
        ratio = self._bytes / self._archive_bytes
        if self._bytes > self._limits.ratio_after_bytes and ratio > self._limits.ratio:
            found = f"{ratio:,.0f} ({self._bytes:,} bytes so far out of {self._archive_bytes:,})"
            self._refuse("compression ratio", f"{self._limits.ratio:,g}", found)

    def enter(self, depth: int) -> None:
        """Check that an archive may lie this deep; the outermost has depth 1."""
        if depth > self._limits.depth:
            self._refuse("archives inside each other", str(self._limits.depth), str(depth))

    def _refuse(self, what: str, limit: str, found: str) -> None:
        self.passed = True
        raise PermanentError(
            f"{self._label}: refused to unpack: the limit of {what} is {limit}, found {found}"
        )
