"""Transcripts of a GTF file, after refine.bio's rules: which are kept, their genes, and their exons.

Refine.bio drops every line in which the word ``pseudogene`` occurs and takes genes from ``transcript``
features. Sequences are the work of ``methods.splice``, deciding about odd transcripts that of
``pipelines.references.transcripts``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from refinebio_assets.errors import FormatError
from refinebio_assets.formats.compressed import plain_lines, quoted
from refinebio_assets.formats.gene_map import GeneMap

_COLUMNS = 9
_PSEUDOGENE = b"pseudogene"
_PUNCTUATION = b';"\r'
_UTF8_MARK = b"\xef\xbb\xbf"


@dataclass(slots=True)
class Exons:
    """The exon lines of one transcript in the file's order: what each line says, not yet judged.

    ``starts`` and ``ends`` are 1-based and inclusive. ``places`` are the distinct (chromosome, strand)
    of the lines: one, unless the file contradicts itself.
    """

    starts: list[int] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)
    places: list[tuple[str, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class GtfTranscripts:
    """What a GTF says of transcripts.

    ``gene_map`` has a row per ``transcript`` feature, ``exons`` an entry per transcript that ``exon``
    features name, both in the file's order and of the lines without the word ``pseudogene`` only.
    """

    gene_map: GeneMap
    exons: dict[str, Exons]
    lines: int
    pseudogene_lines: int


def read_gtf(path: Path, label: str | None = None) -> GtfTranscripts:
    """Read the transcripts of a GTF, plain or gzip (told by content).

    ``label`` replaces the path in messages. Lines with the word ``pseudogene`` anywhere are counted and
    dropped. Attributes are read as refine.bio does: column 9 without ``;`` and ``"``, split at single
    blanks, the word after ``gene_id`` or ``transcript_id``; versions are not appended.

    Raises FormatError, naming the line, for a data line without 9 columns, a ``transcript`` or ``exon``
    without its ids, a position that is no number, text that is not UTF-8, and a file without transcript
    features; NotFoundError when there is no file.
    """
    reader = _Reader(label or str(path))
    for lines in plain_lines(path, reader.label):
        reader.feed(lines)
    return reader.result()


class _Reader:
    """Collects transcripts and exons line by line; ids stay bytes until the end, which is faster."""

    def __init__(self, label: str) -> None:
        self.label = label
        self._line = 0
        self._pseudogene_lines = 0
        self._genes: list[bytes] = []
        self._transcripts: list[bytes] = []
        self._exons: dict[bytes, Exons] = {}
        self._places: dict[tuple[bytes, bytes], tuple[str, str]] = {}
        self._other_features: dict[bytes, None] = {}

    def feed(self, lines: list[bytes]) -> None:
        """Take the next lines. One flat loop: a human GTF has 3.5 million."""
        if self._line == 0:
            lines[0] = lines[0].removeprefix(_UTF8_MARK)
        for line in lines:
            self._line += 1
            if _PSEUDOGENE in line:
                self._pseudogene_lines += 1
                continue
            fields = line.split(b"\t")
            if len(fields) != _COLUMNS:
                self._check_no_data(line, fields)
                continue
            feature = fields[2]
            if feature == b"exon":
                self._add_exon(fields)
            elif feature == b"transcript":
                self._genes.append(self._attribute(b"gene_id", fields[8]))
                self._transcripts.append(self._attribute(b"transcript_id", fields[8]))
            else:
                self._other_features[feature] = None

    def result(self) -> GtfTranscripts:
        """Return what was collected; FormatError when there were no transcripts."""
        if not self._transcripts:
            raise FormatError(self.label, expected="'transcript' features", found=self._instead())
        try:
            return GtfTranscripts(
                gene_map=GeneMap(
                    tuple(gene.decode("utf-8") for gene in self._genes),
                    tuple(transcript.decode("utf-8") for transcript in self._transcripts),
                ),
                exons={transcript.decode("utf-8"): exons for transcript, exons in self._exons.items()},
                lines=self._line,
                pseudogene_lines=self._pseudogene_lines,
            )
        except UnicodeDecodeError as error:
            raise FormatError(self.label, expected="UTF-8 text", found=quoted(error.object)) from error

    def _add_exon(self, fields: list[bytes]) -> None:
        transcript = self._attribute(b"transcript_id", fields[8])
        exons = self._exons.get(transcript)
        if exons is None:
            exons = self._exons[transcript] = Exons()
        try:
            exons.starts.append(int(fields[3]))
            exons.ends.append(int(fields[4]))
        except ValueError as error:
            found = quoted(fields[3] + b"-" + fields[4])
            raise self._error("numbers as start and end of the exon", found) from error
        place = self._places.get((fields[0], fields[6])) or self._place(fields[0], fields[6])
        if place not in exons.places:
            exons.places.append(place)

    def _place(self, chromosome: bytes, strand: bytes) -> tuple[str, str]:
        """Return chromosome and strand as text, one object for all exons that share them."""
        place = chromosome.decode("utf-8", "replace"), strand.decode("utf-8", "replace")
        self._places[chromosome, strand] = place
        return place

    def _attribute(self, key: bytes, attributes: bytes) -> bytes:
        value = _word_after(key, attributes)
        if not value:
            raise self._error(f"{key.decode()} and its value in column {_COLUMNS}", quoted(attributes))
        return value

    def _check_no_data(self, line: bytes, fields: list[bytes]) -> None:
        if line.strip() and not line.startswith(b"#"):
            found = f"{len(fields)}: {quoted(line)}"
            raise self._error(f"{_COLUMNS} columns separated by tabs", found)

    def _instead(self) -> str:
        features = ", ".join(repr(name.decode("utf-8", "replace")) for name in self._other_features)
        if self._pseudogene_lines:
            return f"none beside {self._pseudogene_lines:,} lines with the word 'pseudogene'"
        return f"only {features}" if features else "no features"

    def _error(self, expected: str, found: str) -> FormatError:
        return FormatError(self.label, line=self._line, expected=expected, found=found)


def _word_after(key: bytes, attributes: bytes) -> bytes:
    """Return the word after the first word ``key``, or nothing.

    Words are what is left when ``;`` and ``"`` are taken away and the rest is split at single blanks.
    In most lines the key is found as it stands, five times as fast.
    """
    start = attributes.find(key + b" ")
    if start == 0 or (start > 0 and attributes[start - 1 : start] == b" "):
        start += len(key) + 1
        end = attributes.find(b" ", start)
        return attributes[start : end if end >= 0 else len(attributes)].translate(None, _PUNCTUATION)
    words = attributes.translate(None, _PUNCTUATION).split(b" ")
    return words[words.index(key) + 1] if key in words[:-1] else b""
