"""Gene maps: which gene each transcript belongs to, one ``gene<TAB>transcript`` line per transcript.

Reading, writing, and explaining why a map fits no transcript. Summing to genes is the work of
``methods.tximport``; making a map from a GTF that of ``formats.gtf``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np
import pyarrow as pa

from refinebio_assets.errors import FormatError
from refinebio_assets.formats.compressed import plain_lines, quoted

_GENE_HEADERS = frozenset({"gene", "geneid", "ensemblgeneid", "ensemblgene", "genestableid"})
_TRANSCRIPT_HEADERS = frozenset(
    {"transcript", "transcriptid", "tx", "txid", "txname", "targetid", "name"}
    | {"ensembltranscriptid", "ensembltranscript", "transcriptstableid"}
)
_UTF8_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class GeneMap:
    """Row i says that ``transcripts[i]`` belongs to ``genes[i]``; rows in the file's order.

    A transcript may have several rows; the first one counts, as in R's tximport.
    """

    genes: tuple[str, ...]
    transcripts: tuple[str, ...]

    def gene_of(self) -> dict[str, str]:
        """Return each transcript's gene."""
        return dict(zip(reversed(self.transcripts), reversed(self.genes), strict=True))

    def columns(self) -> tuple[pa.StringArray, pa.StringArray]:
        """Return transcripts and genes as Arrow arrays."""
        return _arrow(self.transcripts), _arrow(self.genes)


def read_gene_map(path: Path, label: str | None = None) -> GeneMap:
    """Read a gene map, plain or gzip (told by content). ``label`` replaces the path in messages.

    Fields are separated by tab, comma or white space, whichever the first line has; double quotes around
    them are dropped. A first line of column names is skipped; when it says that the transcript comes
    first, the columns are read so. Without one the gene comes first.

    Raises FormatError, naming the line, for another number of fields than two, an empty field, text
    that is not UTF-8, and no rows; NotFoundError when there is no file.
    """
    name = label or str(path)
    first: list[bytes] = []
    second: list[bytes] = []
    separator: bytes | None = None
    number = 0
    for lines in plain_lines(path, name):
        if number == 0:
            lines[0] = lines[0].removeprefix(_UTF8_MARK)
            separator = _separator(lines[0])
        for number, line in enumerate(lines, start=number + 1):  # noqa: B020 - counts on from the last list
            fields = line.removesuffix(b"\r").split(separator)
            if len(fields) != 2 or not fields[0] or not fields[1]:
                raise _wrong_line(name, number, line, fields)
            first.append(fields[0])
            second.append(fields[1])
    columns = _decoded(first, name), _decoded(second, name)
    transcript_first = _column_order(first[0], second[0]) if first else None
    if transcript_first is not None:
        columns = columns[0][1:], columns[1][1:]
    if not columns[0]:
        raise FormatError(name, expected="a gene and a transcript on each line", found="no such line")
    genes, transcripts = reversed(columns) if transcript_first else columns
    return GeneMap(tuple(genes), tuple(transcripts))


def write_gene_map(path: Path, gene_map: GeneMap) -> None:
    """Write ``gene<TAB>transcript`` lines in the map's order, without a header: the same bytes each time."""
    rows = zip(gene_map.genes, gene_map.transcripts, strict=True)
    text = "".join(f"{gene}\t{transcript}\n" for gene, transcript in rows)
    path.write_bytes(text.encode("utf-8"))


def explain_no_match(transcripts: Sequence[str], gene_map: GeneMap) -> str:
    """Say why, most likely, none of the transcripts is in the map: one sentence with an example."""
    names = set(transcripts)
    if not names.isdisjoint(gene_map.genes):
        return (
            "The columns of the gene map seem to be swapped: its first column must hold genes, but it "
            f"holds transcripts such as {min(names.intersection(gene_map.genes))!r}"
        )
    for trim, what in ((_without_version, "version after the dot"), (_before_bar, "text after the bar")):
        reason = _differ_only_in(transcripts, gene_map, trim, what)
        if reason:
            return reason
    return (
        "The gene map seems to be of another organism or annotation: it has transcripts such as "
        f"{gene_map.transcripts[0]!r}, and the samples have such as {transcripts[0]!r}"
    )


def _separator(line: bytes) -> bytes | None:
    """Return what separates the fields, None for any white space."""
    return next((separator for separator in (b"\t", b",") if separator in line), None)


def _wrong_line(name: str, number: int, line: bytes, fields: list[bytes]) -> FormatError:
    if not line.strip():
        found = "an empty line"
    elif len(fields) == 2:
        found = f"an empty field: {quoted(line)}"
    else:
        found = f"{len(fields)} field{'s' * (len(fields) != 1)}: {quoted(line)}"
    return FormatError(name, line=number, expected="two fields, a gene and its transcript", found=found)


def _decoded(fields: list[bytes], name: str) -> list[str]:
    if not fields:
        return []
    try:
        text = b"\n".join(fields).decode("utf-8")
    except UnicodeDecodeError as error:
        number = error.object.count(b"\n", 0, error.start)
        found = quoted(fields[number])
        raise FormatError(name, line=number + 1, expected="UTF-8 text", found=found) from error
    return text.replace('"', "").split("\n") if '"' in text else text.split("\n")


def _column_order(first: bytes, second: bytes) -> bool | None:
    """Return whether column names put the transcript first, or None when these are no column names."""
    names = ["".join(filter(str.isalnum, name.decode("utf-8"))).lower() for name in (first, second)]
    if names[0] in _GENE_HEADERS and names[1] in _TRANSCRIPT_HEADERS:
        return False
    return True if names[1] in _GENE_HEADERS and names[0] in _TRANSCRIPT_HEADERS else None


def _without_version(name: str) -> str:
    return name.rpartition(".")[0] or name


def _before_bar(name: str) -> str:
    return name.partition("|")[0]


def _differ_only_in(
    transcripts: Sequence[str], gene_map: GeneMap, trim: Callable[[str], str], what: str
) -> str | None:
    in_map = {trim(name): name for name in reversed(gene_map.transcripts)}
    sample_name = next((name for name in transcripts if trim(name) in in_map), None)
    if sample_name is None:
        return None
    return (
        f"The names differ only in the {what}: {sample_name!r} in the samples, "
        f"{in_map[trim(sample_name)]!r} in the gene map"
    )


def _arrow(names: Sequence[str]) -> pa.StringArray:
    """Return names as an Arrow array. Not ``pa.array``, which imports pandas (2 seconds)."""
    text = "".join(names)
    data = text.encode("utf-8")
    ascii_only = len(data) == len(text)
    lengths = map(len, names) if ascii_only else (len(name.encode("utf-8")) for name in names)
    ends = np.cumsum(np.fromiter(chain((0,), lengths), np.int32, len(names) + 1), dtype=np.int32)
    return pa.StringArray.from_buffers(len(names), pa.py_buffer(ends.tobytes()), pa.py_buffer(data))
