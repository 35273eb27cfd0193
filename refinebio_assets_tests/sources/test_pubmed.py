from __future__ import annotations

import json
from pathlib import Path

import pytest

from refinebio_assets.domain import Publication
from refinebio_assets.errors import TransientError
from refinebio_assets.sources.pubmed import find_publication
from refinebio_assets.sources.web.refused_key import KeyRefusedError
from refinebio_assets.sources.web.settings import open_web

ESUMMARY = "https://eutils.ncbi.nlm.nih.gov/entrez/eutils/esummary.fcgi"


@pytest.fixture
def ask(tmp_path: Path):
    """Ask a real ``Web`` for a paper, with PubMed's answer given."""

    def find(pubmed_id: str, answer: object, status: int = 200) -> Publication:
        (tmp_path / "body.json").write_text(json.dumps(answer), encoding="utf-8")
        entry = {
            "method": "GET",
            "url": f"{ESUMMARY}?db=pubmed&id=7&retmode=json&tool=any&email=a@b.org",
            "status": status,
            "content_type": "application/json",
            "body": "body.json",
        }
        (tmp_path / "index.jsonl").write_text(json.dumps(entry) + "\n", encoding="utf-8")
        with open_web({"REFINEBIO_MIRROR": str(tmp_path), "NCBI_API_KEY": "SECRET"}) as web:
            return find_publication(web, pubmed_id)

    return find


def summary(**fields):
    return {"header": {"type": "esummary"}, "result": {"uids": ["7"], "7": {"uid": "7", **fields}}}


def test_a_paper_has_title_authors_and_doi(ask):
    answer = summary(
        title="Kidneys.",
        authors=[{"name": "Chen X", "authtype": "Author"}, {"name": ""}, {"name": "Ji B"}],
        articleids=[{"idtype": "pubmed", "value": "7"}, {"idtype": "doi", "value": "10.1000/7"}],
    )
    assert ask(" 7 ", answer) == Publication("7", "10.1000/7", "Kidneys.", ("Chen X", "Ji B"))


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (summary(error="cannot get document summary"), 200),
        ({"header": {}, "esummaryresult": ["ID list is empty! Possibly it has no correct IDs."]}, 200),
        ({"result": {"uids": []}}, 200),
        ({"error": "bad request"}, 400),
        (summary(title=None, authors=None, articleids=None), 200),
    ],
)
def test_an_id_that_pubmed_does_not_know_is_all_that_is_known(ask, answer, status):
    assert ask("7", answer, status) == Publication("7")


def test_an_answer_without_a_result_may_be_another_one_later(ask):
    with pytest.raises(TransientError, match="answer about 7 has no result"):
        ask("7", {"error": "API rate limit exceeded"})


@pytest.mark.parametrize("status", [200, 400, 401, 403])
def test_a_refused_key_is_told_and_not_shown(ask, status):
    with pytest.raises(KeyRefusedError, match=r"API key invalid.*NCBI_API_KEY") as error:
        ask("7", {"error": "API key invalid", "api-key": "SECRET"}, status)
    assert "SECRET" not in str(error.value)


def test_an_answer_that_repeats_the_key_is_not_quoted_with_it(ask):
    with pytest.raises(TransientError, match="has no result") as error:
        ask("7", {"api-key": "SECRET", "error": "API rate limit exceeded"})
    assert "SECRET" not in str(error.value)


@pytest.mark.parametrize("pubmed_id", ["", "none", "７"])
def test_what_is_no_id_is_not_asked(ask, pubmed_id):
    assert ask(pubmed_id, {"error": "not reached"}) == Publication(pubmed_id)


def test_a_paper_that_the_mirror_lacks_is_only_its_id(ask):
    assert ask("8", summary()) == Publication("8")


def test_recorded_papers_are_read(shared_data):
    with open_web({"REFINEBIO_MIRROR": str(shared_data / "recorded_responses")}) as web:
        found = find_publication(web, "28798664")
        assert found.doi == "10.3389/fnmol.2017.00232"
        assert found.title.startswith("Interplay of Energetics and ER Stress")
        assert found.authors[0] == "Chen X"
        assert len(found.authors) == 6
        assert find_publication(web, "16205622").doi == ""
