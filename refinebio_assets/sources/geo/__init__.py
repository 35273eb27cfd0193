"""NCBI's Gene Expression Omnibus: its addresses, its SOFT format, and what a series' record says.

What a GPL accession means is known in ``platforms/``; fetching is done by ``sources/web/``.
"""
