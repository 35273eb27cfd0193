"""A real HTTP server on this machine that misbehaves as told; the one fake in the fetch layer's tests."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(frozen=True)
class Say:
    """One answer. ``declared`` is a false Content-Length; ``cut`` sends so many bytes and hangs up."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    declared: int | None = None
    cut: int | None = None
    chunked: bool = False
    stall: bool = False


Make = Callable[["Asked"], Say]


@dataclass(frozen=True)
class Asked:
    """One request that the server got. ``headers`` have lower-case keys."""

    method: str
    path: str
    headers: dict[str, str]


class ScriptedServer:
    """Gives the answers of each path in turn, the last one ever after; remembers what was asked."""

    def __init__(self, port: int) -> None:
        self.root = f"http://127.0.0.1:{port}"
        self.asked: list[Asked] = []
        self.scripts: dict[str, list[Say | Make]] = {}
        self.released = threading.Event()

    def will(self, path: str, *answers: Say | Make) -> str:
        """Set the answers to a path (without query) and return its URL."""
        self.scripts[path] = list(answers)
        return self.root + path

    def answer(self, asked: Asked) -> Say:
        self.asked.append(asked)
        script = self.scripts.get(asked.path.partition("?")[0], [Say(404, b"not here")])
        each = script.pop(0) if len(script) > 1 else script[0]
        return each if isinstance(each, Say) else each(asked)


def file(content: bytes, *, etag: str = '"v1"', cut: int | None = None, ranges: bool = True) -> Make:
    """Serve a file as a good server does, with ranges; ``cut`` hangs up after so many bytes of the answer."""

    def make(asked: Asked) -> Say:
        headers = {"ETag": etag} if etag else {}
        start = asked.headers.get("range", "").removeprefix("bytes=").removesuffix("-")
        matches = asked.headers.get("if-range", etag) == etag
        if not (ranges and start and matches):
            return Say(200, content, headers, cut=cut)
        first = int(start)
        if first >= len(content):
            return Say(416, b"", headers | {"Content-Range": f"bytes */{len(content)}"})
        headers["Content-Range"] = f"bytes {first}-{len(content) - 1}/{len(content)}"
        return Say(206, content[first:], headers, cut=cut)

    return make


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    script: ScriptedServer

    def do_GET(self) -> None:
        asked = Asked(self.command, self.path, {key.lower(): value for key, value in self.headers.items()})
        say = self.script.answer(asked)
        if say.stall:
            self.script.released.wait(10)
            self.close_connection = True
            return
        self.send_response(say.status)
        for name, value in say.headers.items():
            self.send_header(name, value)
        if say.chunked:
            self.send_header("Transfer-Encoding", "chunked")
        elif say.status not in (204, 304):
            self.send_header("Content-Length", str(len(say.body) if say.declared is None else say.declared))
        self.end_headers()
        if self.command == "HEAD":
            return
        body = say.body if say.cut is None else say.body[: say.cut]
        if say.chunked:
            body = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
        self.wfile.write(body)
        if say.cut is not None or say.declared is not None:
            self.close_connection = True

    do_HEAD = do_GET  # noqa: N815 -- the name that http.server calls

    def do_POST(self) -> None:
        # A connection that is closed with something unread is reset, and the answer with it.
        self.rfile.read(int(self.headers["Content-Length"]))
        self.do_GET()

    def log_message(self, format: str, *args: object) -> None:
        """Stay silent."""


class _Quiet(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of clients that hang up, as they do when an answer is not worth reading."""


@contextmanager
def scripted_server() -> Iterator[ScriptedServer]:
    """Run a server while the block runs."""
    handler = type("Handler", (_Handler,), {})
    with _Quiet(("127.0.0.1", 0), handler) as server:
        script = ScriptedServer(server.server_address[1])
        handler.script = script  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield script
        finally:
            script.released.set()
            server.shutdown()
            thread.join()
