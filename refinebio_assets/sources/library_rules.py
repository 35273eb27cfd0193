"""Which sequencing runs are taken: the rules as the environment sets them, and their version."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

from refinebio_assets.platforms.sra_rules import SraRules, read_blacklist

BLACKLIST_VARIABLE = "REFINEBIO_RUN_BLACKLIST"
STRATEGIES_VARIABLE = "REFINEBIO_LIBRARY_STRATEGIES"
SOURCES_VARIABLE = "REFINEBIO_LIBRARY_SOURCES"


def library_rules(environment: Mapping[str, str]) -> SraRules:
    """Return the rules for runs: the usual ones, changed by the environment's variables.

    Raises NotFoundError when the blacklist is not there, RequestError when it is no list of runs.
    """
    given = {
        "strategies": _listed(environment.get(STRATEGIES_VARIABLE, "")),
        "sources": _listed(environment.get(SOURCES_VARIABLE, "")),
    }
    blacklist = environment.get(BLACKLIST_VARIABLE, "")
    runs = read_blacklist(Path(blacklist)) if blacklist else frozenset[str]()
    return SraRules(blacklist=runs, **{name: values for name, values in given.items() if values})


def rules_version(rules: SraRules) -> str:
    """Return a hash of the rules, empty for the usual ones."""
    if rules == SraRules():
        return ""
    content = json.dumps([sorted(rules.strategies), sorted(rules.sources), sorted(rules.blacklist)])
    return hashlib.sha256(content.encode()).hexdigest()


def _listed(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())
