"""What users ask most, answered in one or two sentences: the texts of messages, reports and bundles."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from refinebio_assets.domain import counted, distinct, organism_title, some_of
from refinebio_assets.methods.gene_join import GeneLoss
from refinebio_assets.methods.quantile import UpperHalfCheck
from refinebio_assets.pipelines.delivery.explanations import NOT_BATCH_CORRECTED

NAMED = 5
"""Samples named in a sentence."""

WHY_FEW_GENES = (
    "A matrix has the genes that every one of its samples was measured for. One platform with few genes, or "
    "one of an old annotation, takes genes from all others; leaving its samples out brings them back."
)
WHY_VALUES_DIFFER = (
    "A normalized value says where a gene stands among the genes of its matrix. The same sample therefore "
    "has other values in a dataset with other genes, with another version of the target, or aggregated "
    "otherwise. Compare values within one matrix, and compare datasets with `refinebio-assets dataset diff`."
)
WHY_NOT_ADDED = (
    "A sample can be added when it has expression values of genes: no pipeline may serve its platform, its "
    "raw data may be missing or damaged, its genes may be unknown. The reason stands beside each sample: "
    "`refinebio-assets show SAMPLE`, and `filtered_samples_metadata.tsv` in a dataset."
)
WHAT_SKIPPING_MEANS = (
    "Without quantile normalization RNA-seq values are lengthScaledTPM: as estimated counts, scaled by "
    "transcript length and library size within their experiment, not on a log scale. They are for tools that "
    "expect counts, such as DESeq2 and edgeR after rounding, and are not comparable between experiments."
)


def disjoint_genes(key: str, samples: Mapping[str, Sequence[str]], loss: GeneLoss) -> str:
    """Say that the samples of a matrix have no gene in common, and who has none with whom.

    ``samples`` are those of each group that ``loss`` names.
    """
    lines = [
        f"  - {one} ({some_of(samples[one], NAMED)}) and {other} ({some_of(samples[other], NAMED)})"
        for one, other in loss.disjoint[:NAMED]
    ]
    counts = ", ".join(f"{group.name} {group.genes:,}" for group in loss.groups)
    pairs = "\n".join(["These have no gene in common:", *lines]) if lines else "No two of them exclude it."
    return (
        f"no gene of {key} was measured in every sample ({counts} genes). {pairs}\n"
        "Genes of different organisms have different ids: aggregate by SPECIES to get a matrix for each, "
        "or leave out the samples of one side."
    )


def nothing_measured(key: str, samples: Sequence[str]) -> str:
    """Say that no sample of a matrix has a value."""
    return f"no sample of {key} has a value for any gene that they share: {some_of(samples, NAMED)}"


def left_out(
    asked: Iterable[str], delivered: Collection[str], reasons: Mapping[str, Sequence[str]]
) -> list[str]:
    """Say which experiments a dataset has no sample of, and why; ``reasons`` are those of their samples."""
    return [
        f"{experiment} is left out, as none of its samples can be delivered: "
        + "; ".join(distinct(reasons.get(experiment, ())))
        for experiment in asked
        if experiment not in delivered
    ]


def few_genes(loss: GeneLoss) -> str:
    """Say that many genes of a matrix were lost, and which platform costs most."""
    costly = max(loss.groups, key=lambda group: group.alone_removed)
    blame = f"; {costly.name} alone costs {costly.alone_removed:,}" if costly.alone_removed else ""
    return (
        f"it has {loss.after:,} of the {loss.before:,} genes that any of its samples has{blame}. "
        + WHY_FEW_GENES
    )


def ks_warning(check: UpperHalfCheck, pair: tuple[str, str]) -> str:
    """Say that two samples differ in distribution after normalization, as refine.bio does."""
    return (
        f"Failed Kolmogorov Smirnov test! Stat: {check.statistic}, PVal: {check.p_value} "
        f"({pair[0]} and {pair[1]}, the worst of {counted(check.pairs, 'pair')}). Samples with many equal "
        "values, as zeros, or of few genes do not get quite the same distribution."
    )


def no_target(organism: str) -> str:
    """Say that there is nothing to normalize an organism's samples to, and what to do."""
    title = organism_title(organism)
    return (
        f"{title} has no target for quantile normalization. Make one with `refinebio-assets target build "
        f'"{title}"`, import one, or skip normalization (RNA-seq by experiment only). ' + WHAT_SKIPPING_MEANS
    )


def mixed_processing(submitted: Sequence[str], raw: int) -> str:
    """Warn that a matrix has values that submitters processed beside values that are made from raw data."""
    samples = counted(len(submitted), "submitter-processed sample")
    return (
        f"{samples} ({some_of(submitted, NAMED)}) beside {raw:,} "
        "from raw data: their values were made in different ways and cannot be compared, though each sample "
        "has the target's distribution. `refinebio_processor_name` in the metadata says which is which."
    )


def scaled_alone(sample: str, scale_by: str) -> str:
    """Warn that scaling took all that a matrix of one sample says."""
    return (
        f"{sample} is the only sample, and genes are scaled over samples ({scale_by}): every value is 0. Ask "
        "for scale_by NONE, or for more samples in one matrix."
    )


def technical_factor(factor: str, dominated: Sequence[tuple[int, float, float]]) -> str:
    """Warn that a technical factor explains most of principal components.

    ``dominated`` are components, counted from 1, what the factor explains of each, and the component's share
    of the variance.
    """
    found = ", ".join(
        f"{explained:.0%} of component {component} ({share:.0%} of the variance)"
        for component, explained, share in dominated
    )
    return (
        f"{factor.capitalize()} explains {found}: differences between samples may be of {factor} and not of "
        f"biology. {NOT_BATCH_CORRECTED}"
    )
