"""Where one ``ui`` runs: alone on its Dagster instance, and with a folder for the sockets of its servers."""

from __future__ import annotations

import fcntl
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir
from typing import IO

from refinebio_assets.errors import RequestError
from refinebio_assets.lake.storage import storing

LOCK = "ui.lock"
"""The file in Dagster's home that a ``ui`` holds while it lives; it says where that is served."""

LONGEST_SOCKET = 103
"""Bytes that the path of a Unix socket may have: 107 on Linux, 103 on macOS."""

SHORT_FOLDER = "/tmp"
_PREFIX = "refinebio-ui-"
_OUR_SOCKET = f"/{_PREFIX}12345678/code.socket"
_SOCKET_OF_DAGSTER = "/tmp12345678"


@contextmanager
def only_ui(home: Path, url: str) -> Iterator[None]:
    """Hold a Dagster instance for the ``ui`` that is served at ``url``; the lock ends with the process.

    Raises RequestError that says where another one is served. A disk without locks is gone on with.
    """
    path = home / LOCK
    with storing(f"opening {path}"):
        stream = path.open("a+", encoding="utf-8", errors="replace")
    with stream:
        if not _hold(stream):
            stream.seek(0)
            holder = stream.read().strip() or "another process"
            raise RequestError(
                f"a `refinebio-assets ui` of {home} runs already: {holder}. Open that one, or end it first"
            )
        # What a full disk does not take, the next one is not told.
        with suppress(OSError):
            stream.truncate(0)
            stream.write(f"{url} (process {os.getpid()} on {socket.gethostname()})\n")
            stream.flush()
        yield


def _hold(stream: IO[str]) -> bool:
    try:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True


@contextmanager
def folder_of_sockets(tell: Callable[[str], None]) -> Iterator[Path]:
    """Make a folder for what the servers share, in which the path of a socket is not too long.

    That is in ``TMPDIR``, or in /tmp where that is too long a path. Where Dagster could not make its own
    sockets either, /tmp is what the servers and their runs get as ``TMPDIR``. Raises StorageError.
    """
    with storing("looking for a folder for temporary files"):
        given = gettempdir()
    fits = _fits(given, _OUR_SOCKET)
    if not _fits(given, _SOCKET_OF_DAGSTER):
        tell(f"TMPDIR is too long a path for sockets; temporary files are in {SHORT_FOLDER}: {given}")
        os.environ["TMPDIR"] = SHORT_FOLDER
    with storing(f"making a folder for sockets, whose paths may have {LONGEST_SOCKET} bytes"):
        made = TemporaryDirectory(prefix=_PREFIX, dir=None if fits else SHORT_FOLDER)
    with made as folder:
        yield Path(folder)


def _fits(folder: str, name: str) -> bool:
    return len(os.fsencode(folder + name)) <= LONGEST_SOCKET
