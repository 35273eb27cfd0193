"""Which genes and samples make a compendium, and what their values are on one scale. Arrays in, arrays out.

``gene_rows`` has the genes that most samples measure, ``choice`` counts values block by block and chooses
genes and samples, ``scale`` brings sequencing to the log2 scale of arrays. Blocks are samples x genes, so
that a compendium of any size is made from some samples at a time. Imputation and quantile normalization are
rooms of their own.

Source: refine.bio's documented steps for normalized compendia. The code is our own.
"""
