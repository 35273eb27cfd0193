"""What a compendium is made from, and how."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from refinebio_assets.domain import Technology


class Imputation(StrEnum):
    """How missing values are filled."""

    FACTORS = "factors"
    ITERATIVE_SVD = "iterative_svd"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class CompendiumSettings:
    """How a compendium is made. ``memory_limit`` is in bytes; ``seed`` chooses held-out values and pilot
    samples; ``threads`` None means all processors that the process may use.
    """

    memory_limit: int = 4 << 30
    imputation: Imputation = Imputation.FACTORS
    seed: int = 0
    threads: int | None = None


class SourceMatrix(Protocol):
    """One matrix that goes into a compendium: samples of one experiment, technology and platform."""

    @property
    def experiment(self) -> str: ...  # noqa: D102
    @property
    def technology(self) -> Technology: ...  # noqa: D102
    @property
    def organism(self) -> str: ...  # noqa: D102
    @property
    def platform(self) -> str: ...  # noqa: D102
    @property
    def samples(self) -> tuple[str, ...]: ...  # noqa: D102
    @property
    def genes(self) -> tuple[str, ...]: ...  # noqa: D102
    def read(self, samples: slice) -> npt.NDArray[np.floating[Any]]:
        """Return the values of some of its samples, samples x genes: SCAN, or lengthScaledTPM."""


@dataclass(frozen=True, slots=True)
class CompendiumSample:
    """A sample of a compendium: where it is from, and how many of the compendium's genes it has."""

    accession: str
    experiment: str
    organism: str
    technology: Technology
    platform: str
    genes_present: int

    @property
    def group(self) -> str:
        """What genes are missing by: the array's platform; sequencing measures the same genes on all."""
        return self.platform if self.technology is Technology.MICROARRAY else str(self.technology)
