"""``lineage`` and ``show --faq`` as users run them, on one processed study."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from refinebio_assets_tests.cli.conftest import Run, command_in
from refinebio_assets_tests.pipelines.study import Study


@pytest.fixture(scope="module")
def refinebio(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The command in a folder whose lake holds a processed study."""
    folder: Path = tmp_path_factory.mktemp("lineage")
    study = Study.of_three(folder)
    study.register()
    study.process()
    return command_in(folder)


def test_the_tree_names_files_programs_code_versions_and_dates(refinebio: Run) -> None:
    shown = refinebio("lineage", "experiment:STUDY")
    assert shown.returncode == 0, shown.stderr
    assert "gene expression of STUDY: 10 genes x 3 samples" in shown.stdout
    assert "samples of STUDY, quantified one by one: 3 processed" in shown.stdout
    assert "gene_expression, version " in shown.stdout
    assert "file S1.sf" in shown.stdout
    assert "sample S2, by submitted" in shown.stdout
    assert re.search(r"made \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC, by refinebio-assets", shown.stdout)


def test_the_json_holds_every_pair_of_the_tree(refinebio: Run) -> None:
    content = json.loads(refinebio("lineage", "sample:S1", "--down", "--format", "json").stdout)
    ids = {thing["id"]: thing for thing in content["things"]}
    assert content["direction"] == "down"
    assert {ids[edge["output"]]["asset"] for edge in content["edges"]} == {
        "sample_quantifications",
        "gene_expression",
    }
    assert content["not_shown"] == []


def test_dot_and_html_are_well_formed_and_count_what_they_leave_out(refinebio: Run) -> None:
    dot = refinebio("lineage", "experiment:STUDY", "--format", "dot", "--limit", "1").stdout
    assert dot.startswith("digraph lineage {")
    assert dot.rstrip().endswith("}")
    assert "2 more" in dot
    page = refinebio("lineage", "experiment:STUDY", "--format", "html", "--limit", "1").stdout
    assert "and 2 more samples" in page
    assert "<h1>Where it comes from: gene expression of STUDY" in page
    assert Balance().of(page) == []


class Balance(HTMLParser):
    """Finds tags that are opened and not closed."""

    def of(self, page: str) -> list[str]:
        self.open: list[str] = []
        self.feed(page)
        return self.open

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_what_is_not_there_is_refused_in_one_message(refinebio: Run) -> None:
    refused = refinebio("lineage", "experiment:STUDI")
    assert refused.returncode == 1
    assert "Did you mean STUDY?" in refused.stderr


def test_show_answers_which_software_touched_a_sample(refinebio: Run) -> None:
    answers = json.loads(refinebio("show", "S1", "--faq", "--format", "json").stdout)
    assert {row["step"] for row in answers["software"]} >= {"sample_quantification", "gene_expression"}
    shown = refinebio("show", "S1", "--gene", "ENSG00000141510")
    assert "not measured against a reference of this lake" in shown.stdout
