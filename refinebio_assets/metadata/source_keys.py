"""Which keys of submitters stand for which harmonized field, in all the spellings that archives make of them.

All spellings are written out once, when the module is loaded, so that a key is matched by looking it up.
What the values mean is the work of ``harmonize``.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache, lru_cache

SOURCE_KEYS: dict[str, tuple[str, ...]] = {
    "title": (
        "sample name",
        "sample title",
        "title",
        "subject number",
        "extract name",
        "labeled extract name",
    ),
    "sex": (
        "sex",
        "gender",
        "subject gender",
        "subject sex",
        "characteristic [sex]",
        "characteristics [sex]",
    ),
    "age": (
        "age",
        "patient age",
        "age of patient",
        "age (years)",
        "age (yrs)",
        "age (months)",
        "age (days)",
        "age (hours)",
        "age at diagnosis",
        "age at diagnosis years",
        "age at diagnosis months",
        "age at diagnosis days",
        "age at diagnosis hours",
        "characteristic [age]",
        "characteristics [age]",
    ),
    "specimen_part": (
        "organism part",
        "cell type",
        "tissue",
        "tissue type",
        "tissue source",
        "tissue origin",
        "source tissue",
        "tissue subtype",
        "tissue/cell type",
        "tissue region",
        "tissue compartment",
        "tissues",
        "tissue of origin",
        "tissue-type",
        "tissue harvested",
        "cell/tissue type",
        "tissue subregion",
        "organ",
        "characteristic [organism part]",
        "characteristics [organism part]",
        "isolation source",
        "tissue sampled",
        "cell description",
    ),
    "genetic_information": (
        "strain/background",
        "strain",
        "strain or line",
        "background strain",
        "genotype",
        "genetic background",
        "genetic information",
        "genotype/variation",
        "ecotype",
        "cultivar",
        "strain/genotype",
    ),
    "disease": (
        "disease",
        "disease state",
        "disease status",
        "diagnosis",
        "infection with",
        "sample type",
    ),
    "disease_stage": (
        "disease state",
        "disease staging",
        "disease stage",
        "grade",
        "tumor grade",
        "who grade",
        "histological grade",
        "tumor grading",
        "disease outcome",
        "subject status",
    ),
    "cell_line": ("cell line",),
    "treatment": (
        "treatment",
        "treatment group",
        "treatment protocol",
        "drug treatment",
        "clinical treatment",
    ),
    "race": ("race", "ethnicity", "race/ethnicity"),
    "subject": (
        "subject",
        "subject id",
        "subject/sample source id",
        "subject identifier",
        "human subject anonymized id",
        "individual",
        "individual identifier",
        "individual id",
        "patient",
        "patient id",
        "patient identifier",
        "patient number",
        "patient no",
        "donor id",
        "donor",
        "source name",
    ),
    "developmental_stage": (
        "developmental stage",
        "development stage",
        "development stages",
        "dev stage",
    ),
    "compound": (
        "compound",
        "compound1",
        "compound2",
        "compound name",
        "drug",
        "drugs",
        "immunosuppressive drugs",
    ),
    "time": (
        "time",
        "initial time point",
        "start time",
        "stop time",
        "time point",
        "sampling time point",
        "sampling time",
        "time post infection",
    ),
}
"""The harmonized fields and the keys that feed them. ``disease state`` feeds two fields; the order of the
keys matters for the title alone."""

FIELDS = tuple(SOURCE_KEYS)
"""The 14 harmonized fields, title first."""

KeyMatch = tuple[tuple[str, str], ...]
"""What a key stands for: (field, source key) pairs, each field once; empty when it stands for nothing."""

_WRAPPERS = ("characteristic", "characteristics", "comment", "comments", "factorvalue", "factor value")
_FLATTENED_PREFIX = "characteristics_"
_FLATTENED_SUFFIX = "_text"


def _spellings(source_key: str) -> list[str]:
    return list(dict.fromkeys(source_key.replace(" ", blank) for blank in (" ", "_", "-", "")))


def _variants(source_key: str) -> Iterator[str]:
    """Yield every key that is read as this one, in the order of preference that titles need."""
    for spelling in _spellings(source_key):
        yield spelling
        for wrapper in _WRAPPERS:
            yield f"{wrapper} [{spelling}]"
            yield f"{wrapper}[{spelling}]"
        yield f"sample_{spelling}"
        yield f"sample_host{spelling}"
        yield f"sample_sample_{spelling}"


def _tables() -> tuple[dict[str, KeyMatch], dict[str, KeyMatch]]:
    """Write out what each variant stands for, and what each bare spelling does."""
    variants: dict[str, dict[str, str]] = {}
    spellings: dict[str, dict[str, str]] = {}
    for field, source_keys in SOURCE_KEYS.items():
        if field == "title":
            continue
        for source_key in source_keys:
            for variant in _variants(source_key):
                variants.setdefault(variant, {}).setdefault(field, source_key)
            for spelling in _spellings(source_key):
                spellings.setdefault(spelling, {}).setdefault(field, source_key)
    return (
        {key: tuple(fields.items()) for key, fields in variants.items()},
        {key: tuple(fields.items()) for key, fields in spellings.items()},
    )


_BY_VARIANT, _BY_SPELLING = _tables()


# Submitters use few keys for many samples, so that nearly every key was met before.
@lru_cache(maxsize=1 << 16)
def match_key(key: str) -> KeyMatch:
    """Return the fields, other than the title, that a submitter's key feeds.

    Case and outer white space do not count. Beside the variants that are written out, keys of flattened
    JSON are known: ``characteristics_S`` and ``characteristics_S_0_text`` for any number.
    """
    plain = key.lower().strip()
    found = _BY_VARIANT.get(plain)
    if found is None and plain.startswith(_FLATTENED_PREFIX):
        found = _BY_SPELLING.get(_without_number(plain.removeprefix(_FLATTENED_PREFIX)))
    return found or ()


def _without_number(key: str) -> str:
    """Cut ``_<digits>_text`` off, if it is there."""
    if not key.endswith(_FLATTENED_SUFFIX):
        return key
    stem, _, number = key.removesuffix(_FLATTENED_SUFFIX).rpartition("_")
    return stem if number.isdecimal() else key


@cache
def title_ranks(first: str = "") -> dict[str, int]:
    """Return the keys that can hold a title and their rank, the lowest the best.

    Title keys are compared as they are: with case and white space. ``first`` is a source key of the title
    that goes before all others (see ``match_title_field``). Raises ValueError when it is none.
    """
    source_keys = SOURCE_KEYS["title"]
    if first and first not in source_keys:
        raise ValueError(f"{first!r} is no title field; they are {', '.join(source_keys)}")
    ordered = [first, *source_keys] if first else source_keys
    keys = dict.fromkeys(variant for source_key in ordered for variant in _variants(source_key))
    return {key: rank for rank, key in enumerate(keys)}
