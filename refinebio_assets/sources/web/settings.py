"""Makes the way to the web from the environment's settings. The only reader of these variables.

``REFINEBIO_MIRROR``: folders or index files that answer instead of the network, separated like PATH.
``REFINEBIO_HTTP_CACHE``: a folder for answers that servers can confirm. ``NCBI_API_KEY``: NCBI's key, for
ten requests a second instead of three. ``REFINEBIO_CONTACT_EMAIL``: whom NCBI may write to when the
program misbehaves; nobody unless given. ``REFINEBIO_SCRATCH``: a folder for big files on their way, instead
of the system's. ``XDG_CACHE_HOME``, else ``HOME``: where the user's processes share how often each server is
asked; without either, each counts for itself. ``HTTPS_PROXY`` and its kin: see ``network``.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import httpx

from refinebio_assets.errors import NotFoundError
from refinebio_assets.sources.web.cache import Cache
from refinebio_assets.sources.web.client import Web
from refinebio_assets.sources.web.mirror import Mirror, MirrorTransport
from refinebio_assets.sources.web.mirror_folder import MirrorFolder
from refinebio_assets.sources.web.network import LimitedTransport, ProxyTransport
from refinebio_assets.sources.web.rate_limit import RateLimit
from refinebio_assets.sources.web.replay_index import INDEX_NAME, ReplayIndex
from refinebio_assets.sources.web.retry import Patience

MIRROR_VARIABLE = "REFINEBIO_MIRROR"
CACHE_VARIABLE = "REFINEBIO_HTTP_CACHE"
KEY_VARIABLE = "NCBI_API_KEY"
EMAIL_VARIABLE = "REFINEBIO_CONTACT_EMAIL"
SCRATCH_VARIABLE = "REFINEBIO_SCRATCH"


def open_web(environment: Mapping[str, str]) -> Web:
    """Return the way to the web that the environment asks for; with a mirror, nothing leaves the machine.

    Raises NotFoundError when a mirror does not exist, FormatError when its index is damaged.
    """
    mirrors = [text for text in environment.get(MIRROR_VARIABLE, "").split(os.pathsep) if text.strip()]
    key = environment.get(KEY_VARIABLE, "").strip()
    scratch = _folder(environment, SCRATCH_VARIABLE)
    if mirrors:
        transport = MirrorTransport([open_mirror(Path(text.strip()).expanduser()) for text in mirrors])
        # What a mirror answers does not change by waiting.
        once = Patience(tries=1)
        return Web(transport, patience=once, download_tries=1, secret=key, scratch=scratch)
    folder = _folder(environment, CACHE_VARIABLE)
    cache = Cache(folder) if folder else None
    return Web(_network(environment, key), cache=cache, secret=key, scratch=scratch)


def open_mirror(path: Path) -> Mirror:
    """Return a mirror: an index file, a folder with ``index.jsonl``, or a plain folder of files.

    Raises NotFoundError when there is nothing at ``path``, FormatError when an index is damaged.
    """
    if path.is_file():
        return ReplayIndex(path)
    if (path / INDEX_NAME).is_file():
        return ReplayIndex(path / INDEX_NAME)
    if path.is_dir():
        return MirrorFolder(path)
    raise NotFoundError(f"no mirror at {path}, which {MIRROR_VARIABLE} names: neither a folder nor an index")


def _network(environment: Mapping[str, str], key: str) -> httpx.BaseTransport:
    limit = RateLimit(has_ncbi_key=bool(key), folder=_turns_folder(environment))
    email = environment.get(EMAIL_VARIABLE, "").strip()
    return LimitedTransport(ProxyTransport(environment), limit, ncbi_key=key, email=email)


def _folder(environment: Mapping[str, str], variable: str) -> Path | None:
    text = environment.get(variable, "").strip()
    return Path(text).expanduser() if text else None


def _turns_folder(environment: Mapping[str, str]) -> Path | None:
    home = _folder(environment, "HOME")
    cache = _folder(environment, "XDG_CACHE_HOME") or (home / ".cache" if home else None)
    return cache / "refinebio-assets" / "turns" if cache else None
