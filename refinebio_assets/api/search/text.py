"""Which experiments words find, and how well.

As the ancestor's, a word finds all words that begin with the same three letters (``medusa`` finds
``medulloblastoma``), and the more letters they share, up to twelve, the better. Scores are BM25's over the
beginnings of words: rare beginnings, short texts and important fields count more.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from refinebio_assets.api.holdings.holdings import Holdings

Scores = NDArray[np.float64]
SHORTEST, LONGEST = 3, 12
"""Lengths of the beginnings of words that are compared."""

_BEGINNINGS = {"title": 0, "publication_authors": 1, "publication_title": 2, "description": 4}
_WHOLE_WORDS = {"submitter_institution": 3, "publication_doi": 5, "pubmed_id": 6, "sample_metadata_fields": 7}
_WHOLE_TEXTS = {
    "accession_code": ("accession_code IN ($text, upper($text))", 1000.0),
    "alternate_accession_code": ("alternate_accession_code IN ($text, upper($text))", 1000.0),
    "sample_keywords": ("list_contains(sample_keywords, $text)", 70.0),
    "platform_names": ("list_contains(platform_names, $text)", 10.0),
}
"""Condition and score; who types an accession wants that experiment first."""

FIELDS = (*_BEGINNINGS, *_WHOLE_WORDS, *_WHOLE_TEXTS)
_WORD = re.compile(r"[^\W_]+")
_STOP_WORDS = frozenset(
    _WORD.findall(
        "a an and are as at be but by for if in into is it no not of on or such that the their then there "
        "these they this to was will with"
    )
)
_MOST_WORDS = 50
"""Words of one search that are looked up; a longer text is a pasted page."""
_LONGEST_CLAUSE = 10_000


def text_scores(holdings: Holdings, clauses: Sequence[str], experiments: int) -> Scores | None:
    """Return a score for each experiment, 0 where no clause finds it; None when no clause restricts.

    A clause is words, or ``field:words``. A field that there is not makes no clause.
    """
    parsed = [_parse(clause[:_LONGEST_CLAUSE]) for clause in clauses]
    usable = [item for item in parsed if item is not None]
    if not usable:
        return None
    scores = np.zeros(experiments)
    left = _MOST_WORDS
    for fields, text in usable:
        for word in _words(text)[:left]:
            scores += _word_scores(holdings, word, fields, experiments)
            left -= 1
        scores += _whole_text_scores(holdings, text, fields, experiments)
    return scores


def _parse(clause: str) -> tuple[Sequence[str], str] | None:
    field, colon, text = clause.partition(":")
    if not colon:
        return FIELDS, clause
    return ((field,), text) if field in FIELDS else None


def _words(text: str) -> list[str]:
    found = [word for word in _WORD.findall(text.lower()) if word not in _STOP_WORDS]
    return list(dict.fromkeys(found))


@dataclass(frozen=True, slots=True)
class _Postings:
    """Where words are: those of word ``n`` lie from ``starts[n]`` to ``starts[n + 1]``."""

    starts: NDArray[np.int64]
    fields: NDArray[np.int8]
    experiments: NDArray[np.int32]
    weights: NDArray[np.float32]

    def of(self, first: int, last: int, fields: Sequence[int]) -> tuple[Any, Any]:
        """Return experiments and weights of the words from ``first`` to before ``last`` in these fields."""
        part = slice(self.starts[first], self.starts[last])
        wanted = np.isin(self.fields[part], fields)
        if wanted.all():
            return self.experiments[part], self.weights[part]
        return self.experiments[part][wanted], self.weights[part][wanted]


@dataclass(frozen=True, slots=True)
class _Index:
    """All words in order, and where they are in fields of beginnings and in fields of whole words."""

    words: list[str]
    beginnings: _Postings
    whole: _Postings

    def span(self, start: str) -> tuple[int, int]:
        """Return which words begin with ``start``: the first, and the one after the last."""
        return bisect_left(self.words, start), bisect_left(self.words, start + chr(0x10FFFF))


def _index(holdings: Holdings) -> _Index:
    words = [row["word"] for row in holdings.rows("SELECT word FROM words ORDER BY id")]
    return _Index(
        words,
        _postings(holdings, len(words), _BEGINNINGS.values()),
        _postings(holdings, len(words), _WHOLE_WORDS.values()),
    )


def _postings(holdings: Holdings, words: int, fields: Collection[int]) -> _Postings:
    columns = holdings.columns(
        f"""SELECT word_id, field, experiment, weight FROM postings
            WHERE field IN ({", ".join(map(str, fields))}) ORDER BY word_id"""
    )
    starts = np.searchsorted(columns["word_id"], np.arange(1, words + 2))
    return _Postings(starts, columns["field"], columns["experiment"], columns["weight"])


def _word_scores(holdings: Holdings, word: str, fields: Sequence[str], experiments: int) -> Scores:
    """Return what one word adds to each experiment's score."""
    index = holdings.remember("text", lambda: _index(holdings))
    scores = np.zeros(experiments)
    beginnings = [_BEGINNINGS[name] for name in fields if name in _BEGINNINGS]
    if beginnings:
        # Every beginning that is shared counts, so that words which share more of them rank higher.
        for length in range(SHORTEST, min(len(word), LONGEST) + 1):
            span = index.span(word[:length])
            scores += _rare(*index.beginnings.of(*span, beginnings), experiments)
    whole = [_WHOLE_WORDS[name] for name in fields if name in _WHOLE_WORDS]
    place = bisect_left(index.words, word)
    if whole and index.words[place : place + 1] == [word]:
        scores += LONGEST * _rare(*index.whole.of(place, place + 1, whole), experiments)
    return scores


def _rare(where: Any, weights: Any, experiments: int) -> Scores:
    """Return BM25's scores of postings: their weights, times how rare it is to be among them."""
    seen = np.zeros(experiments, dtype=bool)
    seen[where] = True
    found = np.count_nonzero(seen)
    rarity = np.log1p((experiments - found + 0.5) / (found + 0.5))
    scores: Scores = rarity * np.bincount(where, weights=weights, minlength=experiments)
    return scores


def _whole_text_scores(holdings: Holdings, text: str, fields: Sequence[str], experiments: int) -> Scores:
    scores = np.zeros(experiments)
    wanted = [_WHOLE_TEXTS[name] for name in fields if name in _WHOLE_TEXTS]
    if wanted and text.strip():
        terms = " + ".join(f"CASE WHEN {condition} THEN {score} ELSE 0 END" for condition, score in wanted)
        sql = f"SELECT position, {terms} AS score FROM experiments WHERE {terms} > 0"
        found = holdings.columns(sql, {"text": text.strip()})
        scores[found["position"]] = found["score"]
    return scores
