"""What became of one sample when its experiment was quantified, and the rows that tell of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from refinebio_assets.domain import Processing, Verdict
from refinebio_assets.pipelines import sample_quantification
from refinebio_assets.pipelines.sample_plan import Plan
from refinebio_assets.pipelines.sample_quantification import Quantification, Refusal

DETAILS = ("array_quality", "table_columns", "platform_detection", "submitted_values")
"""Tables of what a quantification finds out about its sample, beside the table ``results``."""


@dataclass(frozen=True, slots=True)
class SampleResult:
    """What became of one sample: a quantification, or a verdict with its reason.

    ``why`` says why it was processed in this run; empty when an earlier result stands.
    """

    plan: Plan
    quantification: Quantification | None = None
    verdict: Verdict = Verdict.PROCESSED
    reason: str = ""
    permanent: bool = True
    why: str = ""

    @property
    def accession(self) -> str:
        """The sample's accession."""
        return self.plan.sample.accession


def result_row(experiment: str, result: SampleResult) -> dict[str, Any]:
    """Return a sample's row of the table ``results``."""
    row: dict[str, Any] = {
        "experiment": experiment,
        "sample": result.accession,
        "verdict": str(result.verdict),
        "reason": result.reason,
        "permanent": result.permanent,
        "why": result.why,
    }
    if not isinstance(result.plan, Refusal):
        row["processor"] = result.plan.processor
        row["reference"] = result.plan.reference
    if result.quantification is not None and not isinstance(result.plan, Refusal):
        facts = dict(result.quantification.facts)
        facts.pop("transcripts", None)
        facts.pop("details", None)
        started = facts.pop("started_at", None)
        commit = result.quantification.commit
        row["processing"] = str(Processing.FROM_RAW)
        row |= facts
        row["warnings"] = [*result.plan.remarks(), *facts.get("warnings", ())]
        row["started_at"] = datetime.fromisoformat(started) if started else None
        row["version"] = commit.version
        stored = commit.file(result.plan.result_file)
        row |= {"file_path": stored.path, "file_size": stored.size, "file_sha256": stored.sha256}
    return row


def detail_rows(experiment: str, results: Iterable[SampleResult], table: str) -> Iterator[dict[str, Any]]:
    """Yield what the samples' quantifications found out, for one of the tables ``DETAILS``."""
    for result in results:
        details = result.quantification.facts.get("details", {}) if result.quantification else {}
        for row in details.get(table, ()):
            yield {"experiment": experiment, "sample": result.accession, **row}


def bytes_of(results: Iterable[SampleResult]) -> int:
    """Return the size of what was made."""
    made = [result.quantification.commit for result in results if result.quantification is not None]
    return sum(file.size for commit in made for file in commit.files)


def lineage_rows(result: SampleResult) -> list[dict[str, str]]:
    """Return rows of the table ``lineage``: what a sample's quantification was made from."""
    if result.quantification is None:
        return []
    commit = result.quantification.commit
    return [
        {
            "output_asset": sample_quantification.ASSET,
            "output_partition": result.accession,
            "output_version": commit.version,
            "input_asset": ref.asset,
            "input_partition": ref.partition,
            "input_version": ref.version,
        }
        for ref in commit.inputs
    ]
