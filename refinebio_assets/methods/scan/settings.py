"""The variants of SCAN that are in use, as one frozen record each. No algorithm lives here."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ScanSettings:
    """What differs between the variants of SCAN.

    ``probe_length``: bases of a probe. ``count_base``: the number from which A, C and G are subtracted to
    get the model's count of T; it is the probe length except in the Illumina variant. ``sample_goal``:
    probes that the fit samples, at least (all, where the array has fewer). ``threshold``: the fit stops when
    no parameter grew by more than this share. ``bins``: groups of probes with a variance of their own.
    ``block``: probes that are standardized together. ``noise_seed``: where given, R's normal noise divided
    by 1e7 is added to all values, after ``set.seed`` of this. ``tie_seed_step``: how much the seed of the
    noise that breaks ties between bins grows from one attempt to the next.
    """

    probe_length: int = 25
    count_base: int = 25
    sample_goal: int = 10_000
    threshold: float = 0.5
    bins: int = 25
    block: int = 5_000
    max_iterations: int = 100
    noise_seed: int | None = None
    tie_seed_step: int = 1


SCAN_FAST = ScanSettings()
"""SCANfast for Affymetrix arrays: what refine.bio runs."""
SCAN_FULL = ScanSettings(sample_goal=50_000, threshold=0.01)
"""SCAN for Affymetrix arrays: five times the sample, and a stricter end."""
SCAN_ILLUMINA = ScanSettings(probe_length=50, count_base=60, block=50, noise_seed=0, tie_seed_step=0)
"""refine.bio's variant for Illumina BeadArrays (``illumina.R``). The probes have 50 bases, but the script
counts T from 60; that changes after how many iterations the fit stops, so 60 is part of the result."""
