from __future__ import annotations

import gzip
import hashlib
import json
import os
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from refinebio_assets.errors import FormatError, NotFoundError, PermanentError
from refinebio_assets.sources.web.client import Web
from refinebio_assets.sources.web.mirror import NotMirroredError
from refinebio_assets.sources.web.mirror_folder import MirrorFolder
from refinebio_assets.sources.web.settings import open_web
from refinebio_assets.sources.web.urls import normalized_url

HOST = "https://www.example.org"


def record(folder: Path, *entries: dict[str, Any]) -> Path:
    """Write an index of GET 200 answers, each changed as its entry says, and return its folder."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = [json.dumps({"method": "GET", "status": 200} | entry) for entry in entries]
    (folder / "index.jsonl").write_text("\n".join(lines) + "\n")
    return folder


def mirror(*places: Path) -> Web:
    return open_web({"REFINEBIO_MIRROR": os.pathsep.join(map(str, places))})


@pytest.fixture
def bodies(tmp_path: Path) -> Path:
    folder = tmp_path / "recorded"
    folder.mkdir()
    (folder / "plain.txt").write_bytes(b"plain body")
    (folder / "body.gz").write_bytes(gzip.compress(b"decoded body"))
    return folder


def test_recorded_bodies_are_plain_or_gzip(bodies: Path):
    packed = (bodies / "body.gz").read_bytes()
    record(
        bodies,
        {"url": f"{HOST}/a", "body": "plain.txt"},
        {"url": f"{HOST}/b", "body": "body.gz", "bytes": 12},
        {"url": f"{HOST}/c", "body": "body.gz"},
        {"url": f"{HOST}/d.gz", "body": "body.gz", "bytes": len(packed)},
    )
    web = mirror(bodies)
    assert [web.get(f"{HOST}/{name}").content for name in ("a", "b", "c", "d.gz")] == [
        b"plain body",
        b"decoded body",
        b"decoded body",
        packed,
    ]


def test_urls_match_whatever_their_order_protocol_and_key(bodies: Path):
    record(bodies, {"url": f"{HOST}/a?x=1&api_key=REDACTED&b=2%203", "body": "plain.txt"})
    web = mirror(bodies / "index.jsonl")
    assert web.text("http://www.example.org/a", params={"b": "2 3", "x": "1", "api_key": "K"}) == "plain body"


def test_the_last_of_several_answers_counts_but_no_redirect_to_itself(bodies: Path):
    record(
        bodies,
        {"url": f"{HOST}/a", "status": 500},
        {"url": f"{HOST}/a", "body": "plain.txt"},
        {"url": "http://www.example.org/a", "status": 301, "location": f"{HOST}/a"},
        {"url": f"{HOST}/b", "body": "body.gz"},
        {"url": f"{HOST}/b", "status": 302, "location": "/a"},
    )
    web = mirror(bodies)
    assert web.text(f"{HOST}/a") == web.text(f"{HOST}/b") == "plain body"


def test_a_recorded_refusal_is_told_from_no_answer(bodies: Path):
    record(bodies, {"url": f"{HOST}/a", "status": 404, "body": "plain.txt"})
    web = mirror(bodies)
    with pytest.raises(NotFoundError, match="answered 404 Not Found: 'plain body'") as refused:
        web.get(f"{HOST}/a")
    with pytest.raises(
        NotMirroredError, match=rf"the mirror {bodies}/index.jsonl has no answer for GET {HOST}/b"
    ):
        web.get(f"{HOST}/b?api_key=K")
    assert not isinstance(refused.value, NotMirroredError)
    with pytest.raises(NotMirroredError):
        web.head(f"{HOST}/b")


def test_head_is_answered_by_head_or_else_by_get(bodies: Path):
    record(
        bodies,
        {"url": f"{HOST}/a", "body": "body.gz", "sha1": "123"},
        {
            "url": f"{HOST}/b",
            "method": "HEAD",
            "content_length": "36462703",
            "content_type": "application/x-gzip",
        },
        {"url": f"{HOST}/c", "method": "HEAD", "status": 404},
        {"url": f"{HOST}/d", "method": "HEAD", "content_length": 10},
        {"url": f"{HOST}/d", "body": "plain.txt", "etag": '"d1"'},
    )
    web = mirror(bodies)
    looked = [web.head(f"{HOST}/{name}") for name in "abd"]
    assert [(each.size, each.state) for each in looked] == [(12, '"123"'), (36462703, ""), (10, '"d1"')]
    with pytest.raises(NotFoundError, match="the server answered 404"):
        web.head(f"{HOST}/c")


def test_mirrors_are_asked_in_order(bodies: Path, tmp_path: Path):
    first = record(tmp_path / "first", {"url": f"{HOST}/a", "status": 404})
    record(bodies, {"url": f"{HOST}/a", "body": "plain.txt"}, {"url": f"{HOST}/b", "body": "body.gz"})
    web = mirror(first, bodies)
    assert web.text(f"{HOST}/b") == "decoded body"
    with pytest.raises(NotFoundError, match="404"):
        web.get(f"{HOST}/a")
    with pytest.raises(
        NotMirroredError, match=f"the mirror {first}/index.jsonl, {bodies}/index.jsonl has no"
    ):
        web.get(f"{HOST}/c")


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("{", "expected a JSON object, found '{'"),
        ("[]", "expected a JSON object, found list"),
        (
            '{"method": "PUT", "url": "https://a.org/", "status": 200}',
            "expected method GET or HEAD, found 'PUT'",
        ),
        ('{"method": "GET", "url": "https://a.org/", "status": "ok"}', "expected an HTTP status, found 'ok'"),
        ('{"method": "GET", "url": "nowhere", "status": 200}', "expected a URL, found 'nowhere'"),
        ('{"method": "GET", "status": 200}', "expected a URL, found None"),
        (
            '{"method": "GET", "url": "https://a.org/", "status": 200, "bytes": "4"}',
            "expected bytes as a number, found '4'",
        ),
    ],
)
def test_a_damaged_index_names_file_and_line(tmp_path: Path, line: str, expected: str):
    record(tmp_path, {"url": f"{HOST}/a"})
    path = tmp_path / "index.jsonl"
    path.write_text(path.read_text() + "\n" + line + "\n")
    with pytest.raises(FormatError) as error:
        mirror(tmp_path)
    assert str(error.value) == f"{path}, line 3: {expected}"


def test_an_index_that_is_no_text_is_a_format_error(tmp_path: Path):
    (tmp_path / "index.jsonl").write_bytes(b"\xff\xfe")
    with pytest.raises(FormatError, match=r"index\.jsonl: expected UTF-8 text"):
        mirror(tmp_path)


def test_a_mirror_that_does_not_exist_is_not_found(tmp_path: Path):
    with pytest.raises(NotFoundError, match=f"no mirror at {tmp_path}/absent, which REFINEBIO_MIRROR names"):
        mirror(tmp_path / "absent")


def test_a_missing_body_names_index_line_and_file(bodies: Path):
    record(bodies, {"url": f"{HOST}/z"}, {"url": f"{HOST}/a", "body": "bodies/none.gz"})
    with pytest.raises(
        FormatError, match=r"index.jsonl, line 2: expected the body file .*none.gz, found No such"
    ):
        mirror(bodies).get(f"{HOST}/a")


def test_a_body_outside_of_the_folder_is_refused(bodies: Path, tmp_path: Path):
    (tmp_path / "secret").write_text("secret")
    record(bodies, {"url": f"{HOST}/a", "body": "../secret"})
    with pytest.raises(FormatError, match=r"expected a body below .*, found ../secret"):
        mirror(bodies).get(f"{HOST}/a")


@pytest.mark.parametrize(
    ("damage", "expected"),
    [(b"\x1f\x8b\x08", "whole gzip file"), (b"plain", "whole gzip file"), (None, "99 bytes")],
)
def test_a_damaged_body_is_a_format_error(bodies: Path, damage: bytes | None, expected: str):
    if damage is not None:
        (bodies / "body.gz").write_bytes(damage)
    record(bodies, {"url": f"{HOST}/a", "body": "body.gz", "bytes": 99})
    with pytest.raises(FormatError, match=f"body.gz: expected .*{expected}"):
        mirror(bodies).get(f"{HOST}/a")


def test_a_download_from_a_mirror_is_resumed(bodies: Path, tmp_path: Path):
    record(bodies, {"url": f"{HOST}/a", "body": "body.gz", "sha1": "123"})
    target = tmp_path / "file"
    (tmp_path / "file.part").write_bytes(b"DECO")
    note = {"url": f"{HOST}/a", "validator": '"123"', "state": '"123"'}
    (tmp_path / "file.part.json").write_text(json.dumps(note))
    done = mirror(bodies).download(f"{HOST}/a", target)
    assert target.read_bytes() == b"DECOded body"
    assert (done.size, done.state) == (12, '"123"')
    note["validator"] = '"old"'
    (tmp_path / "file.part").write_bytes(b"DECO")
    (tmp_path / "file.part.json").write_text(json.dumps(note))
    mirror(bodies).download(f"{HOST}/a", target)
    assert target.read_bytes() == b"decoded body"


def test_a_folder_of_files_is_a_mirror(tmp_path: Path):
    for path, text in {
        "www.example.org/pub/a b.txt": "spaced",
        "www.example.org/acc.cgi?acc=GSE1&targ=self": "with query",
        "www.example.org/search?q=a%2Fb&r=x%20y": "encoded",
        "www.example.org/pub/index.html": "<html>list</html>",
        "ftp.ensembl.org/pub/x.fa.gz": "fasta",
    }.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    web = mirror(tmp_path)
    assert web.text(f"{HOST}/pub/a%20b.txt") == "spaced"
    assert web.text(f"{HOST}/acc.cgi", params={"targ": "self", "acc": "GSE1", "api_key": "K"}) == "with query"
    assert web.text(f"{HOST}/search", params={"r": "x y", "q": "a/b"}) == "encoded"
    assert web.get(f"{HOST}/pub/", html=True).content == b"<html>list</html>"
    assert web.head("ftp://ftp.ensembl.org/pub/x.fa.gz").size == 5
    done = web.download("ftp://ftp.ensembl.org/pub/x.fa.gz", tmp_path / "x")
    assert done.md5 == hashlib.md5(b"fasta").hexdigest()
    assert done.state == web.head("ftp://ftp.ensembl.org/pub/x.fa.gz").state != ""


@pytest.mark.parametrize(
    "path", ["/pub", "/none", "/pub/..%2f..%2fsecret", "/../secret", "/a?q=" + "x" * 300, "/%00"]
)
def test_what_a_folder_does_not_have_is_not_mirrored(tmp_path: Path, path: str):
    (tmp_path / "secret").write_text("secret")
    (tmp_path / "mirror" / "www.example.org" / "pub").mkdir(parents=True)
    with pytest.raises(NotMirroredError):
        mirror(tmp_path / "mirror").get(HOST + path)


@pytest.mark.parametrize("host", ["..", ".", "%2e%2e", "a%2f..%2f..", "a\\..", "\0"])
def test_a_host_that_is_no_name_leads_nowhere(tmp_path: Path, host: str):
    (tmp_path / "secret.txt").write_text("secret")
    (tmp_path / "mirror" / "a").mkdir(parents=True)
    (tmp_path / "mirror" / "secret.txt").write_text("secret")
    assert MirrorFolder(tmp_path / "mirror").find("GET", f"https://{host}/secret.txt") is None


_parts = st.lists(st.sampled_from(["..", ".", "%2e%2e", "a", "secret", "%2f", "\\", "?q=/..", "b=%2f..%2f"]))


@settings(deadline=None)
@given(_parts, _parts)
def test_no_url_leads_out_of_a_folder(host: list[str], path: list[str]):
    folder = MirrorFolder(Path("/none/mirror"))
    url = f"https://{''.join(host) or 'a'}/{'/'.join(path)}"
    named_files: list[Path] = []
    with suppress(PermanentError):
        named_files = folder.paths(url)
    for named in named_files:
        assert os.path.normpath(named).startswith("/none/mirror/")


def test_what_a_mirror_lacks_is_counted_once_and_in_order(bodies: Path, tmp_path: Path):
    record(bodies, {"url": f"{HOST}/there", "body": "plain.txt"}, {"url": f"{HOST}/gone", "status": 404})
    web = mirror(bodies)
    assert web.missing_from_mirror == ()
    web.get(f"{HOST}/there")
    asks = [
        lambda: web.get(f"{HOST}/gone"),
        lambda: web.json(f"{HOST}/c", params={"id": "1", "api_key": "SECRET"}),
        lambda: web.head(f"{HOST}/b"),
        lambda: web.download(f"{HOST}/a", tmp_path / "a"),
        lambda: web.get(f"{HOST}/b"),
    ]
    for ask in asks:
        with pytest.raises(NotFoundError):
            ask()
    assert web.missing_from_mirror == (f"{HOST}/c?id=1", f"{HOST}/b", f"{HOST}/a")


def test_recorded_questions_match_whoever_asked_them(bodies: Path, tmp_path: Path):
    host = "eutils.ncbi.nlm.nih.gov"
    record(bodies, {"url": f"https://{host}/e.fcgi?id=1&tool=old&email=a@b.org", "body": "plain.txt"})
    assert mirror(bodies).text(f"https://{host}/e.fcgi?id=1") == "plain body"
    (tmp_path / "files" / host).mkdir(parents=True)
    (tmp_path / "files" / host / "e.fcgi?id=1").write_text("file")
    assert mirror(tmp_path / "files").text(f"https://{host}/e.fcgi?tool=new&id=1") == "file"


def test_a_page_in_a_folder_is_no_data(tmp_path: Path):
    (tmp_path / "www.example.org").mkdir()
    (tmp_path / "www.example.org" / "a").write_text("<!doctype html><title>Error</title>")
    with pytest.raises(PermanentError, match="a web page came instead of data: 'Error'"):
        mirror(tmp_path).get(f"{HOST}/a")


def test_every_recorded_response_replays(shared_data: Path):
    folder = shared_data / "recorded_responses"
    web = open_web({"REFINEBIO_MIRROR": str(folder)})
    entries = [json.loads(line) for line in (folder / "index.jsonl").read_text().splitlines()]
    last = {(each["method"], normalized_url(each["url"])): each for each in entries if each["status"] != 301}
    counts = Counter(replayed(web, entry) for entry in last.values())
    redirects = [each["url"] for each in entries if each["status"] == 301]
    assert all(web.get(url).status == 200 for url in redirects)
    assert len(redirects) == 13
    # Three pages of ENA's former address were recorded first as themselves, later as redirects.
    assert counts == {"found": 274, "absent": 188, "redirected": 3, "same": len(last) - 274 - 188 - 3}


def replayed(web: Web, entry: dict[str, Any]) -> str:
    """Ask for one recorded URL and say what became of it; what is not as recorded is an error."""
    url = entry["url"]
    if entry["status"] == 404:
        with pytest.raises(NotFoundError, match="404"):
            (web.get if entry["method"] == "GET" else web.head)(url)
        return "absent"
    if entry["method"] == "HEAD":
        assert web.head(url).size == int(entry["content_length"])
        return "found"
    reply = web.get(url)
    is_redirected = hashlib.sha1(reply.content).hexdigest() != entry["sha1"]
    assert reply.status == 200
    assert "REDACTED" not in reply.url
    return "redirected" if is_redirected else "same"
