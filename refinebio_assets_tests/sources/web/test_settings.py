from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from refinebio_assets.sources.web.mirror import NotMirroredError
from refinebio_assets.sources.web.network import ProxyTransport
from refinebio_assets.sources.web.settings import open_web
from refinebio_assets_tests.sources.web.scripted_server import Say, ScriptedServer


def test_without_settings_the_network_is_asked(server: ScriptedServer):
    with open_web({}) as web:
        assert web.text(server.will("/a", Say(200, b"text"))) == "text"


def test_the_cache_folder_of_the_environment_is_used(server: ScriptedServer, tmp_path: Path):
    with open_web({"REFINEBIO_HTTP_CACHE": str(tmp_path)}) as web:
        web.get(server.will("/a", Say(200, b"text", {"ETag": '"v1"'})))
    assert [path for path in tmp_path.rglob("*") if path.is_file()]


def test_with_a_mirror_nothing_else_is_asked(server: ScriptedServer, tmp_path: Path):
    with open_web({"REFINEBIO_MIRROR": str(tmp_path)}) as web, pytest.raises(NotMirroredError):
        web.get(server.will("/a", Say(200, b"text")))
    assert not server.asked


def test_the_scratch_folder_of_the_environment_is_used_with_a_mirror_too(tmp_path: Path):
    scratch = {"REFINEBIO_SCRATCH": str(tmp_path / "big")}
    for environment in (scratch, scratch | {"REFINEBIO_MIRROR": str(tmp_path)}):
        with open_web(environment) as web:
            assert web.scratch == tmp_path / "big"
    with open_web({"REFINEBIO_SCRATCH": " "}) as web:
        assert web.scratch is None


@pytest.mark.parametrize(
    ("environment", "cache"), [({"HOME": "a"}, "a/.cache"), ({"HOME": "a", "XDG_CACHE_HOME": "b"}, "b")]
)
def test_turns_are_shared_in_the_users_cache_folder(
    server: ScriptedServer, tmp_path: Path, environment: dict[str, str], cache: str
):
    below = {name: str(tmp_path / folder) for name, folder in environment.items()}
    with open_web(below) as web:
        web.get(server.will("/a", Say(200, b"text")))
    assert (tmp_path / cache / "refinebio-assets" / "turns" / "127.0.0.1.turn").is_file()


def test_the_e_mail_of_the_environment_is_sent_to_the_e_utilities(
    monkeypatch: pytest.MonkeyPatch,
):
    sent: list[str] = []

    def answer(_: object, request: httpx.Request) -> httpx.Response:
        sent.append(str(request.url))
        return httpx.Response(200, text="{}")

    monkeypatch.setattr(ProxyTransport, "handle_request", answer)
    for environment in ({}, {"REFINEBIO_CONTACT_EMAIL": "me@lab.org"}):
        with open_web(environment) as web:
            web.get("https://eutils.ncbi.nlm.nih.gov/a")
    root = "https://eutils.ncbi.nlm.nih.gov/a?tool=refinebio-assets"
    assert sent == [root, f"{root}&email=me%40lab.org"]


def test_a_mirror_below_the_home_folder_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "mirror" / "example.org").mkdir(parents=True)
    (tmp_path / "mirror" / "example.org" / "a").write_text("text")
    with open_web({"REFINEBIO_MIRROR": "~/mirror"}) as web:
        assert web.text("https://example.org/a") == "text"


def test_importing_the_layer_loads_neither_dagster_nor_pandas():
    code = (
        "import sys, refinebio_assets.sources.web.settings\n"
        "print([name for name in ('dagster', 'pandas', 'fsspec') if name in sys.modules])"
    )
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert printed.stdout.strip() == "[]"
