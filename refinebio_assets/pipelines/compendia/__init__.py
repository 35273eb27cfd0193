"""Compendia of an organism: all its samples together, from blocks of samples, within a memory limit.

``model`` says what goes in and what is asked for, ``memory`` divides the limit. ``joining`` (genes and
samples, log2), ``imputing`` and ``normalizing`` are the steps, ``facts`` what is told of genes and samples,
and ``building`` runs them and writes the store. Between the steps matrices lie in scratch files, samples x
genes.
"""
