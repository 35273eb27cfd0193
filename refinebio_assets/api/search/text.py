"""Which experiments words find, and how well.

As the ancestor's, a word finds all words that begin with the same three letters (``medusa`` finds
``medulloblastoma``), and the more letters they share, up to twelve, the better. Scores are BM25's over the
beginnings of words: rare beginnings, short texts and important fields count more.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
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
"""Words of one clause that are looked up; a longer text is a pasted page."""


def text_scores(holdings: Holdings, clauses: Sequence[str], experiments: int) -> Scores | None:
    """Return a score for each experiment, 0 where no clause finds it; None when no clause restricts.

    A clause is words, or ``field:words``. A field that there is not makes no clause.
    """
    parsed = [_parse(clause) for clause in clauses]
    usable = [item for item in parsed if item is not None]
    if not usable:
        return None
    scores = np.zeros(experiments)
    for fields, text in usable:
        for word in _words(text):
            scores += _word_scores(holdings, word, fields, experiments)
        scores += _whole_text_scores(holdings, text, fields, experiments)
    return scores


def _parse(clause: str) -> tuple[Sequence[str], str] | None:
    field, colon, text = clause.partition(":")
    if not colon:
        return FIELDS, clause
    return ((field,), text) if field in FIELDS else None


def _words(text: str) -> list[str]:
    found = [word for word in _WORD.findall(text.lower()) if word not in _STOP_WORDS]
    return list(dict.fromkeys(found))[:_MOST_WORDS]


def _word_scores(holdings: Holdings, word: str, fields: Sequence[str], experiments: int) -> Scores:
    """Return what one word adds to each experiment's score."""
    beginnings = [_BEGINNINGS[name] for name in fields if name in _BEGINNINGS and len(word) >= SHORTEST]
    whole = [_WHOLE_WORDS[name] for name in fields if name in _WHOLE_WORDS]
    known, postings = _postings(holdings, word, beginnings + whole)
    if known is None:
        return np.zeros(experiments)
    shared = known[postings["word_id"] - postings["first"]]
    # In fields of whole words, a word counts as one that shares everything, or not at all.
    wanted = np.isin(postings["field"], beginnings) | (shared < 0)
    return _weigh(np.where(shared < 0, LONGEST, shared)[wanted], postings, wanted, experiments)


def _postings(
    holdings: Holdings, word: str, fields: list[int]
) -> tuple[NDArray[np.int64] | None, dict[str, Any]]:
    """Return how many letters each word near ``word`` shares (-1: it is the word), and where they are."""
    start = word[:SHORTEST]
    near = holdings.columns(
        "SELECT id, word FROM words WHERE word >= ? AND word < ? ORDER BY id",
        [start, start + chr(0x10FFFF)] if len(word) >= SHORTEST else [word, word + "\x00"],
    )
    if not fields or not len(near["id"]):
        return None, {}
    first, last = int(near["id"][0]), int(near["id"][-1])
    postings = holdings.columns(
        f"""SELECT word_id, field, experiment, weight FROM postings
            WHERE word_id BETWEEN ? AND ? AND field IN ({", ".join(map(str, fields))})""",
        [first, last],
    )
    known = np.array([-1 if other == word else _shared(word, other) for other in near["word"]])
    return known, postings | {"first": first}


def _shared(word: str, other: str) -> int:
    """Return how many letters two words share at their beginning, at most twelve."""
    count = 0
    for one, two in zip(word[:LONGEST], other, strict=False):
        if one != two:
            break
        count += 1
    return count


def _weigh(shared: Any, postings: dict[str, Any], wanted: Any, experiments: int) -> Scores:
    """Return BM25 over beginnings: the longer the beginning that is shared, the more of them count."""
    where = postings["experiment"][wanted]
    longest = np.zeros(experiments, dtype=np.int64)
    np.maximum.at(longest, where, shared)
    lengths = np.arange(SHORTEST, LONGEST + 1)
    found = (longest[:, None] >= lengths).sum(axis=0)
    rarity = np.log1p((experiments - found + 0.5) / (found + 0.5))
    worth = np.concatenate([np.zeros(SHORTEST), np.cumsum(rarity)])
    scores: Scores = np.bincount(
        where, weights=postings["weight"][wanted] * worth[shared], minlength=experiments
    ).astype(float)
    return scores


def _whole_text_scores(holdings: Holdings, text: str, fields: Sequence[str], experiments: int) -> Scores:
    scores = np.zeros(experiments)
    for name in fields:
        if name in _WHOLE_TEXTS and text.strip():
            condition, score = _WHOLE_TEXTS[name]
            sql = f"SELECT position FROM experiments WHERE {condition}"
            scores[holdings.columns(sql, {"text": text.strip()})["position"]] += score
    return scores
