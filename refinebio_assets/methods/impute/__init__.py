"""Imputation: missing values of a genes x samples matrix. Arrays in, arrays out.

``factor_imputation`` has the default method, ``iterative_svd`` the one that refine.bio's compendia were made
with. ``held_out`` hides known values and measures a method's errors for both ways of being missing, at
random and for a whole group of samples. ``cells`` (missing cells, blocks of rows), ``leading_space``
(singular vectors) and ``factor_model`` (the model and its fit) are their parts.

Matrices may be memory maps: they are read in blocks of rows, and the result is written in blocks of rows to
the array that is handed in. Which samples and genes make a matrix is the work of other rooms.
"""
