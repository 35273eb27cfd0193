"""How ``refinebio-assets ui`` asks the webserver, whatever that answers."""

from __future__ import annotations

import json

import pytest

from refinebio_assets.cli.ui_services import CodeState, code_state, load_again
from refinebio_assets_tests.defs.servers import free_port
from refinebio_assets_tests.sources.web.scripted_server import Say, scripted_server

LOADED = {"loadStatus": "LOADED", "locationOrLoadError": {"__typename": "RepositoryLocation"}}
ANSWER = json.dumps({"data": {"workspaceOrError": {"locationEntries": [LOADED]}}}).encode()


def test_the_webserver_is_asked_directly_where_a_proxy_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    for name in ("http_proxy", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{free_port()}")
    with scripted_server() as server:
        server.will("/graphql", Say(200, ANSWER))
        assert code_state(server.root) == (CodeState.LOADED, "")


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(Say(200, ANSWER, cut=20), id="broken off"),
        pytest.param(Say(200, b'{"errors": []}'), id="refused"),
        pytest.param(Say(200, b"[]"), id="another shape"),
        pytest.param(Say(200, b"<html>"), id="not JSON"),
        pytest.param(Say(502, b"bad gateway"), id="an error"),
    ],
)
def test_a_webserver_that_does_not_answer_the_question_counts_as_away(answer: Say) -> None:
    with scripted_server() as server:
        server.will("/graphql", answer)
        assert code_state(server.root) == (CodeState.AWAY, "")
        load_again(server.root)
        assert len(server.asked) == 2
