"""Builds one dataset in a Dagster run, in a process of its own, for the web API.

``python -m refinebio_assets.cli.api_worker DATASET``; how the run ended is the last line, in JSON.
"""

from __future__ import annotations

import json
import sys

from refinebio_assets.errors import RefinebioError


def main(dataset: str) -> int:
    """Build a dataset and say how that went; the exit code is 0 when it could be said."""
    from refinebio_assets.cli.home import lake_url
    from refinebio_assets.definitions import build_definitions
    from refinebio_assets.defs.dagster_home import prepare_dagster_home
    from refinebio_assets.defs.launch import register_datasets, run_dataset

    prepare_dagster_home(lake_url())
    try:
        register_datasets([dataset])
        outcome = run_dataset(build_definitions(), dataset, asked_by="api", tell=_tell)
    except RefinebioError as error:
        said = {"success": False, "problem": str(error)}
    else:
        said = {"success": outcome.success, "problem": outcome.problem}
    sys.stdout.write(json.dumps(said) + "\n")
    return 0


def _tell(line: str) -> None:
    sys.stderr.write(f"{line}\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
