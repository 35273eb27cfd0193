"""One gene for each BeadArray probe: where a probe has several, which one is taken, and why.

As in refine.bio, a table of choices made once (probe, Ensembl id) decides. A probe that is not in it is
resolved by the rule after which that table was made. Where genes and their standing come from is the work
of other modules.

Source of the rule: refine.bio's illumina-refinery, README and step 02.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import pyarrow as pa

from refinebio_assets.errors import FormatError, NotFoundError
from refinebio_assets.formats.compressed import plain_chunks, quoted, read_chunks
from refinebio_assets.formats.illumina_annotation import GenePairs, string_array

CHOICE_COLUMNS = ("probe_id", "ensembl_id")
_NO_GENE = ("", "NA")
_GENES = ("ENSG", "ENSMUSG", "ENSRNOG")
"""Ensembl's genes of the three organisms that have BeadArrays; Brainarray's tables have controls as well."""


class ChoiceReason(StrEnum):
    """Why a probe has the gene it has, or none."""

    ONLY = "the probe's only gene"
    STORED = "the stored choice table"
    STORED_NONE = "the stored choice table leaves the probe without a gene"
    BRAINARRAY = "in more Brainarray tables than the others"
    VALID = "the only id that is still in Ensembl"
    PRIMARY = "the only gene on the primary assembly"
    LOWEST = "the lowest id of equals"
    NONE_VALID = "none of several ids is still in Ensembl"
    UNDECIDED = "several genes, and nothing to choose by"
    NO_GENE = "no gene"


@dataclass(frozen=True, slots=True)
class GeneStanding:
    """What is known of an organism's genes, to choose among several of one probe.

    ``appearances``: in how many Brainarray tables a gene is, none when absent. ``valid``: the ids in Ensembl;
    None where nobody says, so that all are taken for valid. ``primary``: those on the primary assembly, that
    is on a chromosome of the karyotype.
    """

    appearances: Mapping[str, int]
    valid: Collection[str] | None
    primary: Collection[str]


@dataclass(frozen=True, slots=True, eq=False)
class ProbeGenes:
    """The one gene of each probe, missing where there is none, and why; one entry a probe."""

    genes: pa.StringArray
    reasons: tuple[ChoiceReason, ...]

    def counts(self) -> dict[ChoiceReason, int]:
        """Return how many probes there are of each reason that occurs, in the reasons' order."""
        counted = Counter(self.reasons)
        return {reason: counted[reason] for reason in ChoiceReason if counted[reason]}


def resolve_genes(
    pairs: GenePairs,
    probe_ids: pa.StringArray,
    *,
    choices: Mapping[str, str] | None = None,
    standing: GeneStanding | None = None,
) -> ProbeGenes:
    """Give each probe one gene.

    A probe with one gene keeps it. One with several has what ``choices`` says (an empty text: no gene); when
    they say nothing, what ``choose_gene`` finds by ``standing``; without that, none, as in refine.bio.
    """
    of_probe: dict[int, list[str]] = {}
    for probe, gene in zip(pairs.probes.tolist(), pairs.genes, strict=True):
        of_probe.setdefault(probe, []).append(gene)
    genes: list[str | None] = [None] * len(probe_ids)
    reasons = [ChoiceReason.NO_GENE] * len(probe_ids)
    for probe, candidates in of_probe.items():
        stored = (choices or {}).get(str(probe_ids[probe]))
        if len(candidates) == 1:
            genes[probe], reasons[probe] = candidates[0], ChoiceReason.ONLY
        elif stored is not None:
            genes[probe] = stored or None
            reasons[probe] = ChoiceReason.STORED if stored else ChoiceReason.STORED_NONE
        elif standing is not None:
            genes[probe], reasons[probe] = choose_gene(candidates, standing)
        else:
            reasons[probe] = ChoiceReason.UNDECIDED
    return ProbeGenes(string_array(genes), tuple(reasons))


def choose_gene(candidates: Collection[str], standing: GeneStanding) -> tuple[str | None, ChoiceReason]:
    """Choose among two or more genes of a probe; None where no id is valid.

    First those in most Brainarray tables. Among equals those still in Ensembl; then those on the primary
    assembly, if any is; then the lowest id.
    """
    most = max(standing.appearances.get(gene, 0) for gene in candidates)
    tied = sorted({gene for gene in candidates if standing.appearances.get(gene, 0) == most})
    if len(tied) == 1:
        return tied[0], ChoiceReason.BRAINARRAY
    valid = [gene for gene in tied if standing.valid is None or gene in standing.valid]
    if len(valid) < 2:
        return (valid[0], ChoiceReason.VALID) if valid else (None, ChoiceReason.NONE_VALID)
    primary = [gene for gene in valid if gene in standing.primary]
    if len(primary) == 1:
        return primary[0], ChoiceReason.PRIMARY
    return (primary or valid)[0], ChoiceReason.LOWEST


def brainarray_appearances(tables: Iterable[Iterable[str]]) -> dict[str, int]:
    """Count in how many of an organism's Brainarray tables each gene is.

    A table is the names of its probe sets, with Brainarray's ``_at`` or without, in any number and order;
    what is no Ensembl gene of human, mouse or rat is passed over.
    """
    counted: Counter[str] = Counter()
    for names in tables:
        genes = {name.removesuffix("_at") for name in names}
        counted.update(gene for gene in genes if gene.startswith(_GENES))
    return dict(counted)


def read_gene_choices(path: Path, *, label: str = "") -> dict[str, str]:
    """Read a stored choice table: tab-separated ``probe_id`` and ``ensembl_id`` with a header, plain or gzip.

    An id that is empty, ``NA`` or not there means that the probe shall have no gene; it is an empty text in
    the result. Raises FormatError for another header, a row with more fields or without a probe, and a probe
    with two choices; NotFoundError when there is no file.
    """
    name = label or path.name
    if not path.is_file():
        raise NotFoundError(f"{name}: there is no such file")
    lines = b"".join(plain_chunks(read_chunks(path), name)).splitlines()
    header = tuple(_fields(lines[0], name, 1)) if lines else ()
    if header != CHOICE_COLUMNS:
        found = quoted(lines[0]) if lines else "an empty file"
        raise FormatError(name, line=1, expected=f"the header {' '.join(CHOICE_COLUMNS)}", found=found)
    choices: dict[str, str] = {}
    for number, line in enumerate(lines[1:], start=2):
        if not line.strip():
            continue
        probe, gene = _choice(line, name, number)
        if choices.setdefault(probe, gene) != gene:
            expected = f"one choice for {probe}"
            raise FormatError(name, line=number, expected=expected, found=f"{choices[probe]!r} and {gene!r}")
    return choices


def _choice(line: bytes, name: str, number: int) -> tuple[str, str]:
    probe, *rest = _fields(line, name, number)
    if not probe or len(rest) > 1:
        expected = "a probe and its Ensembl id, tab-separated"
        raise FormatError(name, line=number, expected=expected, found=quoted(line))
    gene = rest[0] if rest else ""
    return probe, "" if gene in _NO_GENE else gene


def _fields(line: bytes, name: str, number: int) -> list[str]:
    try:
        return [field.strip().strip('"') for field in line.decode("utf-8").split("\t")]
    except UnicodeDecodeError as error:
        raise FormatError(name, line=number, expected="UTF-8 text", found=quoted(line)) from error
