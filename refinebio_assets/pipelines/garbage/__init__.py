"""Removing old versions on purpose: what may go, and that it went.

Nothing else removes versions but `dataset delete --files`, which removes what was built of a dataset.
"""
