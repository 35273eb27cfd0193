"""The platform of a GEO sample, from its GPL accession and that GPL's title.

Which GPL is the sample's is the caller's to say (the sample's own, not its series' first). A CEL file
among a sample's files tells more than the GPL does; that is the caller's too.
"""

from __future__ import annotations

from dataclasses import replace

from refinebio_assets.domain import Platform, Technology
from refinebio_assets.platforms.microarrays import find_microarray, microarray_row, normalize_accession
from refinebio_assets.platforms.sequencers import find_sequencer


def platform_of_gpl(accession: str, title: str) -> tuple[Platform, Technology]:
    """Return platform and technology of a GPL; the first rule that holds decides.

    1. No accession: an unknown microarray.
    2. A supported microarray: refine.bio's accession and listed name, or ``title`` where none is listed.
    3. A title that contains a listed sequencer's name: that sequencer, RNA-seq.
    4. Anything else keeps accession and title; manufacturer and technology are unknown.

    ``Platform.source_accession`` is always ``accession``. Both arguments may be empty.
    """
    if not accession:
        return Platform(), Technology.MICROARRAY
    code = normalize_accession(accession)
    array, row = find_microarray(code), microarray_row(code)
    if array and row:
        name = row.name or title or array.name
        return replace(array, name=name, source_accession=accession), Technology.MICROARRAY
    sequencer = find_sequencer(title)
    if sequencer:
        return replace(sequencer, source_accession=accession), Technology.RNA_SEQ
    return Platform(accession=code, name=title, source_accession=accession), Technology.UNKNOWN
