"""Fetches what describes an experiment: its IDF and its SDRF files, from BioStudies or the former addresses.

What the files say is read elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from refinebio_assets.domain import distinct
from refinebio_assets.errors import FormatError, NotFoundError, PermanentError
from refinebio_assets.sources.arrayexpress import addresses
from refinebio_assets.sources.arrayexpress.biostudies import Study, find_study
from refinebio_assets.sources.arrayexpress.mage_tab import Idf, Misfit, Sdrf, SdrfRow, read_idf, read_sdrf
from refinebio_assets.sources.arrayexpress.retired_json import RetiredRecord, find_retired_record
from refinebio_assets.sources.web.client import Web


@dataclass(frozen=True, slots=True)
class Records:
    """The records of one experiment.

    ``study`` is None where BioStudies has no record of it, and only then the retired interface was asked.
    ``idf_url`` is where the IDF came from, empty when there is none.
    """

    accession: str
    study: Study | None
    idf: Idf
    idf_url: str
    rows: tuple[SdrfRow, ...]
    misfits: tuple[Misfit, ...]
    retired: RetiredRecord = field(default_factory=RetiredRecord)


def fetch_records(web: Web, accession: str) -> Records:
    """Fetch the records of an experiment: from BioStudies, else from the addresses it had before.

    Raises NotFoundError for an experiment that is unknown or private, PermanentError for one that BioStudies
    refuses or has without an SDRF, FormatError for files that are no MAGE-TAB, and what ``Web`` raises.
    """
    study = find_study(web, accession)
    if study:
        try:
            return _fetch(web, accession, study, addresses.file)
        except NotFoundError as error:
            raise PermanentError(
                f"{accession} has no SDRF at BioStudies, so its samples are not known"
            ) from error
    refusals = []
    for address in (addresses.file, addresses.former_file):
        try:
            return _fetch(web, accession, None, address)
        except FormatError:
            raise
        except PermanentError as error:
            # Where there is no file, EBI answers with 404, with 403, or with a page.
            refusals.append(error)
    raise NotFoundError(
        f"ArrayExpress has no {accession} (unknown, withdrawn or private): {refusals[-1]}"
    ) from refusals[0]


def _fetch(web: Web, accession: str, study: Study | None, address: Callable[[str, str], str]) -> Records:
    names = sorted(study.files) if study else []
    idf_name = next((name for name in names if name.lower().endswith(".idf.txt")), f"{accession}.idf.txt")
    idf_url = address(accession, idf_name)
    try:
        idf = read_idf(web.text(idf_url), idf_url)
    except NotFoundError:
        idf, idf_url = Idf(), ""
    listed = [name for name in names if name.lower().endswith(".sdrf.txt")]
    sdrfs = _fetch_sdrfs(web, accession, listed or idf.values("sdrffile"), address)
    return Records(
        accession=accession,
        study=study,
        idf=idf,
        idf_url=idf_url,
        rows=tuple(row for sdrf in sdrfs for row in sdrf.rows),
        misfits=tuple(misfit for sdrf in sdrfs for misfit in sdrf.misfits),
        retired=RetiredRecord() if study else find_retired_record(web, accession),
    )


def _fetch_sdrfs(
    web: Web, accession: str, names: list[str], address: Callable[[str, str], str]
) -> list[Sdrf]:
    """Fetch the SDRF files of these names; where one is missing, the one with the usual name instead.

    An IDF may still name the file as its submitter did.
    """
    usual = f"{accession}.sdrf.txt"
    try:
        return [_fetch_sdrf(web, address(accession, name)) for name in distinct(names) or [usual]]
    except NotFoundError:
        if usual in names or not names:
            raise
        return [_fetch_sdrf(web, address(accession, usual))]


def _fetch_sdrf(web: Web, url: str) -> Sdrf:
    return read_sdrf(web.text(url), url)
