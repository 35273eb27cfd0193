"""What the scanner's software makes of a hybridized chip; ``cel`` writes it in each of the file formats."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

ALGORITHM = "Percentile"
PARAMETERS = "Percentile:75;CellMargin:2;OutlierHigh:1.500;OutlierLow:1.004"
_OUTLIERS = 5


@dataclass(frozen=True, slots=True, eq=False)
class Scan:
    """One scanned chip, to be written in any format.

    ``means``, ``deviations`` and ``pixels`` (how many were averaged) are rows x columns of cells;
    ``outliers`` are cells as ``y * columns + x``, ascending. No cell is masked.
    """

    name: str
    chip: str
    means: npt.NDArray[np.float64]
    deviations: npt.NDArray[np.float64]
    pixels: npt.NDArray[np.int64]
    outliers: npt.NDArray[np.int64]

    @property
    def dat_header(self) -> str:
        """The line about the scanner's image that all formats hand on."""
        image = f"[12..40151]  {self.name}:CLS=1167 RWS=1167 XIN=3  YIN=3  VE=17        2.0 "
        return image + f"01/15/26 12:00:00       \x14  \x14 {self.chip}.1sq" + " \x14 " * 9 + "6"

    def outlier_points(self) -> npt.NDArray[np.int64]:
        """Return x and y of the outliers, outliers x 2."""
        y, x = np.divmod(self.outliers, self.means.shape[1])
        return np.stack([x, y], axis=1)


def read_out(name: str, chip: str, intensities: npt.NDArray[np.float64], rng: np.random.Generator) -> Scan:
    """Return a scan of intensities (rows x columns); deviations, pixels and a few outliers are drawn."""
    deviations = intensities * rng.gamma(9.0, 0.02, size=intensities.shape)
    pixels = rng.choice([16, 20, 25], size=intensities.shape, p=[0.1, 0.3, 0.6])
    outliers = np.sort(rng.choice(intensities.size, size=_OUTLIERS, replace=False))
    return Scan(name, chip, intensities, deviations, pixels, outliers)
