"""Reads what an archive's search endpoint answers, and refuses what is none: with URL, expected and found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from refinebio_assets.errors import FormatError
from refinebio_assets.sources.web.client import Web
from refinebio_assets.sources.web.urls import shown_url, with_params

SHOWN = 200
"""Characters that are quoted of a strange answer."""


@dataclass(frozen=True, slots=True)
class SearchAnswer:
    """One answer of a search endpoint: the URL that was asked, and the JSON value that came (or a part)."""

    web: Web
    url: str
    value: Any

    @classmethod
    def ask(cls, web: Web, url: str, params: Mapping[str, str]) -> SearchAnswer:
        """Ask a search endpoint; raises what ``Web.json`` raises."""
        return cls(web, shown_url(with_params(url, params)), web.json(url, params=params))

    def strange(self, expected: str, found: object, place: str = "") -> FormatError:
        """Return the error for an answer that is not what it should be."""
        quoted = "nothing" if found is None else self.web.discreet(repr(found))[:SHOWN]
        return FormatError(self.url, expected=expected, found=quoted, place=place or None)

    def part(self, key: str, expected: str) -> SearchAnswer:
        """Return the object or list under a key; raises FormatError where the answer has none."""
        if not isinstance(self.value, Mapping) or key not in self.value:
            raise self.strange(f"{expected} under `{key}`", self.value)
        return SearchAnswer(self.web, self.url, self.value[key])

    def records(self) -> list[Mapping[str, Any]]:
        """Return the answer as a list of objects; an empty answer is an empty list."""
        if self.value is None:
            return []
        if not isinstance(self.value, list):
            raise self.strange("a list of records", self.value)
        for number, row in enumerate(self.value, start=1):
            if not isinstance(row, Mapping):
                raise self.strange("an object", row, f"record {number:,}")
        return self.value

    def count(self, key: str) -> int:
        """Return the whole number, at least 0, under a key; archives also write it as text."""
        found = self.part(key, "a number").value
        if isinstance(found, int) and not isinstance(found, bool) and found >= 0:
            return found
        if isinstance(found, str) and found.isascii() and found.isdigit():
            return int(found)
        raise self.strange("a whole number", found, f"`{key}`")
