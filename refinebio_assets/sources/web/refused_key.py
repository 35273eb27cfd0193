"""Recognizes that a server refuses the API key it was sent. Who sends it is in ``network``."""

from __future__ import annotations

import re

from refinebio_assets.errors import PermanentError

_REFUSED = re.compile(
    r"\bapi[ _-]?key\b\W{1,5}(?:is |was )?(?:not |in)(?:valid|well[ -]?formed|recognized|known)"
    r"|\binvalid api[ _-]?key\b",
    re.IGNORECASE,
)
"""NCBI says ``API key invalid`` and ``API key not wellformed``, with status 400 or 200."""


class KeyRefusedError(PermanentError):
    """The server refuses the user's key: every request with it fails, whatever is asked for."""

    def __init__(self, message: str) -> None:
        super().__init__(f"{message}; correct the key in NCBI_API_KEY or unset it")


def says_key_refused(text: str) -> bool:
    """Tell whether a server's words say that the key is at fault."""
    return bool(_REFUSED.search(text))
