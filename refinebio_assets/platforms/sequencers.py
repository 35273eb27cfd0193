"""The sequencers whose RNA-seq runs refine.bio processes, and how an archive's text names one.

``tables/sequencers.txt`` has one name a line. Whether a run's library is of the right kind is judged in
``sra_rules``.
"""

from __future__ import annotations

from functools import cache

from refinebio_assets.domain import Manufacturer, Platform
from refinebio_assets.platforms.tables_on_disk import table_lines

# The name is looked at, not the maker's catalog: NextSeq is Illumina's, and SRA says so too.
_MANUFACTURER_BY_WORD = {
    "ILLUMINA": Manufacturer.ILLUMINA,
    "NEXTSEQ": Manufacturer.ILLUMINA,
    "ION TORRENT": Manufacturer.ION_TORRENT,
}
_RUN_MANUFACTURERS = (Manufacturer.ILLUMINA, Manufacturer.ION_TORRENT)


@cache
def supported_sequencers() -> tuple[str, ...]:
    """Return the listed names, in the table's order."""
    return tuple(table_lines("sequencers.txt"))


def find_sequencer(text: str) -> Platform | None:
    """Return the sequencer with the longest listed name that ``text`` contains (any case), or None.

    Accession and name are the listed name, blanks kept, as GEO's samples have it.
    """
    contained = [name for name in supported_sequencers() if name.lower() in text.lower()]
    if not contained:
        return None
    name = max(contained, key=len)
    return Platform(accession=name, name=name, manufacturer=_manufacturer(name))


def names_a_sequencer(text: str) -> bool:
    """Tell whether ``text`` contains a listed name when blanks and case are ignored."""
    bare = _without_blanks(text).lower()
    return any(_without_blanks(name).lower() in bare for name in supported_sequencers())


def sequencer_of_run(instrument_platform: str, instrument_model: str) -> Platform:
    """Return the sequencer of an SRA run, from ENA's two fields.

    The accession is the model without blanks (``IlluminaHiSeq2000``), listed or not. A maker other than
    Illumina and Ion Torrent is unknown here: then only ``source_accession``, the model as given, is set.
    """
    maker = next((known for known in _RUN_MANUFACTURERS if known == instrument_platform), None)
    if maker is None:
        return Platform(source_accession=instrument_model or instrument_platform)
    return Platform(
        accession=_without_blanks(instrument_model),
        name=instrument_model,
        manufacturer=maker,
        source_accession=instrument_model,
    )


def _manufacturer(name: str) -> Manufacturer:
    found = (maker for word, maker in _MANUFACTURER_BY_WORD.items() if word in name.upper())
    return next(found, Manufacturer.UNKNOWN)


def _without_blanks(text: str) -> str:
    return text.replace(" ", "")
