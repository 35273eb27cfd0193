"""README.md of an RNA-seq sample compendium."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from refinebio_assets import __version__
from refinebio_assets.domain import organism_title
from refinebio_assets.pipelines.compendia.rnaseq_samples.totals import About, Totals


def readme(about: About, totals: Totals) -> str:
    """Return the README: Markdown that reads well as plain text."""
    title = organism_title(about.organism)
    return f"""# RNA-seq sample compendium of {title}, version {about.number}

{totals.samples:,} RNA-seq samples of {title} from {totals.experiments:,} experiments, as Salmon quantified
them: transcripts with length, effective length, TPM and estimated number of reads, a file a sample. Nothing
is summarized to genes, aggregated or normalized. Made by refinebio-assets {__version__}.
{_filtered(totals)}
## Files

| File | What it is |
|---|---|
| `<EXPERIMENT>/<SAMPLE>_quant.sf` | one sample; that of several experiments is in each of them |
| `<EXPERIMENT>/metadata_<EXPERIMENT>.tsv` | a row a sample: harmonized and submitters' metadata |
| `aggregated_metadata.json` | all samples, and the experiments with publications |
| `filtered_samples_metadata.tsv`, `.json` | samples that are left out, with the reason; if any |
| `compendium.lock.json` | what each file was made from: versions, programs, transcripts, checksums |
| `manifest.json` | size and SHA-256 of every file |
| `LICENSE.TXT` | terms of use |

## Read it

```r
files <- list.files(".", pattern = "_quant.sf$", recursive = TRUE, full.names = TRUE)
names(files) <- sub("_quant.sf$", "", basename(files))
files <- files[!duplicated(names(files))]
library(tximport)   # tx2gene: a table of transcripts and genes
counts <- tximport(files, type = "salmon", tx2gene = tx2gene)
```

```python
import pandas as pd
one = pd.read_csv("<EXPERIMENT>/<SAMPLE>_quant.sf", sep="\\t", index_col="Name")
```

Files that were measured against other transcripts do not fit together: tximport refuses them. Their numbers:

{_references(about, totals)}

`compendium.lock.json` names the reference of each sample by its version.

## Cite

Cite the experiments that you use, which `aggregated_metadata.json` lists with their publications, the
archives that hold them, and the software: refinebio-assets {__version__}. The processing follows
refine.bio of the Childhood Cancer Data Lab (https://www.refine.bio).
"""


def _filtered(totals: Totals) -> str:
    if not totals.filtered:
        return ""
    return (
        f"\n{len(totals.filtered):,} samples are left out of an experiment, each for the reason that "
        "`filtered_samples_metadata.tsv` gives.\n"
    )


def _references(about: About, totals: Totals) -> str:
    return "\n".join(
        f"- {count:,} files: {_described(version, about.releases.get(version, {}))}"
        for version, count in totals.references.items()
    )


def _described(version: str, release: Mapping[str, Any]) -> str:
    told = [f"{name.replace('_', ' ')} {value}" for name, value in release.items() if value]
    return ", ".join([version[:12], *told])
