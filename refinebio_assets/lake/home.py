"""Where the lake is, when nobody says: the one place that reads the setting."""

from __future__ import annotations

import os

HOME_VARIABLE = "REFINEBIO_HOME"
DEFAULT_HOME = "refinebio_home"


def home_url() -> str:
    """Return the folder or URL in ``REFINEBIO_HOME``, else ``refinebio_home`` in the current folder."""
    return os.environ.get(HOME_VARIABLE) or DEFAULT_HOME
