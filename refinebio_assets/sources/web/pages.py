"""Recognizes a web page that came where data were expected, and what it says. No requests here."""

from __future__ import annotations

import html
import re

HEAD_BYTES = 65_536
"""How much of a page is read to recognize and quote it."""
_QUOTED_CHARACTERS = 160
_PAGE_START = re.compile(
    rb"(?:\xef\xbb\xbf)?\s*(?:<\?xml[^>]*>\s*)?(?:(?><!--.*?-->)\s*)*+<(?:!doctype\s+html|html)\b",
    re.IGNORECASE | re.DOTALL,
)
_UNSEEN = re.compile(
    r"(?:<(script|style)\b.*?(?:</\1\s*>|$))|(?:<!--.*?-->)|(?:<[^<>]*>)", re.IGNORECASE | re.DOTALL
)
_PASSING = re.compile(
    r"temporar(?:y|ily)|try (?:again|later)|again later|in a (?:few )?(?:moment|minute)|maintenance"
    r"|rate limit|too many requests|service unavailable|overloaded|(?:bad|proxy) gateway|gateway time-?out"
    r"|timed out|too busy|server is busy",
    re.IGNORECASE,
)


def is_page(content_type: str, head: bytes) -> bool:
    """Tell whether an answer is a web page, from its Content-Type and the first bytes of its body.

    Binary content (a NUL, or gzip) is none, whatever the type says.
    """
    if _PAGE_START.match(head):
        return True
    is_html = content_type.partition(";")[0].strip().lower() in {"text/html", "application/xhtml+xml"}
    return is_html and not head.startswith(b"\x1f\x8b") and b"\0" not in head


def quoted(body: bytes) -> str:
    """Return a page's title and first words, or those of any text, for a message; "" when it has none."""
    text = _words(body)
    return text if len(text) <= _QUOTED_CHARACTERS else text[:_QUOTED_CHARACTERS].rstrip() + " ..."


def reads_like_passing(body: bytes) -> bool:
    """Tell whether a page speaks of a failure that passes: maintenance, a rate limit, "try again later"."""
    return bool(_PASSING.search(_words(body)))


def _words(body: bytes) -> str:
    markup = body[:HEAD_BYTES].decode("utf-8", errors="replace")
    words = " ".join(html.unescape(_UNSEEN.sub(" ", markup)).split())
    return "".join(character for character in words if character.isprintable())
