from __future__ import annotations

import logging
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from refinebio_assets.errors import PermanentError
from refinebio_assets.sources.web.cache import Cache
from refinebio_assets.sources.web.client import Web
from refinebio_assets.sources.web.network import LimitedTransport, ProxyTransport
from refinebio_assets.sources.web.rate_limit import RateLimit
from refinebio_assets_tests.sources.web.scripted_server import Say, ScriptedServer

EUTILS = "https://eutils.ncbi.nlm.nih.gov/entrez/eutils/esummary.fcgi"
KEY = "0123456789abcdefSECRET"


class Clock:
    """A time that passes only by sleeping; threads that sleep do so side by side."""

    def __init__(self) -> None:
        self.slept: list[float] = []
        self._lock = threading.Lock()

    def now(self) -> float:
        return 100.0

    def sleep(self, seconds: float) -> None:
        with self._lock:
            self.slept.append(round(seconds, 6))


def turns(host: str, requests: int, *, has_ncbi_key: bool = False) -> list[float]:
    clock = Clock()
    limit = RateLimit(has_ncbi_key=has_ncbi_key, clock=clock.now, sleep=clock.sleep)
    for _ in range(requests):
        limit.wait(host)
    return clock.slept


@pytest.mark.parametrize("host", ["eutils.ncbi.nlm.nih.gov", "www.ncbi.nlm.nih.gov", "FTP.NCBI.NLM.NIH.GOV"])
def test_ncbi_is_asked_three_times_a_second(host: str):
    assert turns(host, 4) == [0.333333, 0.666667, 1.0]


def test_only_the_e_utilities_know_the_key_and_allow_ten_a_second():
    assert turns("eutils.ncbi.nlm.nih.gov", 4, has_ncbi_key=True) == [0.1, 0.2, 0.3]
    assert turns("www.ncbi.nlm.nih.gov", 4, has_ncbi_key=True) == [0.333333, 0.666667, 1.0]


def test_other_hosts_are_asked_ten_times_a_second_each():
    assert turns("www.ebi.ac.uk", 3) == [0.1, 0.2]
    assert turns("ncbi.nlm.nih.gov.example.org", 3) == [0.1, 0.2]


def test_hosts_do_not_wait_for_each_other_but_those_of_ncbi_do():
    clock = Clock()
    limit = RateLimit(clock=clock.now, sleep=clock.sleep)
    for host in ("www.ebi.ac.uk", "rest.ensembl.org", "www.ncbi.nlm.nih.gov", "eutils.ncbi.nlm.nih.gov"):
        limit.wait(host)
    assert clock.slept == [0.333333]


def test_threads_share_the_limit():
    clock = Clock()
    limit = RateLimit(clock=clock.now, sleep=clock.sleep)
    threads = [threading.Thread(target=limit.wait, args=("www.ebi.ac.uk",)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(clock.slept) == [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7]


def keyed(
    open_client: Callable[..., Web], answer: Callable[[httpx.Request], httpx.Response], **settings: object
) -> Web:
    clock = Clock()
    limit = RateLimit(clock=clock.now, sleep=clock.sleep)
    transport = LimitedTransport(httpx.MockTransport(answer), limit, ncbi_key=KEY)
    return open_client(transport, secret=KEY, **settings)


def test_the_key_goes_to_the_e_utilities_and_nowhere_else(open_client: Callable[..., Web]):
    sent: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(str(request.url))
        return httpx.Response(200, text="ok")

    web = keyed(open_client, answer)
    web.get(EUTILS, params={"id": "1"})
    web.get(f"{EUTILS}?api_key=REDACTED&id=1")
    web.get(EUTILS.replace("https:", "http:"))
    web.get("https://www.ncbi.nlm.nih.gov/geo/query/acc.cgi")
    web.get("https://www.ebi.ac.uk/ena")
    assert sent == [
        f"{EUTILS}?id=1&tool=refinebio-assets&api_key={KEY}",
        f"{EUTILS}?id=1&tool=refinebio-assets&api_key={KEY}",
        EUTILS.replace("https:", "http:"),
        "https://www.ncbi.nlm.nih.gov/geo/query/acc.cgi",
        "https://www.ebi.ac.uk/ena",
    ]


def test_only_the_e_utilities_are_told_whom_to_write_to_and_no_redirect_tells_others(
    open_client: Callable[..., Web],
):
    sent: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(str(request.url))
        if request.url.host == "eutils.ncbi.nlm.nih.gov":
            query = request.url.query.decode()
            return httpx.Response(302, headers={"location": f"https://example.org/?{query}"})
        return httpx.Response(200, text="ok")

    limit = RateLimit(clock=Clock().now, sleep=Clock().sleep)
    transport = LimitedTransport(httpx.MockTransport(answer), limit, email="me@lab.org")
    open_client(transport).get(EUTILS, params={"id": "1"})
    assert sent == [
        f"{EUTILS}?id=1&tool=refinebio-assets&email=me%40lab.org",
        "https://example.org/?id=1",
    ]


def test_processes_that_share_a_folder_share_the_limit(tmp_path: Path):
    clock = Clock()
    code = (
        "import sys; from pathlib import Path\n"
        "from refinebio_assets.sources.web.rate_limit import RateLimit\n"
        "slept = []\n"
        "limit = RateLimit(clock=lambda: 100.0, sleep=slept.append, folder=Path(sys.argv[1]))\n"
        "for _ in range(2): limit.wait('www.ebi.ac.uk')\n"
        "print([round(each, 6) for each in slept])"
    )
    limit = RateLimit(clock=clock.now, sleep=clock.sleep, folder=tmp_path / "turns")
    limit.wait("www.ebi.ac.uk")
    command = [sys.executable, "-c", code, str(tmp_path / "turns")]
    other = subprocess.run(command, capture_output=True, text=True, check=True)
    assert other.stdout.strip() == "[0.1, 0.2]"
    limit.wait("www.ebi.ac.uk")
    limit.wait("rest.ensembl.org")
    assert clock.slept == [0.3]


@pytest.mark.parametrize("left", ["", "damaged \xff", "nan", "inf", "100000.0", "3.0"])
def test_a_turn_that_cannot_be_believed_is_no_turn(tmp_path: Path, left: str):
    (tmp_path / "www.ebi.ac.uk.turn").write_text(left, encoding="latin-1")
    clock = Clock()
    limit = RateLimit(clock=clock.now, sleep=clock.sleep, folder=tmp_path)
    limit.wait("www.ebi.ac.uk")
    limit.wait("www.ebi.ac.uk")
    assert clock.slept == [0.1]


def test_where_turns_cannot_be_shared_each_process_counts_for_itself(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    (tmp_path / "file").touch()
    clock = Clock()
    limit = RateLimit(clock=clock.now, sleep=clock.sleep, folder=tmp_path / "file")
    for _ in range(3):
        limit.wait("www.ebi.ac.uk")
    assert clock.slept == [0.1, 0.2]
    assert caplog.text.count("processes do not share how often servers are asked") == 1


def test_the_key_is_in_no_message_reply_log_or_cache(
    open_client: Callable[..., Web], tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/old":
            return httpx.Response(302, headers={"location": f"https://example.org/?api_key={KEY}&id=1"})
        if request.url.path == "/bad":
            return httpx.Response(400, json={"error": "API key invalid", "api-key": KEY})
        if request.url.path == "/busy":
            return httpx.Response(429, json={"error": "API rate limit exceeded", "api-key": KEY})
        if request.url.path == "/down":
            raise httpx.ConnectError("down", request=request)
        assert request.url.host == "eutils.ncbi.nlm.nih.gov" or KEY not in str(request.url)
        return httpx.Response(200, text="ok", headers={"etag": '"v1"'})

    web = keyed(open_client, answer, cache=Cache(tmp_path))
    host = "https://eutils.ncbi.nlm.nih.gov"
    with caplog.at_level(logging.DEBUG):
        shown = [str(web.get(f"{host}/old")), str(web.get(f"{host}/ok"))]
        for path in ("bad", "busy", "down"):
            with pytest.raises(Exception, match=path) as error:
                web.get(f"{host}/{path}")
            shown.append(str(error.value))
    shown.append(caplog.text)
    shown += [path.read_text() for path in tmp_path.rglob("*") if path.is_file()]
    assert len(shown) == 8
    assert not any(KEY in text for text in shown)
    assert "[api key]" in shown[2]


def test_redirects_keep_the_limit(open_client: Callable[..., Web]):
    clock = Clock()
    limit = RateLimit(clock=clock.now, sleep=clock.sleep)
    answers = iter([httpx.Response(301, headers={"location": "/b"}), httpx.Response(200, text="ok")])
    transport = LimitedTransport(httpx.MockTransport(lambda _: next(answers)), limit)
    open_client(transport).get("http://www.ebi.ac.uk/a")
    assert clock.slept == [0.1]


def test_a_proxy_of_the_environment_is_asked_unless_the_host_is_exempt(
    open_client: Callable[..., Web], server: ScriptedServer
):
    server.will("http://archive.example/a", Say(200, b"by proxy"))
    address = server.root.removeprefix("http://")
    web = open_client(ProxyTransport({"HTTP_PROXY": address, "no_proxy": "127.0.0.1"}))
    assert web.get("http://archive.example/a").content == b"by proxy"
    assert web.get(server.will("/b", Say(200, b"direct"))).content == b"direct"
    assert [asked.path for asked in server.asked] == ["http://archive.example/a", "/b"]


def test_a_proxy_that_cannot_be_used_is_a_permanent_error(open_client: Callable[..., Web]):
    with pytest.raises(PermanentError, match="proxy"):
        open_client(ProxyTransport({"ALL_PROXY": "gopher://proxy:70"})).get("https://example.org/")
