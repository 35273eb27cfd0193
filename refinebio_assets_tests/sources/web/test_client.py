from __future__ import annotations

import gzip
import json
import logging
import ssl
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from xml.etree.ElementTree import fromstring

import httpx
import pytest

import refinebio_assets
from refinebio_assets.errors import FormatError, NotFoundError, PermanentError, StorageError, TransientError
from refinebio_assets.sources.web.client import Web
from refinebio_assets.sources.web.refused_key import KeyRefusedError
from refinebio_assets.sources.web.retry import Patience
from refinebio_assets_tests.sources.web.scripted_server import Asked, Say, ScriptedServer

PAGE = b"<!DOCTYPE html>\n<html><head><title>%s</title></head><body><h1>%s</h1></body></html>"


def test_a_reply_has_url_status_headers_and_content(web: Web, server: ScriptedServer):
    url = server.will("/a", Say(200, b"body", {"X-Thing": "1"}))
    reply = web.get(url, params={"b": "1 2", "a": "x"})
    assert (reply.url, reply.status, reply.content) == (f"{url}?b=1+2&a=x", 200, b"body")
    assert reply.headers["x-thing"] == "1"
    assert server.asked[0].path == "/a?b=1+2&a=x"


def test_requests_name_the_software_and_its_version(web: Web, server: ScriptedServer):
    web.get(server.will("/a", Say(200, b"body")))
    assert server.asked[0].headers["user-agent"] == f"refinebio-assets/{refinebio_assets.__version__}"


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
def test_a_passing_status_is_tried_again(web: Web, server: ScriptedServer, slept: list[float], status: int):
    url = server.will("/a", Say(status, b"sorry"), Say(200, b"body"))
    assert web.get(url).content == b"body"
    assert len(slept) == 1


@pytest.mark.parametrize("status", [400, 401, 403, 406, 501])
def test_a_lasting_status_is_not_tried_again(
    web: Web, server: ScriptedServer, slept: list[float], status: int
):
    with pytest.raises(PermanentError, match=rf"/a: the server answered {status} .*'no such field: xyz'"):
        web.get(server.will("/a", Say(status, b"no such\nfield: xyz")))
    assert not slept
    assert len(server.asked) == 1


@pytest.mark.parametrize("status", [400, 401, 403])
@pytest.mark.parametrize("said", ["API key invalid", "API key not wellformed", "Invalid API key"])
def test_a_refused_key_is_said_to_be_one(web: Web, server: ScriptedServer, status: int, said: str):
    body = json.dumps({"error": said, "type": "client"}).encode()
    with pytest.raises(KeyRefusedError, match=rf"{said}.*; correct the key in NCBI_API_KEY or unset it$"):
        web.get(server.will("/a", Say(status, body)))
    assert len(server.asked) == 1


@pytest.mark.parametrize("status", [404, 410])
def test_what_is_gone_is_not_found(web: Web, server: ScriptedServer, status: int):
    with pytest.raises(NotFoundError, match=str(status)):
        web.get(server.will("/a", Say(status, b"<ErrorDetails>unknown</ErrorDetails>")))
    assert len(server.asked) == 1


def test_when_patience_ends_the_error_names_url_tries_and_last_status(
    web: Web, server: ScriptedServer, slept: list[float]
):
    url = server.will("/a", Say(500), Say(503, b"down"))
    with pytest.raises(TransientError) as error:
        web.get(url, params={"acc": "GSE1"})
    assert f"{url}?acc=GSE1" in str(error.value)
    assert "tried 6 times, last status 503" in str(error.value)
    assert len(slept) == 5


def test_waits_double_with_jitter_up_to_a_cap(
    open_client: Callable[..., Web], server: ScriptedServer, slept: list[float]
):
    web = open_client(patience=Patience(tries=12))
    with pytest.raises(TransientError):
        web.get(server.will("/a", Say(500)))
    full = [min(120.0, 2.0 * 2**power) for power in range(11)]
    assert all(whole / 2 <= wait <= whole for wait, whole in zip(slept, full, strict=True))
    assert len({wait / whole for wait, whole in zip(slept, full, strict=True)}) == 11


@pytest.mark.parametrize("wish", ["45", "Sun, 09 Sep 2001 01:47:25 GMT"])
def test_a_retry_after_in_seconds_or_as_a_date_is_kept(
    web: Web, server: ScriptedServer, slept: list[float], wish: str
):
    url = server.will("/a", Say(429, b"slow down", {"Retry-After": wish}), Say(200, b"body"))
    assert web.get(url).content == b"body"
    assert slept == [45.0]


def test_a_retry_after_that_is_too_long_ends_the_tries_and_is_told(
    web: Web, server: ScriptedServer, slept: list[float]
):
    with pytest.raises(TransientError, match=r"tried 1 time, last status 503\); .* come back in 7,200 s"):
        web.get(server.will("/a", Say(503, b"", {"Retry-After": "7200"})))
    assert not slept


@pytest.mark.parametrize("wish", ["soon", "-5", "", "1e9", "Sun, 99 Foo"])
def test_an_unreadable_retry_after_is_ignored(
    web: Web, server: ScriptedServer, slept: list[float], wish: str
):
    assert web.get(server.will("/a", Say(429, b"", {"Retry-After": wish}), Say(200, b"body"))).status == 200
    assert slept[0] <= 2


def test_half_a_body_is_asked_for_again(web: Web, server: ScriptedServer, slept: list[float]):
    url = server.will("/a", Say(200, b"0123456789", cut=5), Say(200, b"0123456789"))
    assert web.get(url).content == b"0123456789"
    assert len(slept) == 1


def test_a_body_that_is_always_cut_is_a_transient_error(web: Web, server: ScriptedServer):
    with pytest.raises(
        TransientError, match=r"without sending complete message body .*\(tried 6 times, no whole answer\)"
    ):
        web.get(server.will("/a", Say(200, b"0123456789", cut=5)))


def test_a_short_body_of_any_transport_is_noticed(open_client: Callable[..., Web]):
    transport = httpx.MockTransport(
        lambda _: httpx.Response(200, headers={"content-length": "9"}, stream=_Short())
    )
    with pytest.raises(TransientError, match="9 bytes announced, 5 came"):
        open_client(transport).get("https://example.org/a")


class _Short(httpx.SyncByteStream):
    def __iter__(self):
        yield b"01234"


def test_a_server_that_is_not_there_is_a_transient_error(
    web: Web, server: ScriptedServer, slept: list[float]
):
    with pytest.raises(TransientError, match=r"connection failed.*tried 4 times, no whole answer"):
        web.get("http://127.0.0.1:1/a")
    assert len(slept) == 3


def test_a_server_that_says_nothing_is_given_up_in_time(
    open_client: Callable[..., Web], server: ScriptedServer
):
    web = open_client(timeout=httpx.Timeout(0.1), patience=Patience(tries=2))
    with pytest.raises(TransientError, match=r"no answer in time \(ReadTimeout\) \(tried 2 times"):
        web.get(server.will("/a", Say(stall=True)))


def test_redirects_are_followed(web: Web, server: ScriptedServer):
    url = server.will("/old", Say(301, b"moved", {"Location": "/new"}))
    server.will("/new", Say(200, b"body"))
    assert web.get(url).content == b"body"


def test_a_redirect_in_a_circle_is_a_permanent_error(web: Web, server: ScriptedServer, slept: list[float]):
    server.will("/b", Say(302, b"", {"Location": "/a"}))
    with pytest.raises(PermanentError, match="/a: redirected in a circle"):
        web.get(server.will("/a", Say(302, b"", {"Location": "/b"})))
    assert not slept
    assert len(server.asked) == 11


def test_a_redirect_to_ftp_is_a_permanent_error(web: Web, server: ScriptedServer):
    with pytest.raises(PermanentError, match=r"/a: cannot be asked: .*protocol"):
        web.get(server.will("/a", Say(302, b"", {"Location": "ftp://example.org/a"})))


def test_an_answer_over_the_memory_limit_is_refused_before_and_while_it_comes(
    open_client: Callable[..., Web], server: ScriptedServer
):
    web = open_client(memory_limit=1000)
    with pytest.raises(PermanentError, match=r"larger than the 1,000 bytes .*\(1,001 bytes"):
        web.get(server.will("/a", Say(200, b"x" * 1001)))
    bomb = gzip.compress(b"x" * 100_000)
    with pytest.raises(PermanentError, match="larger than the 1,000 bytes"):
        web.get(server.will("/b", Say(200, bomb, {"Content-Encoding": "gzip"}, chunked=True)))


def test_a_compressed_body_is_decoded(web: Web, server: ScriptedServer):
    body = gzip.compress(b"text " * 100)
    url = server.will("/a", Say(200, body, {"Content-Encoding": "gzip"}))
    assert web.text(url) == "text " * 100


def test_a_damaged_compressed_body_is_asked_for_again(web: Web, server: ScriptedServer, slept: list[float]):
    bad = Say(200, b"this is not gzip", {"Content-Encoding": "gzip"})
    assert web.text(server.will("/a", bad, Say(200, b"text"))) == "text"
    assert len(slept) == 1


def test_no_content_is_a_reply_without_content_and_no_json(web: Web, server: ScriptedServer):
    url = server.will("/a", Say(204))
    assert (web.get(url).status, web.get(url).content) == (204, b"")
    assert web.json(url) is None
    assert web.json(server.will("/b", Say(200, b" \n"))) is None


def test_half_a_json_is_asked_for_again(web: Web, server: ScriptedServer, slept: list[float]):
    half = Say(200, b'{"runs": [1, 2', {"Content-Type": "application/json"})
    assert web.json(server.will("/a", half, Say(200, b'{"runs": [1, 2]}'))) == {"runs": [1, 2]}
    assert len(slept) == 1


@pytest.mark.parametrize("body", [b"[" * 100_000, b"[%s]" % (b"1" * 5_000)])
def test_json_that_no_program_would_send_is_like_half_a_json(web: Web, server: ScriptedServer, body: bytes):
    with pytest.raises(TransientError, match=r"/a: the answer is not a whole JSON document of"):
        web.json(server.will("/a", Say(200, body)))
    assert web.json(server.will("/b", Say(200, body), Say(200, b"[1]"))) == [1]


def test_half_a_document_is_asked_for_again(web: Web, server: ScriptedServer, slept: list[float]):
    url = server.will("/a", Say(200, b"<runs><run>"), Say(200, b"<runs/>"))
    assert web.parsed(url, fromstring, params={"id": "1"}).tag == "runs"
    assert [asked.path for asked in server.asked] == ["/a?id=1", "/a?id=1"]
    assert len(slept) == 1
    with pytest.raises(
        TransientError, match=r"/b: the answer is not a whole document of 11 bytes: no element"
    ):
        web.parsed(server.will("/b", Say(200, b"<runs><run>")), fromstring)


def test_a_whole_document_of_another_kind_is_final(web: Web, server: ScriptedServer):
    def refuse(content: bytes) -> None:
        raise FormatError("a", expected="runs", found=content.decode())

    with pytest.raises(FormatError, match="expected runs, found <studies/>"):
        web.parsed(server.will("/a", Say(200, b"<studies/>")), refuse)
    assert len(server.asked) == 1


def test_a_document_that_cannot_be_read_is_not_quoted_with_the_secret(
    open_client: Callable[..., Web], server: ScriptedServer
):
    def refuse(content: bytes) -> None:
        raise ValueError(content.decode())

    web = open_client(secret="SECRET")
    with pytest.raises(TransientError) as error:
        web.parsed(server.will("/a", Say(200, b"key=SECRET.")), refuse)
    assert "key=[api key]." in str(error.value)
    assert "SECRET" not in str(error.value)
    assert web.discreet("a SECRET") == "a [api key]"


def test_a_scratch_folder_is_where_it_was_asked_for_and_goes(open_client: Callable[..., Web], tmp_path: Path):
    web = open_client(scratch=tmp_path / "big" / "disk")
    with web.scratch_folder("geo-") as folder:
        assert folder.parent == tmp_path / "big" / "disk"
        (folder / "file").write_text("content")
    assert not folder.exists()


def test_a_scratch_folder_that_cannot_be_made_is_a_storage_error(
    open_client: Callable[..., Web], tmp_path: Path
):
    (tmp_path / "file").touch()
    web = open_client(scratch=tmp_path / "file")
    with pytest.raises(StorageError, match=f"no folder could be made in {tmp_path}/file"):
        web.scratch_folder("geo-").__enter__()


def test_always_half_a_json_is_a_transient_error_naming_the_url(web: Web, server: ScriptedServer):
    url = server.will("/a", Say(200, b'{"runs": [1, 2'))
    with pytest.raises(
        TransientError, match="/a: the answer is not a whole JSON document of 14 bytes"
    ) as error:
        web.json(url)
    assert url in str(error.value)


def test_text_is_utf8_without_mark_or_else_latin1(web: Web, server: ScriptedServer):
    assert web.text(server.will("/a", Say(200, b"\xef\xbb\xbfM\xc3\xbcller"))) == "Müller"
    assert web.text(server.will("/b", Say(200, b"M\xfcller"))) == "Müller"


def test_a_web_page_instead_of_data_is_a_permanent_error_quoting_it(
    web: Web, server: ScriptedServer, slept: list[float]
):
    page = Say(200, PAGE % (b"Login &amp; go", b"Sign in"), {"Content-Type": "text/plain"})
    for ask in (web.get, web.json, web.text):
        with pytest.raises(PermanentError, match="/a: a web page came instead of data: 'Login & go Sign in'"):
            ask(server.will("/a", page))
    assert not slept


@pytest.mark.parametrize(
    "words",
    [b"Temporarily unavailable", b"Please try again later", b"Scheduled maintenance", b"Rate limit exceeded"],
)
def test_a_web_page_about_a_passing_failure_is_tried_again(
    web: Web, server: ScriptedServer, slept: list[float], words: bytes
):
    page = Say(200, PAGE % (b"Oops", words), {"Content-Type": "text/html"})
    assert web.json(server.will("/a", page, Say(200, b"[1]"))) == [1]
    with pytest.raises(TransientError, match=f"a web page came instead of data: 'Oops {words.decode()}'"):
        web.json(server.will("/b", page))
    assert len(slept) == 6


def test_a_web_page_is_a_reply_where_it_is_expected(web: Web, server: ScriptedServer):
    page = PAGE % (b"Index of /pub", b"files")
    assert (
        web.get(server.will("/a/", Say(200, page, {"Content-Type": "text/html"})), html=True).content == page
    )


def test_looking_at_a_file_gives_size_and_state(web: Web, server: ScriptedServer):
    url = server.will("/a", Say(200, b"x" * 10, {"ETag": '"v1"', "Last-Modified": "yesterday"}))
    found = web.head(url)
    assert (found.url, found.size, found.state) == (url, 10, '"v1"')
    assert web.head(server.will("/b", Say(200, b"", {"Last-Modified": "yesterday"}))).state == "yesterday"
    assert web.head(server.will("/c", Say(200, chunked=True))).size is None
    assert [asked.method for asked in server.asked] == ["HEAD"] * 3


@pytest.mark.parametrize("status", [204, 403, 404, 410])
def test_looking_at_no_file_is_not_found(web: Web, server: ScriptedServer, status: int):
    with pytest.raises(NotFoundError, match=f"the server answered {status}"):
        web.head(server.will("/a", Say(status)))


def test_looking_at_a_file_through_trouble_is_tried_again(web: Web, server: ScriptedServer):
    assert web.head(server.will("/a", Say(503), Say(200, b"xx"))).size == 2
    with pytest.raises(TransientError, match="last status 503"):
        web.head(server.will("/b", Say(503)))


def test_looking_works_where_the_server_refuses_head(web: Web, server: ScriptedServer):
    assert web.head(server.will("/a", Say(405), Say(200, b"xx"))).size == 2
    assert [asked.method for asked in server.asked] == ["HEAD", "GET"]


def test_a_web_page_where_a_file_should_be_is_not_found(web: Web, server: ScriptedServer):
    page = Say(200, b"", {"Content-Type": "text/html; charset=utf-8"})
    with pytest.raises(NotFoundError, match="web page"):
        web.head(server.will("/a.fa.gz", page))
    assert web.head(server.will("/folder/", page)).size == 0


def test_threads_share_one_client(web: Web, server: ScriptedServer):
    barrier = threading.Barrier(4)

    def echo(asked: Asked) -> Say:
        return Say(200, json.dumps(asked.path).encode())

    url = server.will("/a", echo)

    def ask(number: int) -> str:
        barrier.wait(5)
        return web.json(url, params={"n": str(number)})

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(ask, range(4))) == [f"/a?n={number}" for number in range(4)]


@pytest.mark.parametrize(
    "url", ["", "GSE1", "http://", "http://[bad", "http://host:port/", "file:///etc/passwd"]
)
def test_what_is_no_web_address_is_a_permanent_error(web: Web, url: str):
    with pytest.raises(PermanentError):
        web.get(url)


def test_tries_are_logged(web: Web, server: ScriptedServer, caplog: pytest.LogCaptureFixture):
    with caplog.at_level(logging.INFO, logger="refinebio_assets"):
        web.get(server.will("/a", Say(503, b"busy"), Say(200, b"body")))
    assert "/a: the server answered 503 Service Unavailable: 'busy'; trying again in" in caplog.text


def test_a_certificate_that_is_not_trusted_is_a_permanent_error(
    open_client: Callable[..., Web], slept: list[float]
):
    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("verify failed") from ssl.SSLCertVerificationError("self-signed")

    with pytest.raises(PermanentError, match="certificate is not trusted: verify failed"):
        open_client(httpx.MockTransport(refuse)).get("https://example.org/a")
    assert not slept
