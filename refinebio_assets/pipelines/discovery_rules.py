"""The rules of discovery, as a person writes them: which searches, what is taken, how much a day."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import yaml

from refinebio_assets.errors import FormatError, NotFoundError, RequestError
from refinebio_assets.lake.store import Lake
from refinebio_assets.sources.accessions import Archive
from refinebio_assets.sources.discovery import Search

RULES_VARIABLE = "REFINEBIO_DISCOVERY_RULES"
RULES_FILE = "discovery.yaml"
DEFAULT_BUDGET = 20
_KEYS = {
    *("archive", "organism", "taxonomy_id", "platforms", "strategies", "since"),
    *("minimum_samples", "maximum_samples"),
}


@dataclass(frozen=True, slots=True)
class Rule:
    """One search under a name, and the sizes of experiments that are taken of what it finds."""

    name: str
    search: Search
    minimum_samples: int = 1
    maximum_samples: int = 1_000_000


@dataclass(frozen=True, slots=True)
class DiscoveryRules:
    """All rules, accessions that are never taken, and how many experiments a day are processed."""

    rules: tuple[Rule, ...]
    exclude: frozenset[str] = frozenset()
    daily_budget: int = DEFAULT_BUDGET


def rules_path(lake: Lake, environment: Mapping[str, str]) -> Path:
    """Return where the rules are: ``REFINEBIO_DISCOVERY_RULES``, else ``discovery.yaml`` in a local lake."""
    given = environment.get(RULES_VARIABLE, "")
    if given:
        return Path(given).expanduser().absolute()
    if not lake.is_local:
        raise RequestError(f"the lake is {lake.url}: say in {RULES_VARIABLE} which file has the rules")
    return Path(lake.url) / RULES_FILE


def read_rules(path: Path) -> DiscoveryRules:
    """Read a file of rules (YAML). Raises NotFoundError, FormatError, and RequestError with all problems."""
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise NotFoundError(f"the rules of discovery, {path}, cannot be read: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise FormatError(path, expected="YAML in UTF-8", found=str(error)) from error
    if not isinstance(content, dict) or not isinstance(content.get("searches"), dict):
        raise FormatError(
            path, expected="a mapping with `searches`, each under its name", found=str(content)[:80]
        )
    problems = [
        f"unknown key {key}" for key in sorted(set(content) - {"searches", "exclude", "daily_budget"})
    ]
    rules = [_rule(str(name), said, problems) for name, said in content["searches"].items()]
    budget = content.get("daily_budget", DEFAULT_BUDGET)
    if not isinstance(budget, int) or isinstance(budget, bool) or budget < 0:
        problems.append(f"daily_budget is {budget!r}, not a number of experiments")
    if problems:
        raise RequestError(problems, about=f"rules of discovery {path}")
    excluded = frozenset(str(name).strip().upper() for name in content.get("exclude") or ())
    return DiscoveryRules(tuple(rule for rule in rules if rule), excluded, budget)


def _rule(name: str, said: Any, problems: list[str]) -> Rule | None:
    """Return one rule, or None after adding what is wrong with it."""
    if not isinstance(said, dict):
        problems.append(f"{name}: expected keys and values, found {said!r}")
        return None
    before = len(problems)
    problems += [f"{name}: unknown key {key}" for key in sorted(set(map(str, said)) - _KEYS)]
    archives = [archive.value for archive in Archive]
    if said.get("archive") not in archives:
        problems.append(f"{name}: archive is {said.get('archive')!r}, not one of {', '.join(archives)}")
    if not said.get("organism"):
        problems.append(f"{name}: organism is missing")
    if said.get("archive") == Archive.SRA and not isinstance(said.get("taxonomy_id"), int):
        problems.append(f"{name}: a search of SRA needs the organism's taxonomy_id, a number")
    since = said.get("since") or ""
    since = since.isoformat() if isinstance(since, date) else str(since)
    if len(problems) > before:
        return None
    wanted = Search(
        Archive(said["archive"]),
        str(said["organism"]),
        int(said.get("taxonomy_id") or 0),
        tuple(map(str, said.get("platforms") or ())),
        tuple(map(str, said.get("strategies") or ("RNA-Seq",))),
        since,
    )
    limits = {key: int(said[key]) for key in ("minimum_samples", "maximum_samples") if key in said}
    return Rule(name, wanted, **limits)
