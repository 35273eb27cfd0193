"""README.md and LICENSE.TXT of a bundle: what is in each file, how to read it, what the numbers mean."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from refinebio_assets.domain import AggregateBy, ScaleBy, counted, organism_title
from refinebio_assets.pipelines.datasets.explanations import (
    WHAT_SKIPPING_MEANS,
    WHY_FEW_GENES,
    WHY_NOT_ADDED,
    WHY_VALUES_DIFFER,
)
from refinebio_assets.pipelines.datasets.lockfile import delivered_experiments
from refinebio_assets.pipelines.delivery.explanations import NOT_BATCH_CORRECTED

_AGGREGATED = {
    AggregateBy.EXPERIMENT: "one matrix for each experiment",
    AggregateBy.SPECIES: "one matrix for each organism",
    AggregateBy.ALL: "one matrix of all samples",
}
_SCALED = {
    ScaleBy.MINMAX: "each gene is scaled to 0 to 1 over the samples",
    ScaleBy.STANDARD: "each gene has mean 0 and standard deviation 1 over the samples",
    ScaleBy.ROBUST: "each gene has median 0 and interquartile range 1 over the samples",
}


def readme(lock: Mapping[str, Any], warnings: Sequence[str]) -> str:
    """Return the README of a bundle: Markdown that reads well as plain text."""
    request = lock["request"]
    parts = [
        f"# Dataset {lock['dataset']}\n",
        _summary(lock),
        _warnings(warnings),
        "## Files\n",
        "\n".join(_files(request)) + "\n",
        "## Read it\n",
        _QUANT_SF_HELP if request["quant_sf_only"] else _reading(lock),
        "## What the numbers are\n",
        _numbers(lock),
        "## Questions\n",
        _questions(request),
        "## Cite\n",
        _cite(lock),
    ]
    return "\n".join(part for part in parts if part)


def _summary(lock: Mapping[str, Any]) -> str:
    request = lock["request"]
    samples = len({entry["sample"] for entry in lock["samples"]})
    what = "quant.sf files" if request["quant_sf_only"] else _AGGREGATED[request["aggregate_by"]]
    experiments = len(delivered_experiments(lock))
    text = f"{counted(samples, 'sample')} of {counted(experiments, 'experiment')}; {what}. "
    text += f"Version {lock['number']}, asked for on {lock['requested_at'][:10]}, made by refinebio-assets "
    text += f"{lock['software']['refinebio-assets']}."
    filtered = {entry["sample"] for entry in lock["filtered"]}
    if filtered:
        text += f" {counted(len(filtered), 'sample')} that were asked for could not be delivered: see "
        text += "`filtered_samples_metadata.tsv` for the reasons."
    return text + " Open `report.html` to see the data at a glance.\n"


def _warnings(warnings: Sequence[str]) -> str:
    if not warnings:
        return ""
    return "## Look at this first\n\n" + "\n".join(f"- {line}" for line in warnings) + "\n"


def _files(request: Mapping[str, Any]) -> Iterator[str]:
    key = {"EXPERIMENT": "<EXPERIMENT>", "SPECIES": "<ORGANISM>", "ALL": "ALL"}[request["aggregate_by"]]
    yield "| File | What it is |"
    yield "|---|---|"
    if request["quant_sf_only"]:
        yield f"| `{key}/<SAMPLE>_quant.sf` | Salmon's transcript quantification of one sample |"
    else:
        yield f"| `{key}/{key}.tsv` | genes (rows, Ensembl ids) x samples (columns), tab-separated |"
        yield f"| `{key}/{key}.parquet` | the same matrix, for pandas, R's arrow, DuckDB: fast and typed |"
        if request["h5ad"]:
            yield f"| `{key}/{key}.h5ad` | the same as AnnData, samples x genes, with the metadata as `obs` |"
    yield f"| `{key}/metadata_{key}.tsv` | a row for each sample, in the order of the matrix's columns |"
    if request["aggregate_by"] == AggregateBy.SPECIES:
        yield f"| `{key}/metadata_{key}.json` | the same with the submitters' own metadata untouched |"
    yield "| `aggregated_metadata.json` | the options, all samples, and the experiments with publications |"
    yield "| `filtered_samples_metadata.tsv`, `.json` | samples that are left out, with the reason; if any |"
    yield "| `report.html` | samples, genes, distributions and principal components: open it with a browser |"
    yield "| `dataset.lock.json` | everything that determined the numbers: versions, checksums, targets |"
    yield "| `manifest.json` | size and SHA-256 of every file |"
    yield "| `LICENSE.TXT` | terms of use |"


_QUANT_SF_HELP = """```r
files <- list.files(".", pattern = "_quant.sf$", recursive = TRUE, full.names = TRUE)
names(files) <- sub("_quant.sf$", "", basename(files))
library(tximport)   # tx2gene: a table of transcripts and genes
counts <- tximport(files, type = "salmon", tx2gene = tx2gene)
```
"""


def _reading(lock: Mapping[str, Any]) -> str:
    key = next(iter(sorted(lock["matrices"])), "ALL")
    return f"""In Python:

```python
import pandas as pd
values = pd.read_parquet("{key}/{key}.parquet").set_index("Gene")
samples = {{"dtype": {{"refinebio_accession_code": str}}, "keep_default_na": False, "na_values": [""]}}
metadata = pd.read_csv("{key}/metadata_{key}.tsv", sep="\\t", **samples).set_index("refinebio_accession_code")
assert list(values.columns) == list(metadata.index)
```

In R:

```r
values <- read.delim("{key}/{key}.tsv", row.names = "Gene", check.names = FALSE)
metadata <- read.delim("{key}/metadata_{key}.tsv", row.names = "refinebio_accession_code",
                       colClasses = c(refinebio_accession_code = "character"), na.strings = "")
stopifnot(identical(colnames(values), rownames(metadata)))
```
"""


def _numbers(lock: Mapping[str, Any]) -> str:
    request = lock["request"]
    if request["quant_sf_only"]:
        return (
            "Each file is Salmon's estimate for one sample: transcripts with length, effective length, TPM "
            "and estimated number of reads. Nothing is aggregated or normalized.\n"
        )
    sentences = [
        "RNA-seq was quantified with Salmon and summarized to genes with tximport's method "
        "(lengthScaledTPM); microarrays were processed one by one with SCAN, unless "
        "`refinebio_processor_name` says that values are the submitter's."
    ]
    if request["aggregate_by"] == AggregateBy.EXPERIMENT:
        sentences.append(
            "RNA-seq values of an experiment without microarrays are not on a log scale before normalization."
        )
    else:
        sentences.append("RNA-seq values are log2(x + 1) before normalization.")
    sentences += list(_normalized(lock))
    scale = request["scale_by"]
    if scale != ScaleBy.NONE:
        sentences.append(f"At last {_SCALED[scale]}; a gene that is the same everywhere is 0.")
    sentences.append("An empty cell is a missing value.")
    return " ".join(sentences) + "\n"


def _normalized(lock: Mapping[str, Any]) -> Iterator[str]:
    if not lock["request"]["quantile_normalize"]:
        yield WHAT_SKIPPING_MEANS
        return
    targets = ", ".join(
        f"{organism_title(organism)} ({version[:12]})" for organism, version in lock["targets"].items()
    )
    yield (
        "Every sample was quantile normalized: its values are replaced by those of a reference distribution "
        f"of its organism at the same ranks. Targets: {targets}."
    )


def _questions(request: Mapping[str, Any]) -> str:
    pairs = [("Why is a sample missing?", WHY_NOT_ADDED)]
    if not request["quant_sf_only"]:
        pairs += [
            ("Why are there so few genes?", WHY_FEW_GENES),
            ("Why has a sample other values in another dataset?", WHY_VALUES_DIFFER),
            ("Are the data corrected for batches?", NOT_BATCH_CORRECTED),
        ]
    return "\n".join(f"**{question}** {answer}\n" for question, answer in pairs)


def _cite(lock: Mapping[str, Any]) -> str:
    names = ", ".join(sorted(lock["request"]["data"]))
    return (
        "Cite the experiments and their publications, which `aggregated_metadata.json` lists "
        f"({names}), the archives that hold them, and the software: refinebio-assets "
        f"{lock['software']['refinebio-assets']}, with the dataset's lockfile as supplement. The processing "
        "follows refine.bio of the Childhood Cancer Data Lab (https://www.refine.bio).\n"
    )
