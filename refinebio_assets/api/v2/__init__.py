"""``/v2``: what the ancestor's API has no place for: lineage, versions, lockfiles, slices of matrices."""
