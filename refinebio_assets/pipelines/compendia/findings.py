"""``findings.json``: what was found while a compendium was made: errors of imputation, structure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from refinebio_assets.lake.store import Commit, Lake
from refinebio_assets.pipelines.compendia.building import CompendiumFacts

NAME = "findings.json"


def write_findings(folder: Path, facts: CompendiumFacts, structure: Mapping[str, Any]) -> None:
    """Write them into a commit's folder; what is not known is null."""
    held_out = facts.held_out
    content = {
        "imputation": {
            "method": facts.imputation,
            "rank": facts.rank,
            "iterations": facts.iterations,
            "settled": facts.settled,
            "share": facts.share_missing,
            "held_out": None if held_out is None else _known(asdict(held_out)),
        },
        "structure": structure,
    }
    (folder / NAME).write_text(json.dumps(content, separators=(",", ":"), allow_nan=False) + "\n")


def read_findings(lake: Lake, commit: Commit) -> dict[str, Any]:
    """Return the findings of a compendium's commit."""
    content: dict[str, Any] = json.loads(lake.local(commit.file(NAME)).read_bytes())
    return content


def _known(value: Any) -> Any:
    """Return a value with null in place of what is not a number."""
    if isinstance(value, dict):
        return {name: _known(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_known(item) for item in value]
    return None if isinstance(value, float) and np.isnan(value) else value
