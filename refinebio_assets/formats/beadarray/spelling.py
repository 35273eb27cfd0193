"""How headers spell that a column holds probe ids, intensities, detection p-values or something else."""

from __future__ import annotations

import re
import unicodedata
from enum import IntEnum

_LONGEST = 500
"""Characters of a header that are looked at: no real one is longer."""

PROBE_ID_NAMES = ("idref", "probeid", "refid", "idprobe")
TARGET_ID_NAMES = ("targetid",)
BEAD_TYPE_NAMES = ("illumicode",)


class Kind(IntEnum):
    """What the words of a header beside a sample's name say; the larger of two kinds of values is better."""

    OTHER = 0
    DETECTION = 1
    VALUE = 2
    SIGNAL = 3
    PLAIN = 4
    RAW = 5


_GAP = r"[\W_]*"
_SPELLINGS = (
    (Kind.OTHER, rf"[a-z]*bead[a-z]*{_GAP}(?:std(?:ev|err)?|stderr|num|count)?|(?:avg{_GAP})?n{_GAP}beads"),
    (Kind.OTHER, rf"n{_GAP}arrays|array{_GAP}(?:stdev|stderr|std)|(?:min|max){_GAP}signal"),
    (Kind.OTHER, rf"std{_GAP}(?:dev|err(?:or)?)?|diff(?:erential)?{_GAP}(?:p{_GAP}val(?:ue)?|score)"),
    (Kind.OTHER, rf"adj(?:usted)?{_GAP}p{_GAP}val(?:ue)?|(?:(?:detection|abs){_GAP})?call|flags?"),
    (
        Kind.DETECTION,
        rf"detect(?:ion|ed)?{_GAP}(?:p{_GAP}val(?:ue)?s?|pv|p|score|value)(?![a-z])|p{_GAP}val(?:ue)?s?",
    ),
    (Kind.DETECTION, rf"det{_GAP}p(?:{_GAP}val(?:ue)?s?)?|detection|detect"),
    (
        Kind.RAW,
        rf"(?:avg|average|mean){_GAP}signal(?:{_GAP}intensity)?|raw{_GAP}(?:value|signal|intensity|data)?s?",
    ),
    (
        Kind.RAW,
        rf"non{_GAP}normali[sz]ed(?:{_GAP}(?:value|signal|intensity|data)s?)?|(?:un|not{_GAP})normali[sz]ed",
    ),
    (Kind.SIGNAL, rf"signal(?:{_GAP}intensity)?|intensity|(?:avg|average){_GAP}intensity"),
    (Kind.OTHER, rf"(?:quantile{_GAP})?normali[sz]ed(?:{_GAP}(?:value|signal|intensity|data)s?)?"),
    (Kind.VALUE, r"values?|expression"),
)
_AT_END = [(kind, re.compile(rf"(?:^|[\W_]+)(?:{words}){_GAP}$")) for kind, words in _SPELLINGS]
_AT_START = [(kind, re.compile(rf"^{_GAP}(?:{words})(?:[\W_]+|$)")) for kind, words in _SPELLINGS]
_DETECTION_INSIDE = re.compile(r"detection[\W_]?p[\W_]?val(?:ue)?s?")
_ANNOTATIONS = re.compile(
    r"(?:target|probe|search_?key|transcript|gene|entrez|refseq|unigene|ilmn|accession|symbol|definition|"
    r"synonyms?|chromosome|cytoband|coordinates?|sequence|species|source|ontology|array_address|protein|"
    r"obsolete|start|end|strand|gi|description|title|nuid|ensembl|locus|bead_?id|spot_id|orf|name|id)"
    r"(?:[\W_].*|_?id|_?name)?$"
)
_REPEATED = re.compile(r"[\W_]*\d{0,4}[\W_]*$")


def folded(text: str) -> str:
    """Return a name in the form in which names are compared: without case, quotes and extra white space."""
    plain = unicodedata.normalize("NFKC", text[:_LONGEST]).casefold().replace('"', "")
    return " ".join(plain.split()).strip("' ")


def bare(text: str) -> str:
    """Return a name without anything but letters, digits and ``+``, as R and spreadsheets may change it."""
    return re.sub(r"[^\w+]|_", "", folded(text))


def split_header(header: str) -> tuple[str, Kind]:
    """Return a folded header without the words that tell its kind, and the kind.

    ``s1.avg_signal`` gives (``s1``, RAW), ``detection pval-s1`` gives (``s1``, DETECTION), ``s1`` gives
    (``s1``, PLAIN). What is left is empty when the header has nothing but such words.
    """
    inside = _DETECTION_INSIDE.search(header)
    if inside:
        left, right = _trimmed(header[: inside.start()]), _trimmed(header[inside.end() :])
        return left or right, Kind.DETECTION
    for patterns in (_AT_END, _AT_START):
        for kind, pattern in patterns:
            found = pattern.search(header)
            if found:
                return _once_more(_trimmed(header[: found.start()] + header[found.end() :]), kind), kind
    return header, Kind.PLAIN


def is_only_number(rest: str) -> bool:
    """Tell whether what is left of a header is nothing, or a number by which software tells equal ones apart.

    ``Detection Pval.1`` is R's or pandas' way of writing the second ``Detection Pval``.
    """
    return _REPEATED.fullmatch(rest) is not None


def is_annotation(header: str) -> bool:
    """Tell whether a folded header is that of a column about the probe, such as its gene or sequence."""
    return _ANNOTATIONS.match(header.replace(" ", "_")) is not None


def _once_more(rest: str, kind: Kind) -> str:
    """Take off the same kind of words written twice (``s1.avg_signal.avg_signal``)."""
    for each, pattern in _AT_END:
        found = pattern.search(rest) if each == kind else None
        if found:
            return _trimmed(rest[: found.start()])
    return rest


def _trimmed(rest: str) -> str:
    return rest.strip(" ._-:|()[]")
