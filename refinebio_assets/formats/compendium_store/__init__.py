"""A compendium on disk, read by slice: one gene in all samples, or all genes of one sample, in milliseconds.

A folder of Parquet files, so that DuckDB, pandas and Arrow read it without us:

- ``by_gene.parquet``, a row a gene: its values in all samples, a list a layer;
- ``by_sample.parquet``, the same values, a row a sample;
- ``genes.parquet`` and ``samples.parquet``, a row each, in the order of the lists, with facts about them;
- ``compendium.json``, format version, counts and what the layers are.

Layers: ``measured`` (log2 scale, null where nothing was measured), ``imputed`` (null where measured) and
``final`` (quantile normalized). ``layout`` has names and row groups, ``writing`` makes a store from
matrices in scratch files, ``reading`` has ``CompendiumStore``.
"""

from refinebio_assets.formats.compendium_store.reading import CompendiumStore
from refinebio_assets.formats.compendium_store.writing import add_to_manifest, write_store

__all__ = ["CompendiumStore", "add_to_manifest", "write_store"]
