"""LICENSE.TXT of a delivery."""

from __future__ import annotations

from refinebio_assets import __version__


def license_text(what: str) -> str:
    """Return the terms of use of a delivery, ``what`` being "dataset" or "compendium"."""
    return f"""This {what} was assembled by refinebio-assets {__version__}.

The expression values and metadata derive from experiments that their submitters deposited in public
archives (NCBI GEO, NCBI SRA, EMBL-EBI ArrayExpress and ENA), or from samples that the maker of this {what}
added. The archives place no restrictions on the use or distribution of the data; some submitters may claim
patent, copyright or other intellectual property rights in what they submitted. Whoever uses the data is
responsible for respecting such rights; nothing in this {what} gives or takes any.

Please cite the experiments that you use: their accessions and publications are in aggregated_metadata.json.

The software is under the BSD 3-Clause license. The data come as they are, without warranty of any kind.
"""
