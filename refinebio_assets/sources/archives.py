"""The public archives behind one door: give an accession, get the experiment it belongs to.

Which archive answers is decided by the accession; how each is asked lives in its own folder beside this.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from threading import Lock

from refinebio_assets.domain import Experiment
from refinebio_assets.errors import NotAtSourceError, NotFoundError, PermanentError
from refinebio_assets.platforms.sra_rules import SraRules
from refinebio_assets.sources.accessions import KINDS, Accession, Archive, Names, recognize
from refinebio_assets.sources.library_rules import library_rules
from refinebio_assets.sources.web.client import Web
from refinebio_assets.sources.web.settings import open_web

SHOWN_ADDRESSES = 3


@dataclass(frozen=True, slots=True)
class Archives:
    """A way to the archives, and the rules by which runs of SRA are taken."""

    web: Web
    sra_rules: SraRules

    def resolve(self, text: str) -> list[str]:
        """Return the accessions of the experiments that ``text`` names or belongs to.

        An experiment's own accession is not looked up. A GEO sample may be in several series. Raises
        PermanentError for what is no accession, NotFoundError for one that its archive does not know.
        """
        accession = _require(text)
        if accession.names is Names.EXPERIMENT:
            return [accession.text]
        if accession.archive is Archive.GEO:
            from refinebio_assets.sources.geo.survey import find_series_of_sample

            return find_series_of_sample(self.web, accession.text)
        from refinebio_assets.sources.sra.survey import find_study

        return [find_study(self.web, accession.text)]

    def survey(self, text: str) -> Experiment:
        """Return an experiment as its archive describes it now.

        Raises NotAtSourceError when the archive has no such experiment (unknown, withdrawn or private),
        NotFoundError when a mirror lacks its answer, PermanentError when it cannot be used, TransientError
        when the archive cannot be reached.
        """
        accession = _require(text)
        before = len(self.web.missing_from_mirror)
        try:
            return self._survey(accession)
        except NotFoundError as error:
            missing = self.web.missing_from_mirror[before:]
            if not missing:
                raise NotAtSourceError(str(error)) from error
            shown = ", ".join(missing[:SHOWN_ADDRESSES])
            raise NotFoundError(f"{error}. Not in the mirror, so not known: {shown}") from error

    def _survey(self, accession: Accession) -> Experiment:
        match accession.archive:
            case Archive.GEO:
                from refinebio_assets.sources.geo.survey import survey_geo

                return survey_geo(self.web, accession.text)
            case Archive.SRA:
                from refinebio_assets.sources.sra.survey import survey_sra

                return survey_sra(self.web, accession.text, self.sra_rules)
            case Archive.ARRAY_EXPRESS:
                from refinebio_assets.sources.arrayexpress.survey import survey_arrayexpress

                return survey_arrayexpress(self.web, accession.text)


def web_source(environment: Mapping[str, str]) -> Callable[[], Web]:
    """Return a way to the web that is set up, once for all threads, when it is first asked for."""
    once = cache(lambda: open_web(environment))
    lock = Lock()

    def opened() -> Web:
        # ``cache`` alone lets threads that come at the same time make one each.
        with lock:
            return once()

    return opened


def open_archives(environment: Mapping[str, str]) -> Archives:
    """Return the archives as the environment says they are to be reached."""
    return Archives(open_web(environment), library_rules(environment))


def _require(text: str) -> Accession:
    accession = recognize(text)
    if accession is None:
        raise PermanentError(f"{text!r} is no accession of a public archive: those are {KINDS}")
    return accession
