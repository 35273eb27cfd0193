"""Keeps a whole experiment beside its commit, in a file: large studies do not fit a commit record."""

from __future__ import annotations

import gzip
import json
from typing import Any

from refinebio_assets.domain import Experiment
from refinebio_assets.errors import FormatError
from refinebio_assets.lake.draft import Draft
from refinebio_assets.lake.store import Commit, Lake
from refinebio_assets.sources.experiment_json import experiment_from_json

NAME = "experiment.json.gz"


def write_experiment(draft: Draft, content: dict[str, Any]) -> None:
    """Put an experiment's JSON form into a draft; the same form gives the same bytes."""
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
    (draft.folder / NAME).write_bytes(gzip.compress(text, compresslevel=6, mtime=0))


def read_experiment(lake: Lake, commit: Commit) -> Experiment:
    """Return the experiment that a registration or record holds; raises FormatError when it is damaged."""
    if "experiment" in commit.info:  # commits of the first version kept it in the record itself
        return experiment_from_json(commit.info["experiment"], file=str(commit))
    stored = commit.file(NAME)
    try:
        with lake.open(stored) as file:
            document = json.loads(gzip.decompress(file.read()))
    except (OSError, EOFError, ValueError) as error:
        raise FormatError(stored.path, expected="an experiment as JSON in gzip", found=repr(error)) from error
    return experiment_from_json(document, file=stored.path)
