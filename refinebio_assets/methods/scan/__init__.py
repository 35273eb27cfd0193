"""SCAN: single-channel array normalization, for one array at a time, as the R package SCAN.UPC does it.

Arrays in, arrays out. ``settings`` names the variants; ``design`` is what arrays of a platform share,
made once from the probes' sequences; ``kernel`` normalizes one array; ``summary`` turns probe values into
values of probe sets or genes; ``two_color`` is the method for two-channel arrays; ``quality`` has numbers
that tell a good array from a bad one. ``mixture`` (the model's fit), ``standardize`` (blocks of probes),
``r_random`` and ``r_round`` (R's random numbers and rounding) are their parts. Reading CEL files and
probe tables is the work of other rooms.

The order of use: ``prepare_design`` and ``group_probes`` once for a platform, then ``scan`` and
``summarize`` for each array.

Source: Piccolo et al. (2012), doi:10.1016/j.ygeno.2012.08.003; SCAN.UPC 2.20.0 to 2.49.0, ``R/OneColor.R``
and ``R/TwoColor.R``. The code is our own; where it says "as in R", R's quirk is part of the result.
"""
