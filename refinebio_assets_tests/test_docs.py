"""Documents keep their word: commands, options, files, variables and tables that they name exist."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from refinebio_assets.cli.main import main
from refinebio_assets.lake.catalog import Catalog
from refinebio_assets.lake.store import Lake
from refinebio_assets.platforms.pipeline_choice import decision_rules_markdown
from refinebio_assets_tests.conftest import REPOSITORY

DOCUMENTS = [
    REPOSITORY / "README.md",
    *sorted((REPOSITORY / "docs").glob("*.md")),
    REPOSITORY / "benchmarks/README.md",
]
SOURCES = "\n".join(
    path.read_text(encoding="utf-8") for path in (REPOSITORY / "refinebio_assets").rglob("*.py")
)
MAKEFILE = (REPOSITORY / "Makefile").read_text(encoding="utf-8")


def commands_in(document: Path) -> list[list[str]]:
    """Return the refinebio-assets commands of a document's code, as words."""
    text = document.read_text(encoding="utf-8")
    blocks = re.findall(r"```bash\n(.*?)```", text, re.DOTALL)
    code = [line for block in blocks for line in block.replace("\\\n", " ").splitlines()]
    code += re.findall(r"`(refinebio-assets [^`]+)`", text.replace("\n", " "))
    lines = [line.strip() for line in code if line.strip().startswith("refinebio-assets")]
    return [shlex.split(line, comments=True)[1:] for line in lines]


def problem_of(words: list[str]) -> str | None:
    """Say which word of a command does not exist, or None."""
    command: click.Command = main
    context = click.Context(command)
    for word in words:
        if isinstance(command, click.Group) and not word.startswith("-"):
            found = command.get_command(context, word)
            if found is None:
                return f"no command {word}"
            command = found
        elif word.startswith("--"):
            options = {name for parameter in command.params for name in parameter.opts}
            if word.split("=")[0] not in options | {"--help"}:
                return f"no option {word} of {command.name}"
    return None


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_commands_and_options_in_documents_exist(document: Path) -> None:
    problems = [(words, problem) for words in commands_in(document) if (problem := problem_of(words))]
    assert problems == []


def test_the_readme_shows_the_commands_that_a_user_needs() -> None:
    shown = {words[0] for words in commands_in(REPOSITORY / "README.md")}
    assert {"reference", "process", "status", "show", "export", "catalog"} <= shown


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_and_make_targets_in_documents_exist(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    links = [link for link in re.findall(r"\]\(([^)#]+)\)", text) if "://" not in link]
    assert [link for link in links if not (document.parent / link).exists()] == []
    code = re.findall(r"`([^`]+)`", text.replace("```", "`"))
    targets = {target for span in code for target in re.findall(r"^make ([a-z]+)", span, re.MULTILINE)}
    assert {target for target in targets if f"\n{target}:" not in MAKEFILE} == set()


def test_variables_in_the_operators_guide_are_read_by_the_code() -> None:
    text = (REPOSITORY / "docs/operating.md").read_text(encoding="utf-8")
    variables = re.findall(r"^\| `([A-Z_]+)` \|", text, re.MULTILINE)
    assert len(variables) >= 4
    assert [name for name in variables if f'"{name}"' not in SOURCES] == []


def test_the_tables_document_is_the_declared_schema() -> None:
    made = CliRunner().invoke(main, ["catalog", "tables", "--format", "markdown"]).output
    assert (REPOSITORY / "docs/tables.md").read_text(encoding="utf-8") == made


def test_the_questions_sql_is_answered(tmp_path: Path) -> None:
    catalog = Catalog(Lake(str(tmp_path)))
    catalog.rebuild()
    text = (REPOSITORY / "docs/faq.md").read_text(encoding="utf-8")
    questions = re.findall(r"`(SELECT [^`]+)`", text)
    assert len(questions) > 10
    assert [catalog.rows(question) for question in questions] == [[]] * len(questions)


def test_top_level_settings_are_those_of_the_package() -> None:
    packaged = REPOSITORY / "refinebio_assets" / "dagster.yaml"
    assert (REPOSITORY / "dagster.yaml").read_bytes() == packaged.read_bytes()


def test_the_documented_pipeline_rules_are_those_that_are_followed() -> None:
    text = (REPOSITORY / "docs/archives.md").read_text(encoding="utf-8")
    found = re.search(r"<!-- pipeline rules -->\n(.*?)<!-- end of pipeline rules -->", text, re.DOTALL)
    assert found is not None
    assert found[1] == decision_rules_markdown()
