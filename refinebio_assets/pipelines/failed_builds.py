"""Remembers builds of targets and compendia that failed, so that what must fail again is not asked for.

A failure is a commit of its own under the asset ``failed_build``. It counts until the build succeeds. One
that stays as it is parks the build until what it would be made of differs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from refinebio_assets.errors import RefinebioError, StorageError
from refinebio_assets.lake.store import Lake
from refinebio_assets.pipelines.freshness import Basis, content_hash
from refinebio_assets.pipelines.outcome import Situation

ASSET = "failed_build"
TABLE = "failed_builds"
CODE_VERSION = "1"

Assess = Callable[[Lake, str], Situation]


@dataclass(frozen=True, slots=True)
class FailedBuild:
    """Why the last build of something failed, whether that stays, and a hash of what it was made of."""

    reason: str
    permanent: bool
    inputs: str


@contextmanager
def remembered(lake: Lake, asset: str, partition: str, basis: Basis, run_id: str = "") -> Iterator[None]:
    """Keep the reason in the lake when a build from this basis raises a RefinebioError, which passes on."""
    try:
        yield
    except RefinebioError as error:
        # Where the lake cannot be written, the error that passes on says so.
        with suppress(StorageError):
            _keep(
                lake, asset, partition, FailedBuild(str(error), error.permanent, content_hash(basis)), run_id
            )
        raise


def last_failure(lake: Lake, asset: str, partition: str) -> FailedBuild | None:
    """Return how the newest build of an asset's partition failed; None when it was made since."""
    failed, made = lake.head(ASSET, _name(asset, partition)), lake.head(asset, partition)
    if failed is None or (made is not None and made.id > failed.id):
        return None
    return FailedBuild(failed.info["reason"], failed.info["permanent"], failed.info["inputs"])


def why_not_now(lake: Lake, asset: str, partition: str, assess: Assess) -> str:
    """Say why a build would be in vain; empty when it may succeed.

    It cannot be made of what there is, there is nothing new that it takes, or it failed for good with all
    inputs as they are.
    """
    try:
        situation = assess(lake, partition)
    except RefinebioError as error:
        return str(error)
    if not situation.reasons:
        return "nothing that it is made of differs"
    failed = last_failure(lake, asset, partition)
    if failed is not None and failed.permanent and failed.inputs == content_hash(situation.basis):
        return f"parked until its inputs change, as it failed: {failed.reason}"
    return ""


def _keep(lake: Lake, asset: str, partition: str, failed: FailedBuild, run_id: str) -> None:
    row = {"failed_asset": asset, "failed_partition": partition, "reason": failed.reason}
    with lake.draft(ASSET, _name(asset, partition)) as draft:
        draft.write_table(TABLE, [row | {"permanent": failed.permanent, "failed_at": lake.now()}])
        draft.commit(
            version=content_hash([failed.reason, failed.inputs]),
            code_version=CODE_VERSION,
            info={"reason": failed.reason, "permanent": failed.permanent, "inputs": failed.inputs},
            run_id=run_id,
        )


def _name(asset: str, partition: str) -> str:
    return f"{asset} of {partition}"
