"""Quantile normalization to a target, as R's preprocessCore does it, and checks of what came out.

Arrays in, arrays out; a matrix is genes x samples. ``fit_target`` makes a target from a matrix, and
``TargetAccumulator`` from more samples than fit in memory; ``apply_target`` gives each sample the target's
distribution; ``target_departures`` and ``check_upper_halves`` tell whether a matrix has been normalized.
Which samples make an organism's target, and files of targets, are the work of other rooms.

``interpolation`` holds the quantile rule, ``ranks`` puts a sample's values in order, ``columns`` takes
matrices apart for threads.

Source: Bolstad et al. (2003), doi:10.1093/bioinformatics/19.2.185; preprocessCore 1.60.2,
``normalize.quantiles.use.target`` and ``normalize.quantiles.determine.target``. The code is our own.
"""

from refinebio_assets.methods.quantile.apply import apply_target, target_departures
from refinebio_assets.methods.quantile.fit import TargetAccumulator, fit_target
from refinebio_assets.methods.quantile.kolmogorov_smirnov import (
    UpperHalfCheck,
    check_upper_halves,
    choose_pairs,
    ks_statistic,
    ks_two_sided_p,
    upper_half_statistics,
)

__all__ = [
    "TargetAccumulator",
    "UpperHalfCheck",
    "apply_target",
    "check_upper_halves",
    "choose_pairs",
    "fit_target",
    "ks_statistic",
    "ks_two_sided_p",
    "target_departures",
    "upper_half_statistics",
]
