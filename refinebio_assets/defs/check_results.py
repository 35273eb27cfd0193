"""Results of asset checks that list problems."""

from collections.abc import Sequence

from dagster import AssetCheckResult


def result_of(problems: Sequence[str], otherwise: str, *, check_name: str | None = None) -> AssetCheckResult:
    """Return the result of a check: failed for any problem, which it names; passed with ``otherwise``."""
    return AssetCheckResult(
        check_name=check_name, passed=not problems, description="; ".join(problems) or otherwise
    )
