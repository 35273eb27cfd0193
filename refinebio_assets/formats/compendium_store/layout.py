"""Names, layers and row groups of a compendium store. It reads and writes nothing."""

from __future__ import annotations

from enum import StrEnum

FORMAT = "refinebio_assets.compendium_store"
FORMAT_VERSION = 1
MANIFEST = "compendium.json"
GENES = "genes.parquet"
SAMPLES = "samples.parquet"
BY_GENE = "by_gene.parquet"
BY_SAMPLE = "by_sample.parquet"
GENE = "gene"
SAMPLE = "sample"
POSITION = "position"
GROUP_BYTES = 2 << 20
"""A slice reads a whole row group: 2 MB a layer are decoded in about 10 ms."""
GENES_A_GROUP, SAMPLES_A_GROUP = "genes_a_row_group", "samples_a_row_group"


class Layer(StrEnum):
    """What a value of a compendium is."""

    MEASURED = "measured"
    IMPUTED = "imputed"
    FILLED = "filled"
    FINAL = "final"

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that hold the layer: ``filled`` is what was measured and, elsewhere, imputed."""
        return (self.MEASURED, self.IMPUTED) if self is Layer.FILLED else (str(self),)


STORED = (Layer.MEASURED, Layer.IMPUTED, Layer.FINAL)
DESCRIPTIONS = {
    Layer.MEASURED: "measured values on the log2 scale: SCAN, or log2(lengthScaledTPM + 1); "
    "null where nothing was measured",
    Layer.IMPUTED: "values imputed where nothing was measured; null where something was",
    Layer.FINAL: "measured and imputed values, quantile normalized to the organism's target",
}


def rows_a_group(length: int, group_bytes: int = GROUP_BYTES) -> int:
    """Return how many rows with lists of this length a row group has."""
    return max(1, group_bytes // (4 * max(1, length)))
