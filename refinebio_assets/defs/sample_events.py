"""Makes every processed sample visible as a partition of the external asset ``sample_quantification``."""

import os
import random
import time
from collections.abc import Mapping, Sequence
from typing import Any

from dagster import (
    AssetExecutionContext,
    AssetMaterialization,
    AssetObservation,
    DagsterInstance,
    MetadataValue,
)
from sqlalchemy.exc import IntegrityError

from refinebio_assets.defs.partitions import SAMPLE
from refinebio_assets.domain import Verdict
from refinebio_assets.pipelines.outcome import Outcome
from refinebio_assets.pipelines.sample_quantification import ASSET
from refinebio_assets.pipelines.sample_quantifications import sample_code_version

LIMIT_VARIABLE = "REFINEBIO_SAMPLE_EVENTS"
DEFAULT_LIMIT = 1_000
"""Events a run; one costs about 20 ms. The catalog has every sample whatever the limit."""

KEYS_A_CALL = 1_000
"""SQLite refuses statements with tens of thousands of values."""

LOOKS = 20
"""How often keys are added that other processes add at the same time."""

_SHOWN = (
    "experiment",
    "verdict",
    "reason",
    "processor",
    "processor_version",
    "processing",
    "processing_reason",
    "platform",
    "detected_platform",
    "detection_percentage",
    "mapped_percentage",
    "command",
    "reference",
    "mapping_rate",
    "library_type",
    "reads_processed",
    "reads_mapped",
    "duration_seconds",
    "file_path",
    "why",
)


def report_samples(
    context: AssetExecutionContext, outcome: Outcome, results: Sequence[Mapping[str, Any]]
) -> None:
    """Log an event for each sample processed in this run, and for those this instance has not seen."""
    limit = int(os.environ.get(LIMIT_VARIABLE, DEFAULT_LIMIT))
    seen = set(context.instance.get_dynamic_partitions(SAMPLE))
    new = [row for row in results if row["sample"] in outcome.sample_reasons or row["sample"] not in seen]
    if len(new) > limit:
        context.log.warning(
            f"{len(new):,} samples are news here; events are written for {limit:,} of them "
            f"({LIMIT_VARIABLE}). All are in the catalog."
        )
    add_keys(context.instance, SAMPLE, [row["sample"] for row in new[:limit]])
    for row in new[:limit]:
        context.log_event(_event(row))


def add_keys(instance: DagsterInstance, partitions: str, keys: Sequence[str]) -> None:
    """Add dynamic partition keys; those that exist, or that another run adds, are left as they are."""
    for start in range(0, len(keys), KEYS_A_CALL):
        _add(instance, partitions, list(keys[start : start + KEYS_A_CALL]))


def _add(instance: DagsterInstance, partitions: str, keys: list[str]) -> None:
    # Dagster reads which keys there are and writes the others: a key that another process writes in between
    # is refused by the database, and is one of those that are there at the next look.
    for _ in range(LOOKS):
        try:
            return instance.add_dynamic_partitions(partitions, keys)
        except IntegrityError:
            time.sleep(random.uniform(0.01, 0.1))
    return instance.add_dynamic_partitions(partitions, keys)


def _event(row: Mapping[str, Any]) -> AssetMaterialization | AssetObservation:
    metadata = {key: _value(row[key]) for key in _SHOWN if row.get(key) not in (None, "")}
    if row["verdict"] != Verdict.PROCESSED:
        return AssetObservation(asset_key=ASSET, partition=row["sample"], metadata=metadata)
    return AssetMaterialization(
        asset_key=ASSET,
        partition=row["sample"],
        description=f"{row['sample']} of {row['experiment']}",
        metadata=metadata,
        tags={"dagster/data_version": row["version"], "dagster/code_version": sample_code_version()},
    )


def _value(value: Any) -> MetadataValue:
    if isinstance(value, int | float):
        return MetadataValue.float(float(value)) if isinstance(value, float) else MetadataValue.int(value)
    return MetadataValue.text(str(value))
