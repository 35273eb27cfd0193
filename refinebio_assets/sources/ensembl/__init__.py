"""Ensembl's client: which genomes its six divisions hold, and where their files are.

Genomes are only looked up here, never fetched. Registering one as an organism's transcriptome is the work
of ``pipelines.references.transcriptome_survey``.
"""
