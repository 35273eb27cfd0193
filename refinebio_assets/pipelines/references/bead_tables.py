"""From the files of a BeadArray's annotation to its probes, the one gene of each, and what was left out."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from refinebio_assets.domain import DropKind, Dropped
from refinebio_assets.errors import PermanentError
from refinebio_assets.formats.gtf_genes import read_gene_places
from refinebio_assets.formats.illumina_annotation import BeadAnnotation, GenePairs, string_array, take_texts
from refinebio_assets.formats.illumina_genes import (
    ChoiceReason,
    GeneStanding,
    ProbeGenes,
    brainarray_appearances,
    read_gene_choices,
    resolve_genes,
)
from refinebio_assets.formats.illumina_package import read_bead_package
from refinebio_assets.pipelines.references.bead_probes import BeadGenePairs, BeadProbes
from refinebio_assets.pipelines.references.files import LocalFile
from refinebio_assets.pipelines.references.platform_tables import STEP, read_table

NO_SEQUENCE = "the package has no sequence of 50 bases for it: not in SCAN's model"
SEVERAL_ENTREZ = "matches more than one Entrez gene: R gives no Ensembl gene to it"
REANNOTATION = "the package's own re-annotation"
_KARYOTYPE = re.compile(r"(\d{1,2}|X|Y|MT)$")
"""Chromosomes of human, mouse and rat, the organisms that have BeadArrays, in Ensembl's names."""
_UNDECIDED = (ChoiceReason.UNDECIDED, ChoiceReason.NONE_VALID, ChoiceReason.STORED_NONE)


@dataclass(frozen=True, slots=True)
class BeadTables:
    """What a BeadArray's files hold.

    ``qualities`` and ``reasons`` count probes by the package's word for their quality and by how their gene
    was chosen. ``gene_source`` says where Ensembl ids come from, with the source's date where it has one.
    """

    probes: BeadProbes
    qualities: Mapping[str, int]
    reasons: Mapping[str, int]
    gene_source: str
    without_sequence: int
    dropped: tuple[Dropped, ...]


def read_bead_tables(files: Mapping[str, LocalFile]) -> BeadTables:
    """Read a BeadArray's files by the roles of ``BeadInputs.locations``.

    Without an organism's package, and tables of one in the package itself, genes are those of the package's
    re-annotation. Raises FormatError for a file that is not what it should be, PermanentError when the
    organism's package has none of the probes' genes, or a choice table none of the probes.
    """
    package, organism = files["package"], files.get("organism_package")
    annotation = read_bead_package(
        package.path, organism.path if organism else None, label=package.label,
        organism_label=organism.label if organism else "",
    )  # fmt: skip
    pairs, source = _pairs_of(annotation, organism)
    if not len(pairs.probes):
        raise PermanentError(
            f"none of the {len(annotation):,} probes of {package.label} has an Ensembl gene in {source}: "
            "are they of the same organism?"
        )
    chosen = resolve_genes(
        pairs, annotation.probe_ids, choices=_choices(files, annotation), standing=_standing(files)
    )
    reasons = _reasons(annotation, chosen)
    return BeadTables(
        _probes(annotation, pairs, chosen.genes, reasons),
        _counted([quality or "no quality" for quality in annotation.quality.to_pylist()]),
        _counted(reasons),
        source,
        int(np.count_nonzero(~annotation.has_sequence)),
        tuple(_dropped(annotation, reasons)),
    )


def _pairs_of(annotation: BeadAnnotation, organism: LocalFile | None) -> tuple[GenePairs, str]:
    pairs = annotation.gene_pairs
    if pairs is None:
        return annotation.reannotated_pairs, REANNOTATION
    name = organism.label.rstrip("/").rsplit("/", 1)[-1] if organism else "the package itself"
    return pairs, f"{name}, Ensembl of {pairs.release}" if pairs.release else name


def _choices(files: Mapping[str, LocalFile], annotation: BeadAnnotation) -> dict[str, str] | None:
    file = files.get("gene_choices")
    if file is None:
        return None
    choices = read_gene_choices(file.path, label=file.label)
    if choices.keys().isdisjoint(annotation.probe_ids.to_pylist()):
        raise PermanentError(
            f"none of the {len(choices):,} probes of {file.label} is in {files['package'].label}: "
            "are they of the same array?"
        )
    return choices


def _standing(files: Mapping[str, LocalFile]) -> GeneStanding | None:
    """Return what genes are chosen by, or None without Brainarray's tables.

    Without a GTF every id counts as valid, and none as being on the primary assembly.
    """
    tables = [file for role, file in files.items() if role.startswith("brainarray")]
    if not tables:
        return None
    appearances = brainarray_appearances(read_table(file).probe_sets.names for file in tables)
    gtf = files.get("gtf")
    if gtf is None:
        return GeneStanding(appearances, None, ())
    places = read_gene_places(gtf.path, label=gtf.label)
    primary = {gene for gene, place in places.items() if _KARYOTYPE.match(place)}
    return GeneStanding(appearances, places.keys(), primary)


def _reasons(annotation: BeadAnnotation, chosen: ProbeGenes) -> list[str]:
    return [
        SEVERAL_ENTREZ if several and reason is ChoiceReason.NO_GENE else str(reason)
        for reason, several in zip(chosen.reasons, annotation.several_entrez.tolist(), strict=True)
    ]


def _probes(
    annotation: BeadAnnotation, pairs: GenePairs, genes: pa.StringArray, reasons: Sequence[str]
) -> BeadProbes:
    every = np.arange(len(annotation), dtype=np.intp)
    sequences = annotation.sequence_texts(every).to_pylist()
    return BeadProbes(
        probe_ids=annotation.probe_ids,
        listed=pa.array(annotation.listed.tolist(), pa.bool_()),
        sequences=string_array([sequence or None for sequence in sequences]),
        qualities=annotation.quality,
        genes=genes,
        gene_reasons=string_array(reasons),
        gene_pairs=BeadGenePairs(take_texts(annotation.probe_ids, pairs.probes), string_array(pairs.genes)),
    )


def _counted(values: Sequence[str]) -> dict[str, int]:
    """Return how often each value comes, the most frequent first."""
    counted = {value: values.count(value) for value in dict.fromkeys(values)}
    return dict(sorted(counted.items(), key=lambda item: (-item[1], item[0])))


def _dropped(annotation: BeadAnnotation, reasons: Sequence[str]) -> Iterator[Dropped]:
    """Yield probes that the model or the genes have to do without.

    One by one, but for those to which the package gives no gene: they are a third of all.
    """
    rows = zip(annotation.probe_ids.to_pylist(), annotation.has_sequence.tolist(), reasons, strict=True)
    bulk = {SEVERAL_ENTREZ: 0, str(ChoiceReason.NO_GENE): 0}
    for probe, has_sequence, reason in rows:
        if not has_sequence:
            yield Dropped(DropKind.PROBE, str(probe), STEP, NO_SEQUENCE)
        if reason in bulk:
            bulk[reason] += 1
        elif reason in _UNDECIDED:
            yield Dropped(DropKind.PROBE, str(probe), STEP, f"no gene was chosen: {reason}")
    for reason, count in bulk.items():
        if count:
            yield Dropped(DropKind.PROBE, f"{count:,} probes", STEP, f"without a gene: {reason}")
