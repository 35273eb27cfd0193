"""Quantile targets: which samples make them, and users' own matrices normalized to them.

The step itself, and how a target is found, is in ``pipelines/target_quantiles.py``.
"""
