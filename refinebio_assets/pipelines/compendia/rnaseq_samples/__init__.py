"""RNA-seq sample compendia: the ``quant.sf`` files of all samples of an organism, with metadata, in a zip.

``choice`` says which experiments and samples go in, ``experiment_part`` writes one experiment's folder,
``summary`` the files at the top, from notes that the parts left. ``rnaseq_sample_compendium`` is the step,
and ``inspection`` reads the zip back.
"""
