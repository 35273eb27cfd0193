"""Text work on URLs: one spelling for each, FTP servers by HTTPS, and no secrets in what is shown.

Nothing here asks a server.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from urllib.parse import (
    SplitResult,
    parse_qsl,
    quote,
    quote_from_bytes,
    unquote_to_bytes,
    urlencode,
    urlsplit,
)

from refinebio_assets.errors import PermanentError

EUTILS_HOST = "eutils.ncbi.nlm.nih.gov"
KEY_PARAMETER = "api_key"
TOOL_PARAMETER = "tool"
EMAIL_PARAMETER = "email"
ASKER_PARAMETERS = frozenset({KEY_PARAMETER, TOOL_PARAMETER, EMAIL_PARAMETER})
"""What the E-utilities want to be told of who asks; it changes nothing in the answer."""
WEB_PROTOCOL_OF_FTP = {
    "ftp.ncbi.nlm.nih.gov": "https",
    "ftp.ebi.ac.uk": "https",
    "ftp.sra.ebi.ac.uk": "https",
    "ftp.ensembl.org": "https",
    # Its certificate is not made out to this name, so https would be refused.
    "ftp.ensemblgenomes.org": "http",
}
"""FTP servers that serve the same paths to the web, and how."""
_PORTS_OF_THE_WEB = (None, 80, 443)
_PLAIN_IN_PATHS = "!$&'()*+,;=:@~"
"""What RFC 3986 allows in a path segment beside letters, digits and ``-._~``."""


def https_url(url: str) -> str:
    """Return the URL to ask: http and https stay, FTP of the public archives becomes HTTPS.

    One of them, ftp.ensemblgenomes.org, has no valid certificate; its FTP becomes http.

    Raises PermanentError for any other FTP server, another protocol, and what is no URL.
    """
    parts = split_url(url)
    if parts.scheme in {"http", "https"}:
        return url.strip()
    if parts.scheme != "ftp":
        raise PermanentError(f"{shown_url(url)}: only http, https and ftp URLs can be fetched")
    host = parts.hostname or ""
    if host not in WEB_PROTOCOL_OF_FTP:
        known = ", ".join(sorted(WEB_PROTOCOL_OF_FTP))
        raise PermanentError(
            f"{shown_url(url)}: FTP is not supported, and of this server no web address is known"
            f" (known for {known}); give an https URL or download the file yourself"
        )
    return parts._replace(scheme=WEB_PROTOCOL_OF_FTP[host], netloc=host).geturl()


def split_url(url: str) -> SplitResult:
    """Take a URL apart; PermanentError when it has no protocol, no host, or a port that is no port."""
    try:
        parts = urlsplit(url.strip())
        _ = parts.port
    except ValueError as error:
        raise PermanentError(f"{url!r} is not a URL: {error}") from error
    if not parts.scheme or not parts.hostname:
        raise PermanentError(f"{url!r} is not a URL: it has no protocol or no host")
    return parts


def normalized_url(url: str) -> str:
    """Return the one spelling under which answers to this URL are cached and mirrored.

    http becomes https; host in lower case, usual ports, fragment, name and password dropped; the query
    sorted and without who asks (see ``query_pairs``); what needs no percent encoding has none.
    """
    parts = split_url(url)
    query = urlencode(query_pairs(parts), quote_via=quote, errors="surrogateescape")
    path = "/".join(_respelled(segment) for segment in parts.path.split("/")) or "/"
    return f"https://{_place(parts)}{path}" + (f"?{query}" if query else "")


def query_pairs(parts: SplitResult) -> list[tuple[str, str]]:
    """Return the decoded names and values of a URL's query, sorted; other bytes than UTF-8 stay.

    Without ``api_key``, and, where NCBI's E-utilities are asked, without ``tool`` and ``email``.
    """
    ignored = ASKER_PARAMETERS if parts.hostname == EUTILS_HOST else {KEY_PARAMETER}
    pairs = parse_qsl(parts.query, keep_blank_values=True, errors="surrogateescape")
    return sorted((name, value) for name, value in pairs if name not in ignored)


def with_params(url: str, params: Mapping[str, str] | None) -> str:
    """Return the URL with parameters added to its query, in the order given."""
    if not params:
        return url
    parts = split_url(url)
    added = urlencode(params)
    return parts._replace(query=f"{parts.query}&{added}" if parts.query else added).geturl()


def without_key(url: str) -> str:
    """Return the URL as it is but for ``api_key``."""
    return without_params(url, {KEY_PARAMETER})


def without_params(url: str, names: Collection[str]) -> str:
    """Return the URL as it is but for the parameters of these names."""
    head, mark, query = url.partition("?")
    kept = [pair for pair in query.split("&") if pair and pair.partition("=")[0] not in names]
    return head + (mark + "&".join(kept) if kept and mark else "")


def shown_url(url: str) -> str:
    """Return the URL as messages and logs may show it: no ``api_key``, no name and password."""
    head, separator, rest = without_key(url.strip()).partition("://")
    place, slash, path = rest.partition("/")
    return head + separator + place.rpartition("@")[2] + slash + path


def _place(parts: SplitResult) -> str:
    host = parts.hostname or ""
    if ":" in host:
        host = f"[{host}]"
    return host if parts.port in _PORTS_OF_THE_WEB else f"{host}:{parts.port}"


def _respelled(segment: str) -> str:
    return quote_from_bytes(unquote_to_bytes(segment), safe=_PLAIN_IN_PATHS)
