"""What importing and using the lake loads: start-up time is the command line's speed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

SLOW = ("pandas", "dagster", "duckdb", "pyarrow", "numpy", "fsspec", "s3fs")


def loaded_by(code: str, *arguments: str) -> set[str]:
    report = f"\nimport json, sys; print(json.dumps([m for m in {SLOW!r} if m in sys.modules]))"
    command = [sys.executable, "-c", code + report, *arguments]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return set(json.loads(done.stdout.splitlines()[-1]))


def test_importing_the_store_loads_nothing_slow() -> None:
    assert loaded_by("import refinebio_assets.lake.store, refinebio_assets.lake.schema") == set()


def test_reading_the_log_of_a_local_lake_loads_nothing_slow(tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "from refinebio_assets.lake.store import Lake\n"
        "lake = Lake(sys.argv[1])\n"
        "with lake.draft('a', 'p') as draft: draft.commit(version='v', code_version='1')\n"
        "assert lake.head('a', 'p').version == 'v'\n"
    )
    assert loaded_by(code, str(tmp_path)) == set()


def test_tables_and_the_catalog_work_without_pandas(tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "from refinebio_assets.lake.catalog import Catalog\n"
        "from refinebio_assets.lake.store import Lake\n"
        "from refinebio_assets_tests.lake.making import commit_record\n"
        "lake = Lake(sys.argv[1])\n"
        "commit = commit_record(lake, 'E1')\n"
        "assert lake.read_table(commit, 'samples').num_rows == 2\n"
        "catalog = Catalog(lake)\n"
        "catalog.sync()\n"
        "assert catalog.query('SELECT * FROM samples').num_rows == 2\n"
    )
    assert loaded_by(code, str(tmp_path)) == {"duckdb", "pyarrow", "numpy"}
