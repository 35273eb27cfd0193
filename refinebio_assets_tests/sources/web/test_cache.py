from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

import pytest

from refinebio_assets.errors import PermanentError, TransientError
from refinebio_assets.sources.web.cache import Cache
from refinebio_assets.sources.web.client import Web
from refinebio_assets_tests.sources.web.scripted_server import Asked, Say, ScriptedServer


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.fixture
def web(open_client: Callable[..., Web], folder: Path) -> Web:
    return open_client(cache=Cache(folder))


def entries(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def versioned(body: bytes, **headers: str) -> Callable[[Asked], Say]:
    """Answer as a server whose page has not changed: 304 to who has it."""

    def make(asked: Asked) -> Say:
        known = asked.headers.get("if-none-match"), asked.headers.get("if-modified-since")
        mine = headers.get("ETag"), headers.get("Last-Modified")
        return Say(304, b"", headers) if known == mine else Say(200, body, headers)

    return make


def test_an_unchanged_answer_is_not_sent_again(web: Web, server: ScriptedServer):
    url = server.will("/a", versioned(b'{"a": 1}', ETag='"v1"'))
    assert [web.json(url), web.json(url)] == [{"a": 1}, {"a": 1}]
    assert server.asked[1].headers["if-none-match"] == '"v1"'
    assert web.get(url).status == 200


def test_a_last_modified_time_is_enough(web: Web, server: ScriptedServer):
    url = server.will("/a", versioned(b"text", **{"Last-Modified": "Sun, 09 Sep 2001 01:46:40 GMT"}))
    first, second = web.get(url), web.get(url)
    assert second.content == first.content
    assert "if-modified-since" in server.asked[1].headers


def test_a_changed_answer_replaces_the_kept_one(web: Web, server: ScriptedServer):
    url = server.will("/a", versioned(b"one", ETag='"v1"'), versioned(b"two", ETag='"v2"'))
    assert [web.text(url) for _ in range(3)] == ["one", "two", "two"]
    assert server.asked[2].headers["if-none-match"] == '"v2"'


def test_what_cannot_be_confirmed_is_not_kept(web: Web, server: ScriptedServer, folder: Path):
    web.get(server.will("/a", Say(200, b"text")))
    web.get(server.will("/b", Say(204, b"", {"ETag": '"v1"'})))
    assert entries(folder) == []


def test_an_answer_that_was_of_no_use_is_not_kept(web: Web, server: ScriptedServer, folder: Path):
    with pytest.raises(TransientError):
        web.json(server.will("/a", versioned(b'{"half', ETag='"v1"')))
    with pytest.raises(PermanentError):
        web.get(server.will("/b", versioned(b"<html>no</html>", ETag='"v1"')))
    assert entries(folder) == []


def test_a_kept_page_is_no_data_and_is_asked_for_anew(web: Web, server: ScriptedServer):
    page = versioned(b"<html>list</html>", ETag='"v1"')
    url = server.will("/a", page)
    assert web.get(url, html=True).content == b"<html>list</html>"
    with pytest.raises(PermanentError):
        web.get(url)
    web.get(url, html=True)
    assert "if-none-match" not in server.asked[-1].headers


@pytest.mark.parametrize("damage", [b"", b"{}", b"\xff\xfe", b"[1]\nbody", b'{"version": 1, "key": 2}\n'])
def test_a_damaged_entry_counts_as_none(web: Web, server: ScriptedServer, folder: Path, damage: bytes):
    url = server.will("/a", versioned(b"text", ETag='"v1"'))
    web.get(url)
    (entry,) = entries(folder)
    entry.write_bytes(damage)
    assert web.text(url) == "text"
    assert "if-none-match" not in server.asked[1].headers


def test_an_entry_with_a_changed_byte_counts_as_none(web: Web, server: ScriptedServer, folder: Path):
    url = server.will("/a", versioned(b"text", ETag='"v1"'))
    web.get(url)
    (entry,) = entries(folder)
    entry.write_bytes(entry.read_bytes()[:-1] + b"?")
    assert web.text(url) == "text"
    assert web.text(url) == "text"
    assert ["if-none-match" in asked.headers for asked in server.asked] == [False, False, True]


def test_the_order_of_parameters_and_the_key_do_not_matter(web: Web, server: ScriptedServer, folder: Path):
    url = server.will("/a", versioned(b"text", ETag='"v1"'))
    web.get(url, params={"b": "1", "a": "2"})
    web.get(f"{url}?a=2&b=1&api_key=SECRET")
    (entry,) = entries(folder)
    assert b"SECRET" not in entry.read_bytes()
    assert "if-none-match" in server.asked[1].headers


def test_a_disk_that_fails_costs_time_only(
    open_client: Callable[..., Web], server: ScriptedServer, tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    (tmp_path / "file").write_text("no folder")
    url = server.will("/a", versioned(b"text", ETag='"v1"'))
    with caplog.at_level(logging.WARNING):
        assert open_client(cache=Cache(tmp_path / "file")).text(url) == "text"
    assert f"could not keep {url} in the cache" in caplog.text
