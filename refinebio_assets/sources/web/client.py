"""``Web``: asks servers, checks their answers, repeats what may pass, and says clearly what did not.

Retrying is in ``retry``, files are in ``download``, stored answers in ``cache``; who answers (the network
or a mirror) is the transport that ``settings`` chooses. What an answer means is the archives' part.
"""

from __future__ import annotations

import json
import random
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx

from refinebio_assets import __version__
from refinebio_assets.errors import NotFoundError, PermanentError, StorageError
from refinebio_assets.sources.web import pages
from refinebio_assets.sources.web.answers import Judge, asking, read_some
from refinebio_assets.sources.web.cache import Cache
from refinebio_assets.sources.web.download import Download
from refinebio_assets.sources.web.mirror import NotMirroredError
from refinebio_assets.sources.web.replies import (
    Downloaded,
    RemoteFile,
    Reply,
    declared_length,
    lower_case,
    state_of,
)
from refinebio_assets.sources.web.retry import PassingError, Patience, Retrier, is_passing_status
from refinebio_assets.sources.web.urls import https_url, normalized_url, shown_url, with_params, without_key

__all__ = ["Downloaded", "RemoteFile", "Reply", "Web"]

T = TypeVar("T")

USER_AGENT = f"refinebio-assets/{__version__}"
TIMEOUT = httpx.Timeout(60.0, connect=20.0, pool=None)
"""Seconds without a byte, not for the whole answer."""
REDIRECTS = 10
MEMORY_LIMIT = 512 * 1024 * 1024
"""The largest answer kept in memory; a full platform of GEO, the largest recorded one, has 14 MB."""
DOWNLOAD_TRIES = 10
"""As often as the ancestor tried a download; a try that brought the file forward does not count."""
HEAD_REFUSED = frozenset({405, 501})
_ANY = "*/*"
_JSON = "application/json, */*;q=0.5"


class Web:
    """A polite client of public archives; one is enough for a process, and threads may share it.

    ``secret`` is a text that no message may contain. ``scratch`` is where big files may stand on their way,
    None for the system's folder. ``now`` gives seconds since 1970.
    """

    def __init__(
        self,
        transport: httpx.BaseTransport,
        *,
        cache: Cache | None = None,
        patience: Patience | None = None,
        download_tries: int = DOWNLOAD_TRIES,
        timeout: httpx.Timeout = TIMEOUT,
        memory_limit: int = MEMORY_LIMIT,
        secret: str = "",
        scratch: Path | None = None,
        sleep: Callable[[float], None] = time.sleep,
        now: Callable[[], float] = time.time,
        rng: random.Random | None = None,
    ) -> None:
        self._client = httpx.Client(
            transport=transport,
            timeout=timeout,
            headers={"user-agent": USER_AGENT},
            follow_redirects=True,
            max_redirects=REDIRECTS,
        )
        self.scratch = scratch
        self._cache = cache
        self._gaps: dict[str, None] = {}
        self._gaps_lock = threading.Lock()
        self._memory_limit = memory_limit
        self._judge = Judge(secret, now)
        patience = patience or Patience()
        rng = rng or random.Random()
        self._retrier = Retrier(patience, sleep, rng)
        self._download_retrier = Retrier(replace(patience, tries=download_tries), sleep, rng)

    def get(self, url: str, *, params: Mapping[str, str] | None = None, html: bool = False) -> Reply:
        """Return a whole answer, in memory; 204 (ENA's empty result) has an empty content.

        A web page counts as a failure unless ``html`` says that one is expected. Raises NotFoundError
        for 404 and 410, PermanentError for other refusals, an unexpected page and an answer over the
        memory limit, TransientError when every try failed in a way that may pass.
        """
        return self._ask(with_params(url, params), _ANY, html, lambda reply: reply)

    def json(self, url: str, *, params: Mapping[str, str] | None = None) -> Any:
        """Return a JSON answer's value, None for an empty one. Half a JSON is asked for again.

        Raises what ``get`` raises.
        """
        parse = partial(self._judge.parsed, "JSON document", _parse_json)
        return self._ask(with_params(url, params), _JSON, False, parse)

    def parsed(self, url: str, parse: Callable[[bytes], T], *, params: Mapping[str, str] | None = None) -> T:
        """Return what ``parse`` makes of an answer's bytes; an answer that it cannot read is asked for again.

        ``parse`` says so with ValueError, SyntaxError (which XML's ParseError is), EOFError or
        RecursionError. What it raises of ``errors`` (a FormatError for a whole document of another kind)
        is final and passes through. Raises what ``get`` raises; TransientError also when no try could be
        read.
        """
        read = partial(self._judge.parsed, "document", parse)
        return self._ask(with_params(url, params), _ANY, False, read)

    def text(self, url: str, *, params: Mapping[str, str] | None = None) -> str:
        """Return an answer as text: UTF-8 without byte order mark, or Latin-1 where it is not UTF-8.

        Raises what ``get`` raises.
        """
        return _decoded(self.get(url, params=params).content)

    def head(self, url: str) -> RemoteFile:
        """Look at a file without reading it.

        Raises NotFoundError for every lasting status but 200 and for a web page where a file should be,
        TransientError when every try failed in a way that may pass.
        """
        asked = without_key(https_url(url))
        with self._noting_gaps():
            return self._retrier.run(shown_url(asked), lambda: self._try_head(asked))

    def download(
        self,
        url: str,
        target: Path,
        *,
        size: int | None = None,
        md5: str = "",
        progress: Callable[[int], None] | None = None,
    ) -> Downloaded:
        """Bring a file to ``target``, whole and checked, or raise and leave nothing there.

        ``size`` (bytes) and ``md5`` (32 hexadecimal digits) are what the source promises. Bytes gather in
        ``<target>.part`` beside it, from which a later try, also of another process, resumes where the
        server can. ``progress`` is told how many bytes more have arrived; the sum never exceeds the file.
        One download at a time for a target. Raises NotFoundError, PermanentError (refused, a web page, a
        whole file with another MD5), TransientError (cut, another size), StorageError (disk full).
        """
        asked = without_key(https_url(url))
        task = Download(self._client, self._judge, asked, target, size, md5.lower(), progress)
        with self._noting_gaps():
            return self._download_retrier.run(shown_url(asked), task.attempt)

    @property
    def missing_from_mirror(self) -> tuple[str, ...]:
        """The URLs that were asked for and that the mirror has no answer to, each once, in order.

        What depends on them is not known, though it looks as if it did not exist. Empty without a mirror.
        """
        with self._gaps_lock:
            return tuple(self._gaps)

    def discreet(self, text: str) -> str:
        """Return the text without the secret; for a message that quotes a server's answer."""
        return self._judge.discreet(text)

    @contextmanager
    def scratch_folder(self, prefix: str) -> Iterator[Path]:
        """Give a new folder in ``scratch``, for files too large for memory; it goes with the block.

        Raises StorageError when it cannot be made.
        """
        try:
            if self.scratch is not None:
                self.scratch.mkdir(parents=True, exist_ok=True)
            folder = tempfile.TemporaryDirectory(prefix=prefix, dir=self.scratch)
        except OSError as error:
            place = self.scratch or "the system's temporary folder"
            raise StorageError(f"no folder could be made in {place}: {error.strerror or error}") from error
        with folder as name:
            yield Path(name)

    def close(self) -> None:
        """Close the connections; nothing can be asked afterwards."""
        self._client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _ask(self, url: str, accept: str, html: bool, parse: Callable[[Reply], T]) -> T:
        asked = without_key(https_url(url))
        with self._noting_gaps():
            return self._retrier.run(shown_url(asked), lambda: self._try_get(asked, accept, html, parse))

    @contextmanager
    def _noting_gaps(self) -> Iterator[None]:
        try:
            yield
        except NotMirroredError as error:
            with self._gaps_lock:
                self._gaps[error.url] = None
            raise

    def _try_get(self, url: str, accept: str, html: bool, parse: Callable[[Reply], T]) -> T:
        key = f"{accept} {normalized_url(url)}"
        stored = self._cache.find(key) if self._cache else None
        reply, is_new = self._receive(url, accept, stored)
        try:
            if not html:
                self._judge.check_page(url, reply.status, reply.headers, reply.content)
            value = parse(reply)
        except (PassingError, PermanentError):
            if self._cache and not is_new:
                self._cache.drop(key)
            raise
        # Only an answer that could be used is kept; half a JSON would be confirmed by its ETag forever.
        if self._cache and is_new:
            self._cache.store(key, reply)
        return value

    def _receive(self, url: str, accept: str, stored: Reply | None) -> tuple[Reply, bool]:
        """Return the answer, and whether it is a new one rather than the stored one confirmed."""
        headers = {"accept": accept} | (_conditions(stored) if stored else {})
        with asking(url), self._client.stream("GET", url, headers=headers) as response:
            if stored and response.status_code == httpx.codes.NOT_MODIFIED:
                return replace(stored, url=shown_url(url)), False
            received = lower_case(response.headers)
            if not response.is_success:
                self._judge.check_status(url, response.status_code, received, read_some(response))
            content = self._content(url, response)
            self._judge.check_status(url, response.status_code, received, b"")
            return Reply(shown_url(url), response.status_code, received, content), True

    def _content(self, url: str, response: httpx.Response) -> bytes:
        self._check_memory(url, declared_length(response.headers) or 0)
        content = bytearray()
        for chunk in response.iter_bytes():
            content += chunk
            self._check_memory(url, len(content))
        self._judge.check_length(response, len(content))
        return bytes(content)

    def _check_memory(self, url: str, size: int) -> None:
        if size > self._memory_limit:
            raise PermanentError(
                f"{shown_url(url)}: the answer is larger than the {self._memory_limit:,} bytes that are"
                f" kept in memory ({size:,} bytes or more); a file of this size must be downloaded"
            )

    def _try_head(self, url: str) -> RemoteFile:
        with asking(url):
            response = self._headers("HEAD", url)
            if response.status_code in HEAD_REFUSED:
                response = self._headers("GET", url)
        status, headers = response.status_code, lower_case(response.headers)
        if is_passing_status(status):
            self._judge.check_status(url, status, headers, b"")
        if status != httpx.codes.OK:
            raise NotFoundError(f"{shown_url(url)}: no file there, the server answered {status}")
        if pages.is_page(headers.get("content-type", ""), b"") and not _may_be_page(response.url.path):
            raise NotFoundError(f"{shown_url(url)}: no file there, the server answers with a web page")
        size = None if "content-encoding" in headers else declared_length(headers)
        return RemoteFile(shown_url(url), size, state_of(headers))

    def _headers(self, method: str, url: str) -> httpx.Response:
        with self._client.stream(method, url, headers={"accept-encoding": "identity"}) as response:
            return response


def _conditions(stored: Reply) -> dict[str, str]:
    """Return the headers that ask for an answer only if it is another one than before."""
    etag, modified = stored.headers.get("etag"), stored.headers.get("last-modified")
    conditions = {"if-none-match": etag, "if-modified-since": modified}
    return {name: value for name, value in conditions.items() if value}


def _may_be_page(path: str) -> bool:
    return path.endswith(("/", ".html", ".htm"))


def _decoded(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("latin-1")


def _parse_json(content: bytes) -> Any:
    return json.loads(_decoded(content)) if content.strip() else None
