"""The rooms of the code: what may be loaded where, and conventions that every module keeps."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from refinebio_assets_tests.conftest import REPOSITORY

PACKAGE = REPOSITORY / "refinebio_assets"
MODULES = sorted(PACKAGE.rglob("*.py"))
LOWER_ROOMS = [
    "errors",
    "domain",
    "methods",
    "formats",
    "tools",
    "metadata",
    "platforms",
    "sources",
    "simulate",
    "lake",
    "pipelines",
    "cli",
]
FORBIDDEN_NAMES = {"utils", "util", "helpers", "common", "misc"}
MAX_FUNCTION_LINES = 100
MAX_MODULE_LINES = 400


def _modules_of(room: str) -> list[str]:
    paths = [PACKAGE / f"{room}.py", *sorted((PACKAGE / room).rglob("*.py"))]
    names = [".".join(path.relative_to(REPOSITORY).with_suffix("").parts) for path in paths if path.exists()]
    return [name.removesuffix(".__init__") for name in names]


def _loaded_after_importing(modules: list[str]) -> set[str]:
    code = f"import sys\nfor name in {modules!r}: __import__(name)\nprint(' '.join(sorted(sys.modules)))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(run.stdout.split())


@pytest.mark.parametrize("room", LOWER_ROOMS)
def test_a_lower_room_loads_neither_dagster_nor_pandas(room: str) -> None:
    loaded = _loaded_after_importing(_modules_of(room))
    assert not loaded & {"dagster", "pandas", "matplotlib", "anndata"}


def test_the_command_line_starts_without_heavy_packages() -> None:
    loaded = _loaded_after_importing(["refinebio_assets.cli.main"])
    assert not loaded & {"dagster", "pandas", "duckdb", "pyarrow", "numpy"}


def test_the_definitions_load_without_packages_that_only_work_needs() -> None:
    loaded = _loaded_after_importing(["refinebio_assets.definitions"])
    assert not loaded & {"pandas", "matplotlib", "anndata", "scipy", "s3fs"}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_module_says_what_lives_in_it_and_is_of_readable_size(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text)
    assert ast.get_docstring(tree), "a module's first lines say what lives there"
    assert text.count("\n") <= MAX_MODULE_LINES
    assert not {*path.relative_to(PACKAGE).with_suffix("").parts} & FORBIDDEN_NAMES
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            assert node.end_lineno is not None
            assert node.end_lineno - node.lineno < MAX_FUNCTION_LINES, node.name
