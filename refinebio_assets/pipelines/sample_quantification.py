"""One sample's quantification: a commit of its own, found again by what determined it.

The commits live under the asset ``sample_quantification``, one partition a sample. A quantification
is reused by whichever experiment asks for the same inputs and code. How reads are quantified is in
``read_quantification``.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from refinebio_assets.domain import Sample, Verdict
from refinebio_assets.lake.store import Commit, Draft, InputRef, Lake, StoredFile
from refinebio_assets.pipelines.costs import peak_memory
from refinebio_assets.pipelines.freshness import Basis, content_hash

ASSET = "sample_quantification"


class SampleTask(Protocol):
    """All that one sample's quantification needs, whatever the technology."""

    @property
    def sample(self) -> Sample:
        """The sample."""

    @property
    def processor(self) -> str:
        """The name of what quantifies."""

    @property
    def reference(self) -> str | None:
        """The version of the reference that is used, None when there is none."""

    @property
    def code_version(self) -> str:
        """The version of the code's meaning."""

    @property
    def result_file(self) -> str:
        """The name of the file that ``run`` leaves in the draft."""

    def basis(self) -> Basis:
        """Return everything that determines the result; equal bases share one quantification."""

    def inputs(self) -> Sequence[InputRef]:
        """Return the versions of what the result is made from."""

    def remarks(self) -> list[str]:
        """Return what is odd about the sample as it is described, apart from the result."""

    def run(
        self, lake: Lake, draft: Draft, *, threads: int, cancelled: threading.Event | None
    ) -> dict[str, Any]:
        """Write the result into the draft and return the facts about it, its ``version`` among them."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a sample is not quantified: its files, a missing reference, or its technology."""

    sample: Sample
    verdict: Verdict
    reason: str
    permanent: bool = True

    def basis(self) -> dict[str, Any]:
        """Return what determined the refusal: its reason."""
        return {"refused": self.reason}


@dataclass(frozen=True, slots=True)
class Quantification:
    """A quantified sample: its commit, and what is known of how it was made."""

    commit: Commit
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def version(self) -> str:
        """The hash of the result's content."""
        return self.commit.version


def find_quantification(lake: Lake, sample: str, basis: Basis) -> Quantification | None:
    """Return the sample's newest quantification with this basis, or None."""
    fingerprint = content_hash(basis)
    for commit in reversed(lake.history(ASSET, sample)):
        if commit.info["fingerprint"] == fingerprint and not lake.missing_files(commit):
            return Quantification(commit, commit.info["facts"])
    return None


def lost_quantifications(lake: Lake, rows: Iterable[Mapping[str, Any]]) -> set[str]:
    """Return the samples of rows of ``results`` whose file is no longer in the lake: see ``Lake.lost``."""
    files = {
        row["sample"]: StoredFile(row["file_path"], row["file_path"], row["file_size"], row["file_sha256"])
        for row in rows
    }
    lost = set(lake.lost(list(files.values())))
    return {sample for sample, file in files.items() if file in lost}


def quantify_sample(
    lake: Lake,
    task: SampleTask,
    *,
    threads: int,
    run_id: str = "",
    cancelled: threading.Event | None = None,
) -> Quantification:
    """Quantify one sample and commit the result.

    Raises a PermanentError for bad input, a TransientError when the tool was killed or storage failed.
    """
    with lake.draft(ASSET, task.sample.accession) as draft:
        began, used = time.monotonic(), time.thread_time()
        facts = task.run(lake, draft, threads=threads, cancelled=cancelled)
        facts.setdefault("duration_seconds", time.monotonic() - began)
        # What a program used is its own count; what was computed here is this thread's.
        facts["cpu_seconds"] = facts.get("cpu_seconds", 0.0) + time.thread_time() - used
        # Samples that are computed in this process share its memory.
        facts.setdefault("peak_memory_bytes", peak_memory())
        version = facts.pop("version")
        basis = task.basis()
        commit = draft.commit(
            version=version,
            code_version=task.code_version,
            inputs=task.inputs(),
            info={"basis": basis, "fingerprint": content_hash(basis), "facts": facts},
            run_id=run_id,
        )
    return Quantification(commit, facts)
