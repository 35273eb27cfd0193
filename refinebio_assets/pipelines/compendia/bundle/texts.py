"""README.md of a compendium: what is in each file, how to read it, what the numbers mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from refinebio_assets.domain import organism_title
from refinebio_assets.pipelines.compendia.bundle.contents import SHARE, Contents
from refinebio_assets.pipelines.compendia.confounds import Confound, Separable
from refinebio_assets.pipelines.compendia.overview import errors_by_method
from refinebio_assets.pipelines.delivery.explanations import NOT_BATCH_CORRECTED

IMPUTED_SAY_LITTLE = (
    "Values that were imputed say little about the gene in that sample: they follow from the other genes. "
    "Leave them out where it matters."
)
METHODS = {
    "factors": "a factor model around each gene's mean",
    "iterative_svd": "IterativeSVD of rank 10, as refine.bio does",
    "none": "nothing was imputed",
}


def readme(contents: Contents, found: Sequence[Confound]) -> str:
    """Return the README: Markdown that reads well as plain text."""
    parts = [
        f"# Compendium of {organism_title(contents.organism)}\n",
        _summary(contents),
        _confounded(found),
        "## Files\n",
        _files(contents),
        "## Read it\n",
        _reading(contents),
        "## What the numbers are\n",
        _numbers(contents),
        "## How good imputation is\n",
        _imputation(contents),
        "## Cite\n",
        _cite(contents),
    ]
    return "\n".join(part for part in parts if part)


def headline(contents: Contents) -> str:
    """Return in a sentence what a compendium holds."""
    row = contents.row
    organisms = " and ".join(organism_title(name) for name in row["organisms"])
    return (
        f"{row['genes']:,} genes in {row['samples']:,} samples of {row['experiments']:,} experiments "
        f"({organisms}), all processed from raw data, on one scale. {row['share_missing']:.1%} of the values "
        f"were not measured{' and are imputed' if contents.imputed else ''}."
    )


def _summary(contents: Contents) -> str:
    row = contents.row
    text = f"{headline(contents)} Version {row['number']}, made by refinebio-assets "
    text += f"{contents.lock['software']['refinebio-assets']}."
    if row["dropped_samples"]:
        text += f" {row['dropped_samples']:,} samples are left out: see `filtered_samples_metadata.tsv`."
    return text + " Open `report.html` to see the compendium at a glance.\n"


def _confounded(found: Sequence[Confound]) -> str:
    lines = [item.sentence for item in found if item.separable in (Separable.NO, Separable.PARTLY)]
    if not lines:
        return ""
    return "## Before you compare groups\n\n" + "\n".join(f"- {line}" for line in lines) + "\n"


def _files(contents: Contents) -> str:
    key = contents.organism
    rows = [(f"{key}/{key}.tsv", "normalized values: genes (rows, Ensembl ids) x samples, tab-separated")]
    if contents.imputed:
        rows.append((f"{key}/imputed_{key}.tsv", "the same shape: 1 where the value was imputed, else 0"))
    rows += [
        (f"{key}/metadata_{key}.tsv", "a row for each sample, in the order of the columns"),
        (f"{key}/metadata_{key}.json", "the same with the submitters' own metadata untouched"),
        (f"{key}/genes_{key}.tsv", "a row for each gene: samples that measure it, share imputed, errors"),
        ("dropped_genes.tsv", "genes that are left out, with the reason; if any"),
        ("filtered_samples_metadata.tsv", "and `.json`: samples that are left out, with the reason; if any"),
        ("aggregated_metadata.json", "the options, errors of imputation, all experiments, samples and genes"),
        ("report.html", "samples, components, sources of variance, imputation: open it with a browser"),
        (
            "compendium.lock.json",
            "what determined the numbers: matrices, samples, target, versions",
        ),
        ("manifest.json", "size and SHA-256 of every file"),
        ("LICENSE.TXT", "terms of use"),
    ]
    table = "\n".join(f"| `{name}` | {what} |" for name, what in rows)
    return f"| File | What it is |\n|---|---|\n{table}\n"


def _reading(contents: Contents) -> str:
    key = contents.organism
    masked = (
        (
            f'imputed = pd.read_csv("{key}/imputed_{key}.tsv", sep="\\t", index_col="Gene").astype(bool)\n'
            "measured_only = values.mask(imputed)\n"
        )
        if contents.imputed
        else ""
    )
    masked_r = (
        (
            f'imputed <- read.delim("{key}/imputed_{key}.tsv", row.names = "Gene", check.names = FALSE)\n'
            "values[imputed == 1] <- NA   # where only measured values count\n"
        )
        if contents.imputed
        else ""
    )
    return f"""In Python:

```python
import pandas as pd
values = pd.read_csv("{key}/{key}.tsv", sep="\\t", index_col="Gene")
samples = {{"dtype": {{"refinebio_accession_code": str}}, "keep_default_na": False, "na_values": [""]}}
metadata = pd.read_csv("{key}/metadata_{key}.tsv", sep="\\t", **samples).set_index("refinebio_accession_code")
assert list(values.columns) == list(metadata.index)
{masked}```

In R (packages such as data.table or readr read large files faster):

```r
values <- read.delim("{key}/{key}.tsv", row.names = "Gene", check.names = FALSE)
metadata <- read.delim("{key}/metadata_{key}.tsv", row.names = "refinebio_accession_code",
                       colClasses = c(refinebio_accession_code = "character"), na.strings = "")
stopifnot(identical(colnames(values), rownames(metadata)))
{masked_r}```

Where the compendium was made, one gene or one sample is read in milliseconds from its store of Parquet files:
`refinebio-assets compendium slice {key} --gene GENE`.
"""


def _numbers(contents: Contents) -> str:
    row = contents.row
    imputed = (
        f" What is missing was imputed ({METHODS[row['imputation']]})."
        if contents.imputed
        else " An empty cell is a missing value."
    )
    return (
        "RNA-seq was quantified with Salmon and summarized to genes with tximport's method "
        "(lengthScaledTPM), then log2(x + 1); microarrays were processed one by one with SCAN. Genes that at "
        "least 70 % of the samples have are the rows. The tenth of the genes with the smallest sums has no "
        f"RNA-seq values of its own.{imputed} At last every sample was quantile normalized: its values are "
        "replaced by those of a reference distribution of the organism at the same ranks (target "
        f"{row['target'][:12]}). {NOT_BATCH_CORRECTED}\n"
    )


def _imputation(contents: Contents) -> str:
    if not contents.imputed:
        return "Nothing was imputed.\n"
    lines = [
        "Known values were hidden and imputed. Root mean square errors, log2, of values hidden one by one, "
        "and of all values of a gene hidden on one platform, as compendia miss them:\n",
        "| Method | one by one | by platform |",
        "|---|---|---|",
        *(f"| {name} | {random} | {block} |" for name, random, block in error_rows(contents.findings)),
        "",
        f"The errors of each gene are in `genes_{contents.organism}.tsv`, the share imputed of each sample "
        f"in the column `{SHARE}`. {IMPUTED_SAY_LITTLE}\n",
    ]
    return "\n".join(lines)


def error_rows(findings: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Return what each method's errors on hidden values are: name, one by one, by platform."""
    return [
        (row["method"], _error(row["one_by_one"]), _error(row["by_platform"]))
        for row in errors_by_method(findings)
    ]


def _error(value: float | None) -> str:
    return "none hidden" if value is None else f"{value:.3f}"


def _cite(contents: Contents) -> str:
    return (
        "Cite the experiments that you use and their publications, which `aggregated_metadata.json` lists, "
        "the archives that hold them, and the software: refinebio-assets "
        f"{contents.lock['software']['refinebio-assets']}, with `compendium.lock.json` as supplement. The "
        "processing follows refine.bio of the Childhood Cancer Data Lab (https://www.refine.bio).\n"
    )
