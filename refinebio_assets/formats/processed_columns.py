"""Which column of a submitter's table is the id and which the value: told by names, else by content.

Fields come from ``processed_text``; reading a whole file is the work of ``processed_table``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from refinebio_assets.errors import FormatError
from refinebio_assets.formats.compressed import quoted
from refinebio_assets.formats.processed_numbers import is_missing, is_number, parse_numbers

ID, VALUE, P_VALUE, CALL = "id", "value", "detection p-value", "detection call"
NUMBERS, OTHER = "other numbers", "other"
ID_HEADER, VALUE_HEADER = "ID_REF", "VALUE"
_PROBE_ID_NAMES = (
    *("idref", "probeid", "refid", "idprobe", "probesetid", "reporteridentifier", "compositeelementref"),
    *("compositesequenceidentifier", "reporterref", "reporterid", "reportername", "probeset"),
    *("probesetname", "probename", "probe", "affyid", "ilmnid", "transcriptclusterid", "unitname"),
)
_GENE_ID_NAMES = (
    *("ensembl", "ensemblid", "ensemblgeneid", "entrezid", "entrezgeneid", "refseq", "refseqid", "unigene"),
    *("targetid", "geneid", "genesymbol", "symbol", "gene", "id"),
)
_ID_NAMES = _PROBE_ID_NAMES + _GENE_ID_NAMES
"""Names of id columns without case and signs, the best first: a probe's before a gene's."""
_SAMPLE_HEADERS = frozenset({"hybridizationref", "scanref", "derivedarraydatafileref", "assayref"})
"""First names of ArrayExpress' line of sample names, which stands above the line of column names."""
_SIGNAL = re.compile(r"signal|value|intensity|expression|rma|log2")
_P_VALUE = re.compile(r"detection[\W_]?p|(^|[\W_])detection$|^p[\W_]?val(ue)?$")
_SIDE_COLUMN = re.compile(
    r"bead|narrays|stdev|std\W?err|\bstd\b|\bs\.?[de]\b|error|\bflags?\b|\bp\W?val|detection"
)
_CALLS = frozenset({"p", "a", "m", "nc", "no call", "present", "absent", "marginal"})
_SHOWN_NAMES = 3
_LOOKED_AT = 1000
"""Rows by whose content a column is judged."""
_NOT_SIGN = re.compile(r"[\W_]+")


@dataclass(frozen=True, slots=True)
class RecognizedColumn:
    """One column as it was understood: its name in the file (empty without one), its role, and why."""

    name: str
    role: str
    reason: str

    @property
    def used(self) -> bool:
        """Whether ids or values are taken from it."""
        return self.role in (ID, VALUE)


class Header(NamedTuple):
    """The names of a table's columns, and where its rows begin.

    ``above`` are names in a line above (ArrayExpress' samples), empty where there is none. ``source`` says
    where the names come from.
    """

    names: list[str]
    above: list[str]
    rows_from: int
    source: str


def find_header(
    rows: Sequence[Sequence[str]], width: int, given: Sequence[str], label: str, line: int
) -> Header:
    """Tell the names of ``width`` columns: the first line's, the ``given`` ones, or GEO's convention.

    The first line holds names where it has a known name of an id column or anything with ``ID_REF``, or
    where its second field is no number and no names are ``given`` (a MINiML table's, which stand in its
    record); then a missing name of the first column becomes ID_REF. Else the names are the given ones,
    ``ID_REF, VALUE`` for two columns, and with a third and fourth one detection calls and p-values, told by
    content. Raises FormatError, quoting the first line, where columns without names cannot be told.
    """
    if _without_names(rows[0], given):
        if given and len(given) != width:
            expected = f"{len(given)} columns ({', '.join(given)})"
            raise FormatError(label, line=line, expected=expected, found=f"{width}: {_shown(rows[0])}")
        names = list(given) or _conventional_names(rows, width, label, line)
        return Header(names, [""] * width, 0, "given" if given else "none: GEO's order of columns")
    names, above, rows_from = list(rows[0][:width]), [""] * width, 1
    if _bare(names[0]) in _SAMPLE_HEADERS and len(rows) > 1 and _bare(rows[1][0]) in _ID_NAMES:
        names, above, rows_from = list(rows[1][:width]), _filled(names, width), 2
    source = "the file"
    if not names[0] or (len(names) == width - 1 and not _has_id_name(names)):
        names = [ID_HEADER, *names[not names[0] :]]
        source = f"the file; the missing first name became {ID_HEADER}"
    return Header(_filled(names, width), above, rows_from, source)


def recognize_columns(
    header: Header,
    rows: Sequence[Sequence[str]],
    samples: Sequence[str],
    label: str,
    line: int,
    *,
    shared: bool = False,
) -> tuple[RecognizedColumn, ...]:
    """Give every column its role; exactly one is the id and one the value.

    ``rows`` are those below the header, each with a field for each column. ``samples`` are the names of the
    one sample, the surest first. The value is, first hit: the column with one of them (in a ``shared`` table
    only this); the one named VALUE; the other of two columns; the only column of numbers
    that is neither id nor p-value, call or a measure of spread; the only one of them whose name
    says signal. Raises FormatError, quoting the header, where none or several are left.
    """
    names = [name.lower() for name in header.names]
    id_place, id_reason = _id_column(header)
    kinds = [_kind(name, [row[place] for row in rows[:_LOOKED_AT]]) for place, name in enumerate(names)]
    value_place, value_reason = _value_column(header, kinds, id_place, samples, shared=shared)
    if value_place is None:
        raise _no_value_column(header, kinds, samples, label, line)
    columns = [RecognizedColumn(name, *kind) for name, kind in zip(header.names, kinds, strict=True)]
    columns[id_place] = RecognizedColumn(header.names[id_place], ID, id_reason)
    columns[value_place] = RecognizedColumn(header.names[value_place], VALUE, value_reason)
    return tuple(columns)


def _without_names(first: Sequence[str], given: Sequence[str]) -> bool:
    if given:
        # A call or an id as the second field is no name where names are known.
        return not (_has_id_name(first) or any(ID_HEADER in field for field in first))
    return not _is_header(first)


def _is_header(first: Sequence[str]) -> bool:
    if any(ID_HEADER in field for field in first) or _has_id_name(first):
        return True
    if _bare(first[0]) in _SAMPLE_HEADERS:
        return True
    second = first[1] if len(first) > 1 else ""
    return not (is_number(second) or is_missing(second))


def _has_id_name(names: Sequence[str]) -> bool:
    return any(_bare(name) in _ID_NAMES for name in names)


def _conventional_names(rows: Sequence[Sequence[str]], width: int, label: str, line: int) -> list[str]:
    """Return names for columns that have none; more than values, calls and p-values is too much to guess."""
    names = [ID_HEADER, VALUE_HEADER]
    beginning = [[*row, *[""] * (width - len(row))] for row in rows[:_LOOKED_AT]]
    extra = [[row[place] for row in beginning] for place in range(2, width)]
    kinds = ["ABS_CALL" if _are_calls(texts) else "DETECTION P-VALUE" for texts in extra]
    certain = all(_are_calls(texts) or _are_shares(texts) for texts in extra)
    if certain and (len(kinds) < 2 or kinds == ["ABS_CALL", "DETECTION P-VALUE"]):
        return names + kinds
    raise FormatError(
        label,
        line=line,
        expected="names of the columns (or ids, values, and no more than detection calls and p-values)",
        found=f"{width} columns without names: {_shown(rows[0])}",
    )


def _id_column(header: Header) -> tuple[int, str]:
    bare = [_bare(name) for name in header.names]
    best = next((name for name in _ID_NAMES if name in bare), None)
    if best is not None:
        return bare.index(best), "its name"
    part = next((place for place, name in enumerate(header.names) if ID_HEADER in name), None)
    return (part, f"its name has {ID_HEADER}") if part is not None else (0, "the first column")


def _kind(name: str, texts: Sequence[str]) -> tuple[str, str]:
    """Return the role of a column that is not the id, and why; one of numbers may be the value."""
    if _are_calls(texts):
        return CALL, "its values are detection calls"
    if _P_VALUE.search(name):
        return P_VALUE, "its name"
    if _SIDE_COLUMN.search(name):
        return OTHER, "its name"
    if _bare(name) in _ID_NAMES:
        return OTHER, "its name is that of another id"
    if all(map(is_missing, texts)):
        return OTHER, "it is empty"
    return (NUMBERS if parse_numbers(texts) else OTHER), "its content"


def _value_column(
    header: Header,
    kinds: Sequence[tuple[str, str]],
    id_place: int,
    samples: Sequence[str],
    *,
    shared: bool,
) -> tuple[int | None, str]:
    others = [place for place in range(len(kinds)) if place != id_place]
    numbers = [place for place in others if kinds[place][0] == NUMBERS]
    named = [place for place in others if _bare(header.names[place]) == VALUE]
    signals = [place for place in numbers if _SIGNAL.search(header.names[place].lower())]
    candidates = [each for name in samples for each in _of_sample(header, others, numbers, signals, name)]
    if not shared:
        candidates += [
            (named, "its name"),
            (others, "the only column beside the id"),
            (numbers, "the only column of numbers that are no p-values or measures of spread"),
            (signals, "the only column of numbers whose name says signal"),
        ]
    return next(((places[0], reason) for places, reason in candidates if len(places) == 1), (None, ""))


def _of_sample(
    header: Header, others: Sequence[int], numbers: Sequence[int], signals: Sequence[int], name: str
) -> list[tuple[list[int], str]]:
    """Return the columns that a name of the sample heads, in several readings."""
    of_sample = [place for place in others if _is_of_sample(header, place, name)]
    return [
        (of_sample, f"its name is the sample's, {name}"),
        ([place for place in of_sample if place in numbers], f"its name is the sample's, {name}"),
        ([place for place in signals if _begins_with_sample(header, place, name)], f"signal of {name}"),
    ]


def _no_value_column(
    header: Header, kinds: Sequence[tuple[str, str]], samples: Sequence[str], label: str, line: int
) -> FormatError:
    names = [above or name for above, name in zip(header.above, header.names, strict=True)]
    possible = sum(role == NUMBERS for role, _ in kinds)
    known = " or ".join(samples[:_SHOWN_NAMES])
    wanted = f"{VALUE_HEADER} or {known}" if known else f"{VALUE_HEADER}, or a sample's when it is given"
    found = f"{possible} columns of numbers in {_shown(names)}"
    return FormatError(label, line=line, expected=f"one value column ({wanted})", found=found)


def _is_of_sample(header: Header, place: int, sample: str) -> bool:
    wanted = sample.strip().lower()
    return wanted in (header.names[place].lower(), header.above[place].lower())


def _begins_with_sample(header: Header, place: int, sample: str) -> bool:
    """Tell a name such as ``GSM744994.AVG_Signal`` from that of sample GSM7449941."""
    start = re.escape(sample.strip())
    return bool(sample) and re.match(rf"{start}[\W_]", header.names[place], re.IGNORECASE) is not None


def _are_calls(texts: Sequence[str]) -> bool:
    found = {text.lower() for text in texts if not is_missing(text)}
    return bool(found) and found <= _CALLS


def _are_shares(texts: Sequence[str]) -> bool:
    numbers = parse_numbers(texts)
    if numbers is None or numbers.missing == len(texts):
        return False
    found = numbers.values[numbers.values == numbers.values]  # NaN is not equal to itself
    return bool((found >= 0).all() and (found <= 1).all())


def _bare(name: str) -> str:
    return _NOT_SIGN.sub("", name.lower())


def _filled(names: Sequence[str], width: int) -> list[str]:
    return [*names, *[""] * (width - len(names))]


def _shown(names: Sequence[str]) -> str:
    return quoted("\t".join(names).encode())
