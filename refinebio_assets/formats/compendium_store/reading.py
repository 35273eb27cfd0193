"""Reads a compendium store by slice. Nothing is read before it is asked for."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from refinebio_assets.domain import some_of
from refinebio_assets.errors import FormatError, NotFoundError
from refinebio_assets.formats.compendium_store import layout
from refinebio_assets.formats.compendium_store.layout import Layer

if TYPE_CHECKING:
    import anndata
    import pandas as pd

Values = npt.NDArray[np.float32]
_SHOWN = 5


class CompendiumStore:
    """A compendium in a folder: genes x samples in layers ``measured``, ``imputed``, ``filled`` and
    ``final``.

    Values are float32; NaN where a layer has none (``measured`` where nothing was measured, ``imputed`` where
    something was). ``filled`` is what was measured and, elsewhere, imputed, before normalization.
    """

    def __init__(self, folder: str | Path) -> None:
        """Open the store. Raises NotFoundError without one, FormatError for one of a newer format."""
        self.folder = Path(folder)
        path = self.folder / layout.MANIFEST
        try:
            self.about: dict[str, Any] = json.loads(path.read_text())
        except FileNotFoundError as error:
            raise NotFoundError(f"no compendium store in {folder}: there is no {layout.MANIFEST}") from error
        except ValueError as error:
            raise FormatError(path, expected="JSON", found=str(error)) from error
        found = (self.about.get("format"), self.about.get("format_version"))
        if found != (layout.FORMAT, layout.FORMAT_VERSION):
            raise FormatError(
                path,
                expected=f"{layout.FORMAT} of format version {layout.FORMAT_VERSION}",
                found=f"{found[0]} of format version {found[1]}",
            )

    def __repr__(self) -> str:
        return f"CompendiumStore({str(self.folder)!r})"

    @property
    def shape(self) -> tuple[int, int]:
        """The numbers of genes and samples."""
        return self.about["genes"], self.about["samples"]

    @cached_property
    def genes(self) -> pa.Table:
        """A row a gene, in order, with what is known of it: imputation errors, share imputed."""
        return pq.read_table(self.folder / layout.GENES)

    @cached_property
    def samples(self) -> pa.Table:
        """A row a sample, in order, with its experiment, technology, platform and share imputed."""
        return pq.read_table(self.folder / layout.SAMPLES)

    @property
    def gene_names(self) -> list[str]:
        """The genes, in order."""
        return list(self._place_of_gene)

    @property
    def sample_names(self) -> list[str]:
        """The samples, in order."""
        return list(self._place_of_sample)

    def gene(self, gene: str, layer: str = Layer.FINAL) -> Values:
        """Return a gene's values in all samples. Raises NotFoundError."""
        values: Values = self._by_gene.rows(self._gene_places([gene]), _layer(layer))[0]
        return values

    def sample(self, sample: str, layer: str = Layer.FINAL) -> Values:
        """Return a sample's values of all genes. Raises NotFoundError."""
        values: Values = self._by_sample.rows(self._sample_places([sample]), _layer(layer))[0]
        return values

    def matrix(
        self,
        genes: Sequence[str] | None = None,
        samples: Sequence[str] | None = None,
        layer: str = Layer.FINAL,
    ) -> Values:
        """Return genes x samples, all of those that are not named; in the order named.

        Raises NotFoundError that names what the compendium does not have.
        """
        gene_places = None if genes is None else self._gene_places(genes)
        sample_places = None if samples is None else self._sample_places(samples)
        if samples is not None and (genes is None or len(samples) < len(genes)):
            values = self._by_sample.rows(sample_places, _layer(layer), gene_places)
            return np.ascontiguousarray(values.T)
        return self._by_gene.rows(gene_places, _layer(layer), sample_places)

    def gene_blocks(self, layer: str = Layer.FINAL, *, every: int = 1) -> Iterator[tuple[slice, Values]]:
        """Yield the values (genes x samples) of one block of neighboring genes after the other, in order.

        With each come the genes' positions. ``every`` n-th block is read: every 3rd is a third of the genes.
        Memory is a block's: 2 MB, or one gene.
        """
        group = self.about[layout.GENES_A_GROUP]
        for start in range(0, self.shape[0], group * every):
            genes = slice(start, min(start + group, self.shape[0]))
            yield genes, self._by_gene.rows(list(range(genes.start, genes.stop)), _layer(layer))

    def table(self, genes: Sequence[str], layer: str = Layer.FINAL) -> pa.Table:
        """Return a table with a row a sample: ``sample``, then a column for each gene; NaN becomes null."""
        values = self.matrix(genes=genes, layer=layer)
        columns = [self.samples.column(layout.SAMPLE)]
        columns += [pa.chunked_array([pa.array(row, mask=np.isnan(row))]) for row in values]
        return pa.table(columns, [layout.SAMPLE, *genes])

    def frame(
        self,
        genes: Sequence[str] | None = None,
        samples: Sequence[str] | None = None,
        layer: str = Layer.FINAL,
    ) -> pd.DataFrame:
        """Return ``matrix`` as a pandas frame, genes x samples."""
        import pandas as pd

        rows = self.gene_names if genes is None else list(genes)
        columns = self.sample_names if samples is None else list(samples)
        return pd.DataFrame(self.matrix(genes, samples, layer), pd.Index(rows), pd.Index(columns))

    def anndata(
        self, genes: Sequence[str] | None = None, samples: Sequence[str] | None = None
    ) -> anndata.AnnData:
        """Return samples x genes as AnnData: ``final`` in X, ``filled`` and the mask ``is_imputed`` in
        layers.

        ``obs`` and ``var`` are the tables of samples and genes. Needs the extra ``h5ad``.
        """
        import anndata

        obs = self.samples.to_pandas().set_index(layout.SAMPLE)
        var = self.genes.to_pandas().set_index(layout.GENE)
        obs = obs if samples is None else obs.loc[list(samples)]
        var = var if genes is None else var.loc[list(genes)]
        layers = {
            "filled": np.ascontiguousarray(self.matrix(genes, samples, Layer.FILLED).T),
            "is_imputed": ~np.isnan(self.matrix(genes, samples, Layer.IMPUTED).T),
        }
        final = np.ascontiguousarray(self.matrix(genes, samples).T)
        return anndata.AnnData(final, obs=obs, var=var, layers=layers)

    @cached_property
    def _by_gene(self) -> _Lists:
        return _Lists(self.folder / layout.BY_GENE, self.shape, self.about[layout.GENES_A_GROUP])

    @cached_property
    def _by_sample(self) -> _Lists:
        shape = self.shape[::-1]
        return _Lists(self.folder / layout.BY_SAMPLE, shape, self.about[layout.SAMPLES_A_GROUP])

    @cached_property
    def _place_of_gene(self) -> dict[str, int]:
        return {name: place for place, name in enumerate(self._names(self.genes, layout.GENE))}

    @cached_property
    def _place_of_sample(self) -> dict[str, int]:
        return {name: place for place, name in enumerate(self._names(self.samples, layout.SAMPLE))}

    def _gene_places(self, genes: Sequence[str]) -> list[int]:
        return _places(self._place_of_gene, genes, f"genes of {self.folder}")

    def _sample_places(self, samples: Sequence[str]) -> list[int]:
        return _places(self._place_of_sample, samples, f"samples of {self.folder}")

    @staticmethod
    def _names(table: pa.Table, column: str) -> list[str]:
        return [str(name) for name in table.column(column).to_pylist()]


class _Lists:
    """A Parquet file with a list a layer in each row."""

    def __init__(self, path: Path, shape: tuple[int, int], group: int) -> None:
        self._path = path
        self._shape = shape
        self._group = group
        try:
            self._file = pq.ParquetFile(path)
        except FileNotFoundError as error:
            raise NotFoundError(f"{path} is not there: the store is not whole") from error

    def rows(self, places: list[int] | None, layer: Layer, columns: list[int] | None = None) -> Values:
        """Return these rows (all for None), and of them these columns."""
        wanted = list(range(self._shape[0])) if places is None else places
        width = self._shape[1] if columns is None else len(columns)
        values = np.empty((len(wanted), width), np.float32)
        by_group: dict[int, list[int]] = {}
        for number, place in enumerate(wanted):
            by_group.setdefault(place // self._group, []).append(number)
        for group, numbers in by_group.items():
            block = self._read(group, layer)
            found = block[[wanted[number] % self._group for number in numbers]]
            values[numbers] = found if columns is None else found[:, columns]
        return values

    def _read(self, group: int, layer: Layer) -> Values:
        table = self._file.read_row_group(group, columns=list(layer.columns), use_threads=False)
        first, *others = [self._values(table, name) for name in layer.columns]
        for other in others:
            np.copyto(first, other, where=np.isnan(first))
        return first

    def _values(self, table: pa.Table, name: str) -> Values:
        lists: Any = table.column(name).combine_chunks()
        flat: Values = lists.flatten().to_numpy(zero_copy_only=False)
        if len(flat) != table.num_rows * self._shape[1]:
            raise FormatError(
                self._path,
                place=f"layer {name}",
                expected=f"lists of {self._shape[1]:,} values",
                found=f"{len(flat):,} values in {table.num_rows:,} lists",
            )
        values = flat.reshape(table.num_rows, self._shape[1])
        return values if values.flags.writeable else values.copy()


def _layer(name: str) -> Layer:
    try:
        return Layer(name)
    except ValueError as error:
        raise NotFoundError(f"no layer {name!r}: there are {', '.join(Layer)}") from error


def _places(place_of: dict[str, int], names: Sequence[str], where: str) -> list[int]:
    unknown = [name for name in names if name not in place_of]
    if unknown:
        raise NotFoundError(f"not among the {where}: {some_of([str(name) for name in unknown], _SHOWN)}")
    return [place_of[name] for name in names]
