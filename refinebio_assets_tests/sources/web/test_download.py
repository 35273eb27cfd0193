from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from refinebio_assets.errors import NotFoundError, PermanentError, StorageError, TransientError
from refinebio_assets.sources.web.client import Web
from refinebio_assets_tests.sources.web.scripted_server import Say, ScriptedServer, file

CONTENT = bytes(range(256)) * 4096
OTHER = CONTENT[::-1]
SIZE = len(CONTENT)


def md5(content: bytes) -> str:
    return hashlib.md5(content).hexdigest()


def left_over(target: Path) -> list[str]:
    return sorted(path.name for path in target.parent.iterdir())


def interrupt(open_client: Callable[..., Web], url: str, target: Path, **expected: Any) -> None:
    """Let a download fail half way, as a process that ends does, so that its part remains."""
    with pytest.raises(TransientError):
        open_client(download_tries=1).download(url, target, **expected)


def test_a_download_gives_size_digests_and_state(web: Web, server: ScriptedServer, target: Path):
    url = server.will("/f", file(CONTENT))
    done = web.download(url, target, size=SIZE, md5=md5(CONTENT).upper())
    assert target.read_bytes() == CONTENT
    assert (done.size, done.md5, done.state) == (SIZE, md5(CONTENT), '"v1"')
    assert done.sha256 == hashlib.sha256(CONTENT).hexdigest()
    assert left_over(target) == [target.name]


def test_a_download_needs_no_promises(web: Web, server: ScriptedServer, target: Path):
    assert web.download(server.will("/f", Say(200, b"x" * 10, chunked=True)), target).size == 10
    assert web.download(server.will("/empty", Say(200)), target).size == 0
    assert target.read_bytes() == b""


def test_a_cut_download_is_resumed_where_it_ended(
    web: Web, server: ScriptedServer, target: Path, slept: list[float]
):
    url = server.will("/f", file(CONTENT, cut=300_000), file(CONTENT))
    assert web.download(url, target, size=SIZE, md5=md5(CONTENT)).md5 == md5(CONTENT)
    first, second = server.asked
    assert "range" not in first.headers
    assert (second.headers["range"], second.headers["if-range"]) == ("bytes=300000-", '"v1"')
    assert len(slept) == 1


def test_a_download_that_moves_on_outlasts_its_tries(web: Web, server: ScriptedServer, target: Path):
    content = CONTENT * 32
    url = server.will("/f", file(content, cut=SIZE + (1 << 19)))
    assert web.download(url, target).md5 == md5(content)
    assert len(server.asked) > 20


def test_a_download_that_never_moves_on_is_given_up(web: Web, server: ScriptedServer, target: Path):
    url = server.will("/f", file(CONTENT, cut=300_000, ranges=False))
    with pytest.raises(TransientError, match="tried 10 times"):
        web.download(url, target)
    assert not target.exists()


def test_a_part_of_an_earlier_process_is_resumed(
    open_client: Callable[..., Web], server: ScriptedServer, target: Path
):
    url = server.will("/f", file(CONTENT, cut=300_000), file(CONTENT))
    interrupt(open_client, url, target)
    assert left_over(target) == [f"{target.name}.part", f"{target.name}.part.json"]
    assert open_client().download(url, target).md5 == md5(CONTENT)
    assert server.asked[-1].headers["range"] == "bytes=300000-"
    assert left_over(target) == [target.name]


def test_a_file_that_changed_meanwhile_starts_anew(
    open_client: Callable[..., Web], server: ScriptedServer, target: Path
):
    url = server.will("/f", file(CONTENT, cut=300_000), file(OTHER, etag='"v2"'))
    interrupt(open_client, url, target)
    done = open_client().download(url, target)
    assert (done.md5, done.state) == (md5(OTHER), '"v2"')


def test_a_part_of_another_url_or_without_a_note_starts_anew(
    open_client: Callable[..., Web], server: ScriptedServer, target: Path
):
    interrupt(open_client, server.will("/other", file(OTHER, cut=300_000)), target)
    assert open_client().download(server.will("/f", file(CONTENT)), target).md5 == md5(CONTENT)
    target.with_name(target.name + ".part").write_bytes(b"unknown")
    assert open_client().download(server.will("/f", file(CONTENT)), target).md5 == md5(CONTENT)
    target.with_name(target.name + ".part").write_bytes(b"unknown")
    target.with_name(target.name + ".part.json").write_text('{"url": 3')
    assert open_client().download(server.will("/f", file(CONTENT)), target).md5 == md5(CONTENT)
    assert all("range" not in asked.headers for asked in server.asked)


def test_a_part_that_nothing_can_compare_is_resumed_only_under_an_md5(
    open_client: Callable[..., Web], server: ScriptedServer, target: Path
):
    url = server.will("/f", file(CONTENT, etag="", cut=300_000), file(CONTENT, etag=""))
    interrupt(open_client, url, target)
    assert open_client().download(url, target).md5 == md5(CONTENT)
    assert "range" not in server.asked[-1].headers

    url = server.will("/g", file(CONTENT, etag="", cut=300_000), file(CONTENT, etag=""))
    interrupt(open_client, url, target, md5=md5(CONTENT))
    assert open_client().download(url, target, md5=md5(CONTENT)).md5 == md5(CONTENT)
    assert server.asked[-1].headers["range"] == "bytes=300000-"
    assert "if-range" not in server.asked[-1].headers


def test_a_weak_etag_is_not_used_to_resume(
    open_client: Callable[..., Web], server: ScriptedServer, target: Path
):
    url = server.will("/f", file(CONTENT, etag='W/"v1"', cut=300_000), file(CONTENT, etag='W/"v1"'))
    assert open_client().download(url, target).state == 'W/"v1"'
    assert "range" not in server.asked[-1].headers


def test_a_whole_part_needs_no_request(open_client: Callable[..., Web], server: ScriptedServer, target: Path):
    url = server.will("/f", file(CONTENT, cut=300_000))
    interrupt(open_client, url, target)
    target.with_name(target.name + ".part").write_bytes(CONTENT)
    done = open_client().download(url, target, size=SIZE, md5=md5(CONTENT))
    assert (done.size, done.state) == (SIZE, '"v1"')
    assert len(server.asked) == 1


def test_a_part_the_server_cannot_continue_starts_anew(
    open_client: Callable[..., Web], server: ScriptedServer, target: Path
):
    url = server.will("/f", file(CONTENT, cut=300_000), file(CONTENT))
    interrupt(open_client, url, target)
    target.with_name(target.name + ".part").write_bytes(CONTENT + b"more")
    assert open_client().download(url, target).md5 == md5(CONTENT)
    assert [asked.headers.get("range") for asked in server.asked] == [None, f"bytes={SIZE + 4}-", None]


@pytest.mark.parametrize("answered", ["bytes 5-1048575/1048576", "bytes */1048576", ""])
def test_another_part_than_asked_for_starts_anew(
    web: Web, server: ScriptedServer, target: Path, answered: str
):
    wrong = Say(206, CONTENT[5:], {"Content-Range": answered, "ETag": '"v1"'})
    url = server.will("/f", file(CONTENT, cut=300_000), wrong, file(CONTENT))
    assert web.download(url, target).md5 == md5(CONTENT)


def test_a_part_nobody_asked_for_is_refused(web: Web, server: ScriptedServer, target: Path):
    with pytest.raises(PermanentError, match="206"):
        web.download(server.will("/f", Say(206, b"x", {"Content-Range": "bytes 0-0/9"})), target)


def test_a_wrong_md5_is_fetched_anew_once(web: Web, server: ScriptedServer, target: Path):
    url = server.will("/f", file(OTHER), file(CONTENT))
    assert web.download(url, target, md5=md5(CONTENT)).md5 == md5(CONTENT)


def test_the_same_wrong_md5_twice_is_permanent_and_names_both(web: Web, server: ScriptedServer, target: Path):
    with pytest.raises(PermanentError) as error:
        web.download(server.will("/f", file(OTHER)), target, size=SIZE, md5=md5(CONTENT))
    assert f"expected {md5(CONTENT)}, found {md5(OTHER)}" in str(error.value)
    assert "/f: MD5 differs" in str(error.value)
    assert len(server.asked) == 2
    assert left_over(target) == []


def test_two_different_wrong_md5s_are_damage_on_the_way(web: Web, server: ScriptedServer, target: Path):
    with pytest.raises(TransientError, match=f"expected {md5(CONTENT)}, found"):
        web.download(server.will("/f", file(OTHER), file(b"third")), target, md5=md5(CONTENT))
    assert left_over(target) == []


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize(("size", "found"), [(SIZE - 1, f"{SIZE:,} bytes"), (SIZE + 1, f"{SIZE:,} bytes")])
def test_a_wrong_size_is_transient_and_names_both(
    web: Web, server: ScriptedServer, target: Path, size: int, found: str, chunked: bool
):
    url = server.will("/f", Say(200, CONTENT, chunked=chunked))
    with pytest.raises(TransientError, match=f"size differs .*: expected {size:,} bytes, found {found}"):
        web.download(url, target, size=size, md5=md5(CONTENT))
    assert len(server.asked) == 2
    assert left_over(target) == []


def test_a_resumed_file_with_a_wrong_md5_is_fetched_from_the_start(
    open_client: Callable[..., Web], server: ScriptedServer, target: Path
):
    url = server.will("/f", file(CONTENT, cut=300_000), file(CONTENT))
    interrupt(open_client, url, target)
    part = target.with_name(target.name + ".part")
    part.write_bytes(b"damage" + part.read_bytes()[6:])
    assert open_client().download(url, target, md5=md5(CONTENT)).md5 == md5(CONTENT)
    assert [asked.headers.get("range") for asked in server.asked] == [None, "bytes=300000-", None]


def test_a_web_page_is_never_stored_as_a_file(
    web: Web, server: ScriptedServer, target: Path, slept: list[float]
):
    page = Say(200, b"<html><title>Error</title>No such study" + b" " * 5000, {"Content-Type": "text/html"})
    with pytest.raises(PermanentError, match="/f: a web page came instead of data: 'Error No such study'"):
        web.download(server.will("/f", page), target)
    assert left_over(target) == []
    assert not slept
    busy = Say(200, b"<html>Down for maintenance</html>")
    assert web.download(server.will("/g", busy, file(CONTENT)), target).size == SIZE


def test_a_missing_file_is_not_found_and_leaves_nothing(
    open_client: Callable[..., Web], server: ScriptedServer, target: Path
):
    url = server.will("/f", file(CONTENT, cut=300_000), Say(404, b"gone"))
    interrupt(open_client, url, target)
    with pytest.raises(NotFoundError, match="/f: the server answered 404 Not Found: 'gone'"):
        open_client().download(url, target)
    assert left_over(target) == []


def test_an_answer_without_content_is_no_file(web: Web, server: ScriptedServer, target: Path):
    with pytest.raises(PermanentError, match=r"no content for this file \(204\)"):
        web.download(server.will("/f", Say(204)), target)


def test_a_failed_download_leaves_the_former_file_alone(web: Web, server: ScriptedServer, target: Path):
    target.write_bytes(b"former")
    with pytest.raises(PermanentError):
        web.download(server.will("/f", file(OTHER)), target, md5=md5(CONTENT))
    assert target.read_bytes() == b"former"


def test_a_file_is_stored_as_the_server_has_it(web: Web, server: ScriptedServer, target: Path):
    body = b"\x1f\x8bstays compressed"
    done = web.download(server.will("/f", Say(200, body, {"Content-Encoding": "gzip"})), target)
    assert target.read_bytes() == body
    assert done.md5 == md5(body)
    assert server.asked[0].headers["accept-encoding"] == "identity"


def test_progress_adds_up_to_the_file(open_client: Callable[..., Web], server: ScriptedServer, target: Path):
    told: list[int] = []
    url = server.will("/f", file(CONTENT, cut=300_000), file(OTHER, etag='"v2"', cut=200_000), file(OTHER))
    open_client().download(url, target, progress=told.append)
    assert sum(told) == SIZE
    assert all(amount > 0 for amount in told)

    told.clear()
    url = server.will("/g", file(CONTENT, cut=300_000), file(CONTENT))
    interrupt(open_client, url, target)
    open_client().download(url, target, progress=told.append)
    assert sum(told) == SIZE


def test_a_disk_without_room_is_a_storage_error_before_anything_comes(
    web: Web, server: ScriptedServer, target: Path
):
    free = shutil.disk_usage(target.parent).free
    huge = Say(200, b"x" * 10, declared=free * 4)
    with pytest.raises(StorageError, match=rf"no room for {target}: {free * 4:,} bytes are to come"):
        web.download(server.will("/f", huge), target)
    assert left_over(target) == []


def test_a_disk_that_runs_full_is_a_storage_error(web: Web, server: ScriptedServer, target: Path):
    # /dev/full is Linux's own disk that is always full.
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    target.with_name(target.name + ".part").symlink_to("/dev/full")
    with pytest.raises(StorageError, match=r"reads.fastq.gz.part .*No space left on device"):
        web.download(server.will("/f", file(CONTENT)), target)
    assert not target.exists()


def test_a_missing_folder_is_a_storage_error(web: Web, server: ScriptedServer, tmp_path: Path):
    with pytest.raises(StorageError, match="No such file or directory"):
        web.download(server.will("/f", file(CONTENT)), tmp_path / "absent" / "file")


def test_the_note_of_a_part_says_where_it_comes_from(
    open_client: Callable[..., Web], server: ScriptedServer, target: Path
):
    url = server.will("/f", file(CONTENT, cut=300_000))
    interrupt(open_client, f"{url}?api_key=SECRET&b=1&a=2", target)
    note = json.loads(target.with_name(target.name + ".part.json").read_text())
    assert note == {
        "url": url.replace("http:", "https:") + "?a=2&b=1",
        "validator": '"v1"',
        "state": '"v1"',
    }


def test_ftp_of_an_unknown_server_is_refused(web: Web, target: Path):
    with pytest.raises(PermanentError, match=r"ftp://example.org/a: FTP is not supported"):
        web.download("ftp://example.org/a", target)
