"""Source files brought into the lake from paths and from a real HTTP server."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest

from refinebio_assets.domain import FileRole
from refinebio_assets.errors import FormatError, NotFoundError, PermanentError, TransientError
from refinebio_assets.lake.store import Lake
from refinebio_assets.pipelines.arriving_file import fetch
from refinebio_assets.pipelines.fetch_file import locate
from refinebio_assets.sources.web.client import Web

FASTQ = b"@r1\nACGT\n+\nIIII\n@r2\nACGTAC\n+\nIIIIII\n"


class QuietHandler(SimpleHTTPRequestHandler):
    """Serves a folder and prints nothing; ``/busy`` is a server in trouble."""

    def log_message(self, format: str, *args: object) -> None:
        """Print nothing."""

    def send_head(self):  # type: ignore[no-untyped-def]  # as in the standard library
        if self.path == "/busy":
            self.send_error(503)
            return None
        return super().send_head()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    folder = tmp_path / "www"
    folder.mkdir()
    (folder / "reads.fastq").write_bytes(FASTQ)
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(QuietHandler, directory=str(folder))) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()
        thread.join()


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(str(tmp_path / "lake"))


def web() -> Web:
    """The network, with a clock that does not make the test wait between attempts."""
    return Web(httpx.HTTPTransport(), sleep=lambda seconds: None)


def test_a_local_fastq_is_stored_hashed_and_counted(lake: Lake, tmp_path: Path) -> None:
    path = tmp_path / "reads.fastq"
    path.write_bytes(FASTQ)
    file = fetch(lake, str(path), FileRole.FASTQ_1)
    assert file.md5 == hashlib.md5(FASTQ).hexdigest()
    assert file.stored.sha256 == hashlib.sha256(FASTQ).hexdigest()
    fastq = file.findings.fastq
    assert fastq is not None and (fastq.reads, fastq.mean_length) == (2, 5.0)
    assert lake.local(file.stored).read_bytes() == FASTQ


def test_a_damaged_fastq_leaves_nothing_in_the_lake(lake: Lake, tmp_path: Path) -> None:
    path = tmp_path / "cut.fastq"
    path.write_bytes(FASTQ[:-3])
    with pytest.raises(FormatError, match=r"cut\.fastq"):
        fetch(lake, str(path), FileRole.FASTQ_1)
    assert not lake.has_object(hashlib.sha256(FASTQ[:-3]).hexdigest())


def test_a_file_is_fetched_from_a_web_server(lake: Lake, server: str) -> None:
    file = fetch(lake, f"{server}/reads.fastq", FileRole.FASTQ_1, web)
    assert file.origin.size == len(FASTQ)
    assert file.stored.sha256 == hashlib.sha256(FASTQ).hexdigest()


def test_what_a_web_server_does_not_have_is_permanent_and_its_trouble_is_not(server: str) -> None:
    with pytest.raises(NotFoundError, match=r"nothing\.fastq"):
        locate(f"{server}/nothing.fastq", web)
    with pytest.raises(TransientError, match="busy"):
        locate(f"{server}/busy", web)
    with pytest.raises(TransientError, match=r"127\.0\.0\.1:9"):
        locate("http://127.0.0.1:9/reads.fastq", web)


def test_an_unknown_kind_of_url_is_permanent() -> None:
    with pytest.raises(PermanentError, match="nosuch"):
        locate("nosuch://reads.fastq")


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="folder"):
        locate(str(tmp_path))
