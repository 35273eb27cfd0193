"""Where the lake is, when nobody says: the one place that reads the setting."""

from __future__ import annotations

import os
import re

from refinebio_assets.errors import RequestError

HOME_VARIABLE = "REFINEBIO_HOME"
DEFAULT_HOME = "refinebio_home"
_NO_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:(/(?!/)|//+$)")
"""``s3:/bucket`` and ``s3://``."""


def home_url() -> str:
    """Return the folder or URL in ``REFINEBIO_HOME``, else ``refinebio_home`` in the current folder.

    Raises RequestError for what would be taken for a folder and was meant as a URL, or names no bucket.
    """
    url = os.environ.get(HOME_VARIABLE) or DEFAULT_HOME
    if _NO_URL.match(url):
        scheme = url.partition(":")[0]
        raise RequestError(f"{url} names no lake: one in a bucket is {scheme}://BUCKET/FOLDER")
    return url
